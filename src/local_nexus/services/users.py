"""Users and their tokens."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import secrets
import uuid

from local_nexus.clock import MICROSECONDS, Clock
from local_nexus.errors import ApiError, not_found
from local_nexus.store import Row, Store

_DAY = 24 * 3600
# Seconds that tokens live: those of Nexus are of this order. Those of the web page are
# not Nexus's.
LIFE = {"id": 15 * 60, "refresh": 30 * _DAY, "page": 30 * _DAY}


class Users:
    """Creates users, checks passwords, issues and checks tokens.

    :param store: where the users are kept.
    :param clock: the time that tokens live by.
    :param secret: the key that signs tokens.
    """

    def __init__(self, store: Store, clock: Clock, secret: bytes) -> None:
        self._store = store
        self._clock = clock
        self._secret = secret
        # Until when tokens were issued that are no good any more, by their use.
        self._expired = dict.fromkeys(LIFE, 0)
        # A client sends the same token with every request.
        self._claims = functools.lru_cache(maxsize=256)(self._read)

    def ensure(
        self,
        email: str,
        password: str,
        display_name: str | None,
        *,
        admin: bool = False,
    ) -> Row:
        """Return the user with this e-mail address, made if there is none."""
        with self._store.write() as tx:
            user = tx.get("users", email, column="email")
            if user is None:
                user = {
                    "id": str(uuid.uuid4()),
                    "email": email,
                    "display_name": display_name,
                    "password_hash": _hash(password),
                    "mfa_code": None,
                    "admin": admin,
                    "balance": None,
                    "created": self._clock.now(),
                }
                tx.insert("users", user)
            return user

    def login(self, email: str, password: str) -> Row:
        """Return the user who has this password.

        :raises ApiError: 401 if no user has it.
        """
        with self._store.read() as tx:
            user = tx.get("users", email, column="email")
        if user is None or not _matches(password, user["password_hash"]):
            raise ApiError(401, "The e-mail address or the password is wrong.")
        return user

    def set_mfa_code(self, user_id: str, code: str | None) -> None:
        """Set the code that a user's logins need beside the password; None for none."""
        with self._store.write() as tx:
            tx.update("users", user_id, {"mfa_code": code})

    def issue(self, user_id: str, use: str) -> str:
        """Return a new token.

        :param use: ``id`` for requests, ``refresh`` for new tokens, ``page`` for the
            web page.
        """
        # Tokens issued in the moment of an expiry come after it.
        issued = max(self._clock.now(), self._expired[use] + 1)
        expires = issued + LIFE[use] * MICROSECONDS
        claims = json.dumps({"sub": user_id, "use": use, "exp": expires})
        body = base64.urlsafe_b64encode(claims.encode())
        return f"{body.decode()}.{self._signature(body)}"

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
            issued = claims["exp"] - LIFE[use] * MICROSECONDS
            if claims["use"] == use and left > 0 and issued > self._expired[use]:
                return claims["sub"], left
        raise ApiError(401, "Not authenticated: log in, or refresh the tokens.")

    def find(self, key: str) -> Row:
        """Return the user with this id or e-mail address.

        :raises ApiError: 404 if there is none.
        """
        with self._store.read() as tx:
            user = tx.get("users", key, column="email" if "@" in key else "id")
        if user is None:
            raise not_found("user", key)
        return user

    def _read(self, token: str) -> Row | None:
        """Return what a token says, None if it is forged."""
        body, _, signature = token.partition(".")
        expected = self._signature(body.encode())
        if not hmac.compare_digest(signature.encode(), expected.encode()):
            return None
        claims: Row = json.loads(base64.urlsafe_b64decode(body))
        return claims

    def _signature(self, body: bytes) -> str:
        return hmac.new(self._secret, body, hashlib.sha256).hexdigest()


def _hash(password: str) -> str:
    salt = secrets.token_hex(8)
    return f"{salt}${_derive(password, salt)}"


def _matches(password: str, password_hash: str) -> bool:
    salt, _, expected = password_hash.partition("$")
    return hmac.compare_digest(expected, _derive(password, salt))


def _derive(password: str, salt: str) -> str:
    key = hashlib.scrypt(password.encode(), salt=salt.encode(), n=2**12, r=8, p=1)
    return key.hex()
