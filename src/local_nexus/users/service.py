"""Users and their passwords."""

import hashlib
import hmac
import secrets
import uuid

from local_cloud.clock import Clock
from local_cloud.errors import ApiError, not_found
from local_cloud.store import Row, Store


class Users:
    """Creates and finds users, and checks their passwords.

    :param store: Where the users are kept.
    :param clock: The time at which they are made.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def ensure(
        self,
        email: str,
        password: str,
        display_name: str | None,
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
                    "admin": False,
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

    def set_admin(self, user_id: str, *, admin: bool) -> None:
        """Let a user administer the organisation and the instance, or no longer."""
        with self._store.write() as tx:
            tx.update("users", user_id, {"admin": admin})

    def find(self, key: str) -> Row:
        """Return the user with this id or e-mail address.

        :raises ApiError: 404 if there is none.
        """
        with self._store.read() as tx:
            user = tx.get("users", key, column="email" if "@" in key else "id")
        if user is None:
            raise not_found("user", key)
        return user


def _hash(password: str) -> str:
    salt = secrets.token_hex(8)
    return f"{salt}${_derive(password, salt)}"


def _matches(password: str, password_hash: str) -> bool:
    salt, _, expected = password_hash.partition("$")
    return hmac.compare_digest(expected, _derive(password, salt))


def _derive(password: str, salt: str) -> str:
    key = hashlib.scrypt(password.encode(), salt=salt.encode(), n=2**12, r=8, p=1)
    return key.hex()
