"""Teams of users."""

import uuid

import sqlalchemy as sa

from local_cloud.errors import ApiError, not_found
from local_cloud.store import Row, Store, Transaction
from local_nexus.users.tables import team_members, teams


class Teams:
    """Creates and finds teams.

    :param store: Where they are kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, user_id: str, attributes: Row) -> Row:
        """Add a team, of which the user is the first member."""
        row = {**attributes, "id": str(uuid.uuid4())}
        with self._store.write() as tx:
            tx.insert("teams", row)
            tx.insert("team_members", {"team_id": row["id"], "user_id": user_id})
        return row

    def of(self, reader: str | None, name: str | None) -> list[Row]:
        """Return the teams that a reader is in.

        :param reader: A user; None for one who sees all.
        :param name: Their exact name, if given.
        """
        with self._store.read() as tx:
            found = tx.find("teams") if reader is None else _teams_of(tx, reader)
        return [team for team in found if name in (None, team["name"])]

    def get(self, team_id: str) -> Row:
        """Return a team. Any user may see the name of one that holds a role.

        :raises ApiError: 404 if there is none with this id.
        """
        with self._store.read() as tx:
            team = tx.get("teams", team_id)
        if team is None:
            raise not_found("team", team_id)
        return team

    def add_member(self, team_id: str, user_id: str) -> None:
        """Make a user a member of a team; once is enough."""
        member = {"team_id": team_id, "user_id": user_id}
        with self._store.write() as tx:
            tx.delete("team_members", **member)
            tx.insert("team_members", member)


def require_member(tx: Transaction, user_id: str, group: str) -> None:
    """Check that a user belongs to a user group, which is a team here.

    :param group: The name of the group.
    :raises ApiError: 403 if not; whether there is such a group stays unsaid.
    """
    names = [team["name"] for team in _teams_of(tx, user_id)]
    if group not in names:
        known = f"take one of {', '.join(names)}" if names else "the user is in none"
        raise ApiError(
            403, f"The user is not a member of the user group {group!r}: {known}."
        )


def _teams_of(tx: Transaction, user_id: str) -> list[Row]:
    return tx.rows(
        sa.select(teams)
        .join(team_members, team_members.c.team_id == teams.c.id)
        .where(team_members.c.user_id == user_id)
        .order_by(teams.c.seq)
    )
