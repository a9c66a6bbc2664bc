"""Teams of users."""

from __future__ import annotations

import uuid

from local_nexus.errors import not_found
from local_nexus.store import Filters, Row, Store


class Teams:
    """Creates and finds teams.

    :param store: where they are kept.
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

        :param reader: a user; None for one who sees all.
        :param name: their exact name, if given.
        """
        with self._store.read() as tx:
            teams = tx.find("teams") if reader is None else (tx.teams_of(reader))
        return [team for team in teams if name in (None, team["name"])]

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
            tx.delete("team_members", Filters(equal=member))
            tx.insert("team_members", member)
