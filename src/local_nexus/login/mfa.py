"""Second factors of logins by password."""

import hmac
import secrets
import threading
from dataclasses import dataclass

from local_cloud.clock import MICROSECONDS, Clock
from local_cloud.errors import ApiError
from local_cloud.store import Row

# Seconds that a challenge waits for its code, and how many wrong ones it takes.
LIFE = 600
ATTEMPTS = 5


@dataclass
class _Challenge:
    user: Row
    expires: int
    attempts: int = ATTEMPTS


class MfaChallenges:
    """Keeps the logins that wait for a code; a restart ends them.

    :param clock: The time that they live by.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # By e-mail address: the client says nothing else with the code.
        self._challenges: dict[str, _Challenge] = {}
        self._lock = threading.Lock()

    def start(self, user: Row) -> str:
        """Begin a challenge for a user who gave the right password; return its id."""
        expires = self._clock.now() + LIFE * MICROSECONDS
        with self._lock:
            self._challenges[user["email"]] = _Challenge(user, expires)
        return secrets.token_urlsafe(16)

    def finish(self, email: str, code: str) -> Row:
        """Return the user whose challenge this code meets, and end the challenge.

        :raises ApiError: 401 if there is no challenge, or the code is wrong.
        """
        with self._lock:
            challenge = self._challenges.get(email)
            if challenge is None or challenge.expires <= self._clock.now():
                raise ApiError(
                    401,
                    "No login waits for a verification code, or it has expired: log in "
                    "with the password first.",
                )
            if not matches(challenge.user, code):
                challenge.attempts -= 1
                if not challenge.attempts:
                    del self._challenges[email]
                raise wrong_code()
            del self._challenges[email]
        return challenge.user


def matches(user: Row, code: str) -> bool:
    """Return whether this is the code of a user, or the user has none."""
    expected = user["mfa_code"]
    return expected is None or hmac.compare_digest(expected.encode(), code.encode())


def wrong_code() -> ApiError:
    """Return the error for a code that does not match."""
    return ApiError(401, "The verification code is wrong.")
