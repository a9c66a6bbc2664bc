"""The database: opening it and its transactions; tables and queries are the clouds'."""

from local_cloud.store.engine import DatabaseError, Store
from local_cloud.store.transaction import Row, Transaction

__all__ = ["DatabaseError", "Row", "Store", "Transaction"]
