"""What Nexus fills in where a backend config leaves it out."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

# HQC; every organisation has a value of its own, this is the usual one.
MAX_BATCH_COST = 2000.0


def with_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a backend config with the values that a job has without being told.

    :param config: With its ``type``; what it says stays as it is.
    """
    return _defaults(config["type"]) | dict(config)


@cache
def _defaults(config_type: str) -> dict[str, Any]:
    # Most servers start without a job, and the schemas take a moment to import.
    from quantinuum_schemas.models.backend_config import config_name_to_class

    fields = config_name_to_class[config_type].model_fields
    filled: dict[str, Any] = {}
    for name, field in fields.items():
        if field.is_required():
            continue
        value = field.get_default(call_default_factory=True)
        if isinstance(value, BaseModel):
            value = value.model_dump(mode="json", exclude_none=True)
        if value is not None:
            filled[name] = value
    if "max_batch_cost" in fields:
        filled["max_batch_cost"] = MAX_BATCH_COST
    return filled
