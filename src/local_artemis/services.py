"""The rules of the API of one server, on top of its database and its engines."""

from local_artemis.engines.pool import EnginePool
from local_artemis.jobs.execution import Execution
from local_artemis.jobs.service import Jobs
from local_artemis.qpus.service import Qpus, read
from local_artemis.tables import metadata
from local_artemis.users.service import Users
from local_cloud.errors import StartError
from local_cloud.store import DatabaseError, Store
from local_cloud.web.state import ServerState
from local_cloud.web.tokens import Tokens

_DAY = 24 * 3600
# Seconds that tokens live, by their use: for requests and for the web page. How long
# those of Artemis live is not known.
_LIFE = {"access": 365 * _DAY, "page": 30 * _DAY}
_FIRST_USER = "local user"


class Services:
    """All rules of one server.

    :param state: Of the server; its first user is made if there is none.
    :raises StartError: If the database or the file with QPUs cannot be read.
    """

    def __init__(self, state: ServerState) -> None:
        try:
            self.store = Store(state.instance.database, metadata)
            described = read(state.options.device_file)
        except (OSError, ValueError, DatabaseError) as error:
            raise StartError(str(error)) from error
        self.qpus = Qpus(self.store, state.clock, described)
        self._pool = EnginePool(private=state.private)
        self.users = Users(self.store)
        self.tokens = Tokens(state.clock, state.instance.secret.encode(), _LIFE)
        self.user_id = self.users.ensure(_FIRST_USER)
        self.execution = Execution(self.store, state, self._pool, self.qpus)
        self.jobs = Jobs(
            self.store,
            state.clock,
            self.execution,
            self.qpus,
            lenient=state.options.lenient,
        )

    def issue_tokens(self) -> dict[str, str]:
        """Return new tokens of the first user."""
        return {"access": self.tokens.issue(self.user_id, "access")}

    def expire_tokens(self, kind: str) -> None:
        """Let tokens expire; there are none of the kind ``refresh``."""
        if kind == "access":
            self.tokens.expire(kind)

    def reset(self) -> None:
        """Forget all data."""
        self.execution.reset()
        self.store.clear()
        self.qpus.load()
        self.tokens.expire_all()
        self.user_id = self.users.ensure(_FIRST_USER)
        self.jobs.listing = "names"

    def close(self) -> None:
        """End the engines and close the store."""
        self._pool.close()
        self.store.close()
