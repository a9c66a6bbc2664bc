"""The bodies of requests: types that all share, and how a body is read."""

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails

from local_cloud.errors import ApiError

Name = Annotated[str, Field(min_length=1, max_length=1000)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


# After an even number of backslashes, which stand for half as many in the text.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class FieldError(ValueError):
    """A value that does not go with others.

    :param path: From the model that finds it to the field that is to blame.
    :param reason: Why.
    """

    def __init__(self, path: Sequence[str], reason: str) -> None:
        super().__init__(reason)
        self.path = path


def parse[M: BaseModel](model: type[M], body: bytes) -> M:
    """Read a body.

    :raises ApiError: 422, naming the field that is wrong and why.
    """
    if _NUL.search(body):
        # PostgreSQL cannot store this character, and SQLite should not differ.
        raise ApiError(422, "body: the character NUL is not allowed.", field="body")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        parts = [*_path(first, body), *_further_path(first.get("ctx", {}))]
        field = ".".join(parts) or "body"
        reason = first["msg"].removeprefix("Value error, ")
        raise ApiError(422, f"{field}: {reason}.", field=field) from None


def _path(error: ErrorDetails, body: bytes) -> list[str]:
    """Return the path to a wrong field, as the body has it.

    Pydantic names on the way which model of a union it chose; that is not part of it.
    """
    parts: list[str] = []
    value: Any = json.loads(body) if error["loc"] else None
    last = len(error["loc"]) - 1
    for number, part in enumerate(error["loc"]):
        is_absent = not isinstance(value, dict | list) or (
            part not in value if isinstance(value, dict) else isinstance(part, str)
        )
        if is_absent and not (number == last and error["type"] == "missing"):
            continue
        parts.append(str(part))
        is_inside = isinstance(value, dict | list) and not is_absent
        value = value[part] if is_inside else None
    return parts


def _further_path(context: dict[str, Any]) -> Sequence[str]:
    """Return where below the place that pydantic names the wrong field is."""
    if "discriminator" in context:
        return [context["discriminator"].strip("'")]
    cause = context.get("error")
    return cause.path if isinstance(cause, FieldError) else []
