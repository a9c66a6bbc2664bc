"""Storage: the only part of the server that speaks SQL."""

from local_nexus.store.engine import DatabaseError, Store
from local_nexus.store.filters import Filters, Page
from local_nexus.store.transaction import Row, Transaction

__all__ = ["DatabaseError", "Filters", "Page", "Row", "Store", "Transaction"]
