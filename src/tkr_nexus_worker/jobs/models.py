"""Jobs as values: what functions return, workflows carry and commands print as JSON.

They are pydantic models because Tierkreis writes models as plain JSON objects and reads
them back by name; in Python, ``Job(**output)`` reads an output. The module imports
neither qnexus nor pytket. Later versions add fields and neither rename nor remove any.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    PlainSerializer,
    PrivateAttr,
    ValidationInfo,
    field_validator,
)

from tkr_nexus_worker.nexus.states import JobState, Phase, job_state
from tkr_runtime.times import read_moment

if TYPE_CHECKING:
    from qnexus.models.references import JobRef


def _read_moment(moment: object) -> object:
    return read_moment(moment) if isinstance(moment, str) else moment


type Moment = Annotated[AwareDatetime, BeforeValidator(_read_moment)]
"""A time with its zone; Nexus means UTC where it writes none."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


def _read_state(state: object) -> JobState:
    return state if isinstance(state, JobState) else job_state(str(state))


class Status(_Value):
    """The status of a job or of one of its items at one moment.

    :param state: The state as Nexus spells it, with its meaning.
    :param message: What Nexus says about it; may be empty.
    :param error_detail: What went wrong, where Nexus reports it.
    :param queue_position: The place in the queue, where Nexus reports it.
    :param cost: The cost so far in HQC, where Nexus reports it.
    :param times: When each state was entered, by its name in lower case.
    """

    state: Annotated[
        InstanceOf[JobState],
        BeforeValidator(_read_state),
        PlainSerializer(str, return_type=str),
    ]
    # Derived from the state, and a field all the same: programs read it from the JSON.
    phase: Phase = Field(default=Phase.WAITING, validate_default=True)
    message: str = ""
    error_detail: str | None = None
    queue_position: int | None = None
    cost: float | None = None
    times: dict[str, Moment] = Field(default_factory=dict)

    @field_validator("phase", mode="before")
    @classmethod
    def _derive_phase(cls, _phase: object, info: ValidationInfo) -> Phase:
        phase: Phase = info.data["state"].phase
        return phase

    @property
    def is_final(self) -> bool:
        """Whether this state lasts unless a person acts."""
        return self.state.is_final

    @property
    def reason(self) -> str:
        """What Nexus says about the state, without a full stop; may be empty."""
        return "; ".join(
            text.strip().rstrip(".")
            for text in (self.message, self.error_detail)
            if text
        )

    @property
    def summary(self) -> str:
        """The state and the place in the queue: ``QUEUED, queue position 3``."""
        if self.queue_position is None or self.is_final:
            return self.state.name
        return f"{self.state.name}, queue position {self.queue_position}"

    def __str__(self) -> str:
        texts = (self.message, self.error_detail)
        return ", ".join([self.summary, *(text for text in texts if text)])


class JobStatus(Status):
    """The status of a job at one moment.

    :param job_id: The id of the job.
    :param name: The name of the job.
    :param project: The name of the project of the job.
    """

    job_id: str
    name: str
    project: str


class JobItem(Status):
    """One program of a job.

    :param index: The place of the program in the job, from 0.
    :param program_id: The id of the program.
    :param program_name: The name of the program, where it was looked up.
    :param program_type: ``circuit``, ``hugr`` or ``qir``.
    :param n_shots: The number of shots requested, where there is one.
    :param result_id: The id of the result, where there is one.
    :param result_type: ``PYTKET`` or ``QSYS``, where there is a result.
    :param compilation_id: The id of what a compile job made of it, where it did.
    """

    index: int
    program_id: str
    program_name: str | None = None
    program_type: str
    n_shots: int | None = None
    result_id: str | None = None
    result_type: str | None = None
    compilation_id: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the program ran all its shots, or was compiled, and has a result."""
        outcome = self.result_id or self.compilation_id
        return self.state.phase is Phase.SUCCEEDED and outcome is not None


class JobEvent(_Value):
    """A change of a job or of one of its items.

    :param time: When it happened.
    :param subject: ``job``, or ``item`` with the index of the item.
    :param state: The state that was entered, in lower case.
    :param message: What Nexus says about the latest state; empty for earlier ones.
    """

    time: Moment
    subject: str
    state: str
    message: str = ""


class Job(JobStatus):
    """A job as Nexus knows it, without its programs and results.

    Nexus lists jobs without their items: in a list ``items`` and ``log`` are empty.

    :param job_type: ``execute``, or ``compile`` for a job that compiles programs and
        runs none.
    :param backend: The name of the system that the job is for, where Nexus reports it.
    :param created: When the job was submitted.
    :param items_done: How many items have ended, in any way; None where the items were
        not read.
    :param items_total: How many items there are; None where the items were not read.
    :param nexus_url: The address of Nexus.
    :param description: The description of the job; may be empty.
    :param project_id: The id of the project.
    :param modified: When the job last changed.
    :param backend_config: Where and how the job runs.
    :param items: The programs, in the order in which they were submitted.
    :param log: What happened to the job and its items, in order of time.
    """

    job_type: str = "execute"
    backend: str | None = None
    created: Moment
    items_done: int | None = None
    items_total: int | None = None
    nexus_url: str = ""
    description: str = ""
    project_id: str
    modified: Moment
    backend_config: dict[str, Any] = Field(default_factory=dict)
    items: list[JobItem] = Field(default_factory=list)
    log: list[JobEvent] = Field(default_factory=list)

    # What Nexus wrote, for references and options; no part of the value.
    _source: dict[str, Any] = PrivateAttr(default_factory=dict)
    _make_ref: "Callable[[], JobRef] | None" = PrivateAttr(default=None)

    def __eq__(self, other: object) -> bool:
        """Compare the fields alone: a job read from JSON makes no reference."""
        return type(self) is type(other) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    @property
    def id(self) -> str:
        """The id of the job, as references of qnexus name it."""
        return self.job_id

    @property
    def status(self) -> JobStatus:
        """The status of the job alone."""
        return JobStatus(
            **{name: getattr(self, name) for name in JobStatus.model_fields}
        )

    @property
    def compiles(self) -> bool:
        """Whether it is a job that compiles programs and runs none."""
        return self.job_type == "compile"

    @property
    def failed_items(self) -> list[JobItem]:
        """The items without a complete result."""
        return [item for item in self.items if not item.succeeded]

    def ref(self) -> "JobRef":
        """Return a reference to the job, for functions of qnexus and this package.

        :raises ValueError: If the job was not read from Nexus but from a file.
        """
        if self._make_ref is None:
            raise ValueError(f"Job {self.job_id} was not read from Nexus; look it up.")
        return self._make_ref()

    @property
    def definition(self) -> dict[str, Any]:
        """What was submitted, as Nexus writes it; empty where it was not read."""
        definition: dict[str, Any] = self._source.get("definition", {})
        return definition

    def with_source(
        self, attributes: dict[str, Any], make_ref: "Callable[[], JobRef]"
    ) -> "Job":
        """Return the same job with what Nexus wrote of it.

        :param attributes: The attributes of the job.
        :param make_ref: Returns a reference to the job.
        """
        job = self.model_copy()
        job._source, job._make_ref = attributes, make_ref  # noqa: SLF001 (its own)
        return job


class PayloadProgram(_Value):
    """One program that was submitted.

    :param index: The place of the program in the job, from 0.
    :param program_id: The id of the program.
    :param program_type: ``circuit``, ``hugr`` or ``qir``.
    :param name: The name of the program.
    :param n_shots: The number of shots requested, where there is one.
    :param options: Further options of this program, such as ``max_cost`` in HQC.
    :param circuit: ``Circuit.to_dict()`` of a circuit; None for other programs.
    :param content: The bytes of a HUGR package or of QIR in base64; None for circuits.
    """

    index: int
    program_id: str
    program_type: str
    name: str
    n_shots: int | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    circuit: dict[str, Any] | None = None
    content: str | None = None


class JobPayload(_Value):
    """What was submitted as a job.

    :param job_id: The id of the job.
    :param name: The name of the job.
    :param project: The name of the project.
    :param backend: The name of the system that the job is for, where Nexus reports it.
    :param backend_config: Where and how the job runs.
    :param options: Further options of the job, such as ``language``.
    :param programs: The programs, in the order of the items.
    """

    job_id: str
    name: str
    project: str
    backend: str | None = None
    backend_config: dict[str, Any]
    options: dict[str, Any]
    programs: list[PayloadProgram]


class WaitProgress(_Value):
    """The progress of a wait for a job.

    :param status: The status of the job.
    :param waited_seconds: The time since the wait began, in seconds.
    :param starts_in_seconds: The estimated time until the job leaves the queue, in
        seconds; None where there is no estimate.
    """

    status: JobStatus
    waited_seconds: float
    starts_in_seconds: float | None = None


# Names of earlier versions, which programs and stored graphs may import.
StatusReport = Status
JobStatusReport = JobStatus
JobSummary = Job
JobDetails = Job
JobItemReport = JobItem
