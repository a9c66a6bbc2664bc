"""Links that open the web page in one browser."""

import secrets


class PageLinks:
    """Keeps the tokens of links that nobody has used yet; a restart forgets them."""

    def __init__(self) -> None:
        self._tokens: set[str] = set()

    def issue(self) -> str:
        """Return the token of a new link."""
        token = secrets.token_urlsafe(32)
        self._tokens.add(token)
        return token

    def redeem(self, token: str) -> bool:
        """Use up a token; return whether it was good."""
        try:
            self._tokens.remove(token)
        except KeyError:
            return False
        return True

    def clear(self) -> None:
        """Forget all links."""
        self._tokens.clear()
