"""Storage: the only part of the server that speaks SQL."""

from local_nexus.store.engine import Store
from local_nexus.store.filters import Filters, Page
from local_nexus.store.transaction import Row, Transaction

__all__ = ["Filters", "Page", "Row", "Store", "Transaction"]
