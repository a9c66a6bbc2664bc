"""Logins on one device that a person confirms on another (RFC 8628)."""

import secrets
import threading
from dataclasses import dataclass

from local_cloud.clock import MICROSECONDS, Clock
from local_cloud.errors import ApiError

# Seconds that a code is good for, and between two questions whether it is confirmed.
LIFE = 600
INTERVAL = 1
# Without letters and digits that look alike.
_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ23456789"


@dataclass
class _Login:
    user_code: str
    expires: int
    user_id: str | None = None


class DeviceLogins:
    """Keeps the logins that are under way; a restart ends them.

    :param clock: The time that codes live by.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._logins: dict[str, _Login] = {}
        self._lock = threading.Lock()

    def start(self) -> tuple[str, str]:
        """Begin a login and return its device code and the code for the person."""
        device_code = secrets.token_urlsafe(32)
        user_code = "".join(secrets.choice(_ALPHABET) for _ in range(8))
        now = self._clock.now()
        with self._lock:
            known = self._logins.items()
            self._logins = {key: it for key, it in known if it.expires > now}
            login = _Login(user_code, now + LIFE * MICROSECONDS)
            self._logins[device_code] = login
        return device_code, user_code

    def confirm(self, user_code: str, user_id: str) -> None:
        """Let the person's other device in.

        :raises ApiError: 404 if there is no such code.
        """
        with self._lock:
            for login in self._valid():
                if secrets.compare_digest(login.user_code, user_code):
                    login.user_id = user_id
                    return
        raise ApiError(404, "There is no login with this code, or it has expired.")

    def finish(self, device_code: str) -> str | None:
        """Return who confirmed a login, and end it; None if nobody has yet.

        :raises ApiError: 401 if there is no such login.
        """
        with self._lock:
            login = self._logins.get(device_code)
            if login is None or login not in self._valid():
                raise ApiError(401, "There is no such login, or it has expired.")
            if login.user_id is not None:
                del self._logins[device_code]
            return login.user_id

    def _valid(self) -> list[_Login]:
        now = self._clock.now()
        return [login for login in self._logins.values() if login.expires > now]
