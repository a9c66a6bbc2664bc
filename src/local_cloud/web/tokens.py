"""The tokens of users: issued, checked and expired; none is stored."""

import base64
import functools
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from local_cloud.clock import MICROSECONDS, Clock
from local_cloud.errors import ApiError


class Tokens:
    """Issues and checks tokens.

    :param clock: The time that tokens live by.
    :param secret: The key that signs tokens.
    :param life: For what tokens are used, to the seconds that they live.
    """

    def __init__(self, clock: Clock, secret: bytes, life: Mapping[str, int]) -> None:
        self._clock = clock
        self._secret = secret
        self._life = life
        # Until when tokens were issued that are no good any more, by their use.
        self._expired = dict.fromkeys(life, 0)
        # A client sends the same token with every request.
        self._claims = functools.lru_cache(maxsize=256)(self._read)

    def issue(self, user_id: str, use: str) -> str:
        """Return a new token.

        :param use: One of those that have a life.
        """
        # Tokens issued in the moment of an expiry come after it.
        issued = max(self._clock.now(), self._expired[use] + 1)
        expires = issued + self._life[use] * MICROSECONDS
        claims = json.dumps({"sub": user_id, "use": use, "exp": expires})
        body = base64.urlsafe_b64encode(claims.encode())
        return f"{body.decode()}.{self._signature(body)}"

    def expire_all(self) -> None:
        """Let all tokens expire that were issued so far."""
        for use in self._life:
            self.expire(use)

    def expire(self, use: str) -> None:
        """Let all tokens for a use expire that were issued so far."""
        self._expired[use] = self._clock.now()

    def check(self, token: str, use: str) -> tuple[str, int]:
        """Return whose token this is and for how many more seconds it is good.

        :raises ApiError: 401 if it is forged, expired or for another use.
        """
        claims = self._claims(token)
        if claims is not None:
            left = (claims["exp"] - self._clock.now()) // MICROSECONDS
            issued = claims["exp"] - self._life[use] * MICROSECONDS
            if claims["use"] == use and left > 0 and issued > self._expired[use]:
                return claims["sub"], left
        raise ApiError(401, "Not authenticated: log in, or refresh the tokens.")

    def _read(self, token: str) -> dict[str, Any] | None:
        """Return what a token says, None if it is forged."""
        body, _, signature = token.partition(".")
        expected = self._signature(body.encode())
        if not hmac.compare_digest(signature.encode(), expected.encode()):
            return None
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body))
        return claims

    def _signature(self, body: bytes) -> str:
        return hmac.new(self._secret, body, hashlib.sha256).hexdigest()
