"""The bodies of requests below ``/_local/``, and of the files that say the same."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

from local_cloud.faults.rule import Fault
from local_cloud.progress.rule import Progress, ProgressRule
from local_cloud.web.models import Amount, Name

_TEN_YEARS = 10 * 365 * 86_400.0


class NewProgress(BaseModel):
    """The parameters of :class:`local_cloud.Progress`, and the jobs they are for."""

    model_config = ConfigDict(extra="forbid")

    job: Name = "*"
    project: Name = "*"
    reads: Annotated[int, Field(ge=0, lt=2**31)] = 0
    queued: Amount = 0.0
    submitted: Amount = 0.0
    running: Amount = 0.0
    queue: Annotated[int, Field(ge=0, lt=2**63)] = 0
    compiling: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.rule()
        return self

    def rule(self) -> ProgressRule:
        """Return the rule."""
        jobs = self.model_dump(include={"job", "project"})
        progress = self.model_dump(exclude={"job", "project"})
        return ProgressRule(Progress(**progress), **jobs)


class NewFault(RootModel[Fault]):
    """The parameters of :class:`local_cloud.Fault`."""


class Scenario(BaseModel):
    """What a file says about the time that jobs take and about faults."""

    model_config = ConfigDict(extra="forbid")

    progress: list[NewProgress] = []
    faults: list[NewFault] = []


class ClockAdvance(BaseModel):
    """By how much to move the server's clock."""

    seconds: Annotated[float, Field(ge=0, le=_TEN_YEARS)]
