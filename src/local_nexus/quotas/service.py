"""What users may use: quotas, credits in HQC, and credentials of providers."""

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass

from local_cloud.clock import Clock
from local_cloud.errors import ApiError, not_found
from local_cloud.store import Row, Store, Transaction
from local_nexus.jobs.queries import time_taken
from local_nexus.uploads.service import bytes_stored

_MEGABYTE = 2**20


@dataclass(frozen=True)
class Quota:
    """A kind of quota.

    :param description: What it limits.
    :param unit: The field of its limit and usage, as ``qnexus.client.quotas`` reads it.
    :param usage: How much of it a user has used.
    """

    description: str
    unit: str
    usage: Callable[[Transaction, str], float]


QUOTAS = {
    "compilation": Quota(
        "Seconds of compilation",
        "total_time_taken",
        lambda tx, user_id: time_taken(tx, user_id, "compile"),
    ),
    "simulation": Quota(
        "Seconds of simulation",
        "total_time_taken",
        lambda tx, user_id: time_taken(tx, user_id, "execute"),
    ),
    "jupyterhub": Quota(
        "Seconds of JupyterHub, which the embedded Nexus does not have",
        "total_time_taken",
        lambda _tx, _user_id: 0.0,
    ),
    "database_usage": Quota(
        "Megabytes of uploads",
        "megabytes_used",
        lambda tx, user_id: bytes_stored(tx, user_id) / _MEGABYTE,
    ),
}


class Quotas:
    """Knows and sets what users may use.

    :param store: Where limits are kept.
    :param clock: The time of changes.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def quota(self, user_id: str, name: str) -> tuple[float, float | None]:
        """Return usage and limit of a quota; the limit is None if there is none.

        :raises ApiError: 404 if there is no such quota.
        """
        if name not in QUOTAS:
            raise not_found("quota", name, field="name")
        with self._store.read() as tx:
            usage = QUOTAS[name].usage(tx, user_id)
            limits = tx.find("quotas", user_id=user_id, name=name)
        return usage, limits[0]["limit"] if limits else None

    def set_quota(self, user_id: str, name: str, limit: float | None) -> None:
        """Set or, with None, remove the limit of a quota.

        :raises ApiError: 404 if there is no such quota.
        """
        if name not in QUOTAS:
            raise not_found("quota", name, field="name")
        row = {"user_id": user_id, "name": name}
        with self._store.write() as tx:
            tx.delete("quotas", **row)
            if limit is not None:
                tx.insert("quotas", row | {"limit": limit})

    def guard(self, user_id: str, name: str) -> None:
        """Check that a quota is not used up.

        :raises ApiError: 403 if it is.
        """
        usage, limit = self.quota(user_id, name)
        if limit is not None and usage >= limit:
            raise ApiError(
                403, f"The quota {name!r} is used up: {usage:g} of {limit:g}."
            )

    def set_balance(self, user_id: str, balance: float | None) -> None:
        """Set how many HQC a user may spend; None takes the limit away."""
        with self._store.write() as tx:
            tx.update("users", user_id, {"balance": balance})

    def credentials(self, user_id: str, issuer: str | None) -> list[Row]:
        """Return the credentials of a user, the oldest first.

        :param issuer: Whose they are, if given.
        """
        issued = {} if issuer is None else {"issuer": issuer}
        with self._store.read() as tx:
            return tx.find("credentials", user_id=user_id, **issued)

    def issuers(
        self, user_id: str, ids: Collection[str], names: Collection[str]
    ) -> set[str] | None:
        """Return who issued some credentials of a user; None if none are named.

        :raises ApiError: 404 if the user has no such credential.
        """
        if not ids and not names:
            return None
        rows = self.credentials(user_id, None)
        for field, keys in (("id", ids), ("name", names)):
            for key in keys:
                if all(row[field] != key for row in rows):
                    raise not_found("credential", key, field=f"credential_{field}s")
        return {
            row["issuer"] for row in rows if row["id"] in ids or row["name"] in names
        }

    def add_credential(self, user_id: str, name: str, issuer: str) -> Row:
        """Note that a user has a credential of a provider; secrets are not kept."""
        row = {
            "id": str(uuid.uuid4()),
            "user_id": user_id,
            "name": name,
            "issuer": issuer,
            "created": self._clock.now(),
        }
        with self._store.write() as tx:
            tx.insert("credentials", row)
        return row


def charge(tx: Transaction, user_id: str, cost: float) -> bool:
    """Take HQC from the credits of a user.

    :returns: Whether there were enough.
    """
    user = tx.get("users", user_id)
    if user is None or user["balance"] is None:
        return True
    if user["balance"] < cost:
        return False
    tx.update("users", user_id, {"balance": user["balance"] - cost})
    return True
