"""The body of an answer that refuses fields of a job."""

from collections.abc import Sequence
from typing import Any

from local_cloud.errors import ApiError


class InvalidFieldsError(ApiError):
    """Fields of a request are wrong; Artemis names all of them at once.

    :param errors: Names of fields, each with a reason.
    """

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        message = "; ".join(f"{name}: {reason}" for name, reason in errors)
        super().__init__(400, message, field=errors[0][0])
        self.errors = errors

    def to_dict(self) -> dict[str, Any]:
        """Return the body of the answer."""
        errors = [{"name": name, "reason": reason} for name, reason in self.errors]
        return {"message": self.message, "errors": errors}
