"""Users: found by their name, or made."""

import uuid

from local_cloud.store import Store


class Users:
    """The users of a server.

    :param store: Where they are kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def ensure(self, name: str) -> str:
        """Return the id of the user of this name, who is made if needed."""
        with self._store.write() as tx:
            found = tx.get("users", name, column="name")
            if found is None:
                found = {"id": str(uuid.uuid4()), "name": name}
                tx.insert("users", found)
        return str(found["id"])

    def is_known(self, user_id: str) -> bool:
        """Return whether there is a user with this id."""
        with self._store.read() as tx:
            return tx.get("users", user_id) is not None
