"""The bodies of requests about jobs."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictBool, StrictInt

from local_cloud.web.models import Name

_MOST_MODES = 1000

Entry = Annotated[str, Field(max_length=200)] | float


class NewJob(BaseModel):
    """The payload of a job, as the client sends it.

    :param unitary: Complex numbers in Python's notation.
    :param job_data: What the client gets back with the results.
    """

    qpu: Name
    job_name: Annotated[str, Field(max_length=10_000)]
    lightworks_version: Annotated[str, Field(max_length=100)]
    n_modes: Annotated[StrictInt, Field(ge=1, le=_MOST_MODES)]
    input: Annotated[list[StrictInt], Field(max_length=_MOST_MODES)]
    n_samples: Annotated[StrictInt, Field(ge=1, lt=2**31)]
    min_detection: Annotated[StrictInt, Field(ge=1, le=_MOST_MODES)]
    direct_implementation: StrictBool
    unitary: Annotated[
        list[Annotated[list[Entry], Field(max_length=_MOST_MODES)]],
        Field(max_length=_MOST_MODES),
    ]
    circuit_spec: list[Any] | None = None
    job_data: dict[str, Any] | None = None


class ForcedStatus(BaseModel):
    """A state set by hand."""

    status: Name
    notes: str | None = None
    compilation_errors: list[tuple[int, str]] = []


class Listing(BaseModel):
    """What a listing tells of each job."""

    content: Literal["names", "ids"]
