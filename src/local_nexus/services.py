"""The rules of the API of one server, on top of its database and its simulators."""

from local_cloud.errors import StartError
from local_cloud.store import DatabaseError, Row, Store
from local_cloud.web.state import ServerState
from local_cloud.web.tokens import Tokens
from local_nexus.jobs.execution import Execution
from local_nexus.jobs.service import Jobs
from local_nexus.login.device_logins import DeviceLogins
from local_nexus.login.mfa import MfaChallenges
from local_nexus.projects.service import Projects
from local_nexus.quotas.service import Quotas
from local_nexus.simulators import SimulatorPool
from local_nexus.simulators.devices import devices
from local_nexus.tables import metadata
from local_nexus.uploads.service import Uploads
from local_nexus.users.roles import Roles
from local_nexus.users.service import Users
from local_nexus.users.teams import Teams

_DAY = 24 * 3600
# Seconds that tokens live, by their use: for requests, for new tokens, and for the web
# page. Those of Nexus are of this order; it has none for a page.
_LIFE = {"id": 15 * 60, "refresh": 30 * _DAY, "page": 30 * _DAY}


class Services:
    """All rules of one server.

    :param state: Of the server; its first user is made if there is none.
    :raises StartError: If the database or the file with devices cannot be read.
    """

    def __init__(self, state: ServerState) -> None:
        self._instance = state.instance
        self._clock = clock = state.clock
        device_file = state.options.device_file
        try:
            devices(device_file)
            self.store = Store(state.instance.database, metadata)
        except (OSError, ValueError, DatabaseError) as error:
            raise StartError(str(error)) from error
        self.private = state.private
        self._pool = SimulatorPool(device_file=device_file, private=state.private)
        self.execution = Execution(
            self.store,
            clock,
            self._pool,
            state.progress,
            strict=not state.options.lenient,
            changed=state.notifications.notify,
        )
        self.users = Users(self.store, clock)
        self.tokens = Tokens(clock, state.instance.secret.encode(), _LIFE)
        self.user = self._first_user()
        self.device_logins = DeviceLogins(clock)
        self.mfa_challenges = MfaChallenges(clock)
        self.roles = Roles(self.store)
        self.quotas = Quotas(self.store, clock)
        self.teams = Teams(self.store)
        self.projects = Projects(self.store, clock)
        self.uploads = Uploads(self.store, clock)
        self.jobs = Jobs(self.store, clock, self.execution)

    def issue_tokens(self) -> dict[str, str]:
        """Return new tokens of the first user."""
        return {
            use: self.tokens.issue(self.user["id"], use) for use in ("id", "refresh")
        }

    def reset(self) -> None:
        """Forget all data but who the first user is."""
        self.execution.reset()
        self.store.clear()
        self.tokens.expire_all()
        self.user = self._first_user()
        self.device_logins = DeviceLogins(self._clock)
        self.mfa_challenges = MfaChallenges(self._clock)

    def close(self) -> None:
        """End the simulators and close the store."""
        self._pool.close()
        self.store.close()

    def _first_user(self) -> Row:
        email, password = self._instance.email, self._instance.password
        return self.users.ensure(email, password, "Local User")
