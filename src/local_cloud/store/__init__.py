"""The database: opening it and its transactions; tables and queries are the clouds'."""

from local_cloud.store.engine import DatabaseError, Store, files_of
from local_cloud.store.transaction import Row, Transaction

__all__ = ["DatabaseError", "Row", "Store", "Transaction", "files_of"]
