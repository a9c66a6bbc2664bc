"""The rules of the embedded Nexus, on top of the store and the simulators."""

from __future__ import annotations

from pathlib import Path

from local_nexus.clock import Clock
from local_nexus.errors import StartError
from local_nexus.request_log import RequestLog
from local_nexus.services.access import Access
from local_nexus.services.accounts import Accounts
from local_nexus.services.changes import Changes
from local_nexus.services.device_logins import DeviceLogins
from local_nexus.services.execution import Execution
from local_nexus.services.faults import Faults
from local_nexus.services.jobs import Jobs
from local_nexus.services.mfa import MfaChallenges
from local_nexus.services.page_links import PageLinks
from local_nexus.services.projects import Projects
from local_nexus.services.teams import Teams
from local_nexus.services.uploads import Uploads
from local_nexus.services.users import LIFE, Users
from local_nexus.settings import Settings
from local_nexus.simulators import SimulatorPool
from local_nexus.simulators.devices import devices
from local_nexus.store import DatabaseError, Row, Store

__all__ = ["Services"]


class Services:
    """All rules of one server.

    :param settings: of the instance; its first user is made if there is none.
    :param device_file: devices of a user's own.
    :raises StartError: if the database or the file cannot be read.
    """

    def __init__(self, settings: Settings, device_file: Path | None = None) -> None:
        self.settings = settings
        self.device_file = device_file
        self.clock = Clock()
        self.changes = Changes()
        self.request_log = RequestLog()
        self.faults = Faults(self.clock)
        self.store = _open(settings.database, device_file)
        self.pool = SimulatorPool(device_file=device_file)
        self.execution = Execution(
            self.store, self.clock, self.pool, self.changes.announce
        )
        self.users = Users(self.store, self.clock, settings.secret.encode())
        self.user = self._first_user()
        self.device_logins = DeviceLogins(self.clock)
        self.mfa_challenges = MfaChallenges(self.clock)
        self.page_links = PageLinks()
        self.access = Access(self.store)
        self.accounts = Accounts(self.store, self.clock)
        self.teams = Teams(self.store)
        self.projects = Projects(self.store, self.clock)
        self.uploads = Uploads(self.store, self.clock)
        self.jobs = Jobs(self.store, self.clock, self.execution)

    def reset(self) -> None:
        """Forget everything but who the first user is, as if just started."""
        self.faults.clear()
        self.execution.reset()
        self.store.clear()
        for use in LIFE:
            self.users.expire(use)
        self.user = self._first_user()
        self.clock.reset()
        self.device_logins = DeviceLogins(self.clock)
        self.mfa_challenges = MfaChallenges(self.clock)
        self.page_links = PageLinks()
        self.request_log.clear()

    def _first_user(self) -> Row:
        email, password = self.settings.email, self.settings.password
        return self.users.ensure(email, password, "Local User", admin=True)

    def close(self) -> None:
        """End the simulators and close the store."""
        self.pool.close()
        self.store.close()


def _open(database: str, device_file: Path | None) -> Store:
    """Check the devices, and open the store."""
    try:
        devices(device_file)
        return Store(database)
    except (OSError, ValueError, DatabaseError) as error:
        raise StartError(str(error)) from error
