"""Jobs as values: what functions return, workflows carry and commands print as JSON.

Later versions add fields and neither rename nor remove any.
"""

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    PlainSerializer,
    ValidationInfo,
    field_validator,
)

from tkr_lightworks_worker.artemis.states import JobState, Phase, job_state


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


def _read_state(state: object) -> JobState:
    return state if isinstance(state, JobState) else job_state(str(state))


type State = Annotated[
    InstanceOf[JobState],
    BeforeValidator(_read_state),
    PlainSerializer(str, return_type=str),
]


class JobRef(_Value):
    """A reference to a job.

    :param job_id: The id of the job.
    :param name: The name under which it was submitted, where that is known; the worker
        adds a digest in brackets.
    :param qpu_name: The name of the QPU, where that is known.
    :param url: The address of Artemis.
    """

    job_id: int
    name: str = ""
    qpu_name: str = ""
    url: str = ""


class JobStatus(_Value):
    """The status of a job at one moment.

    :param job_id: The id of the job.
    :param name: The name of the job, where it is known.
    :param state: The state as Artemis spells it, with its meaning.
    :param phase: ``waiting``, ``succeeded`` or ``failed``, derived from the state.
    :param queue_position: The place in the queue, while the job is scheduled.
    :param notes: What Artemis says about the execution; may be empty.
    """

    job_id: int
    name: str = ""
    state: State
    # Derived from the state, and a field all the same: programs read it from the JSON.
    phase: Phase = Field(default=Phase.WAITING, validate_default=True)
    queue_position: int | None = None
    notes: str = ""

    @field_validator("phase", mode="before")
    @classmethod
    def _derive_phase(cls, _phase: object, info: ValidationInfo) -> Phase:
        # There is no state where its own validation failed.
        state: JobState = info.data.get("state", job_state("Accepted"))
        return state.phase

    @property
    def is_final(self) -> bool:
        """Whether this state lasts unless a person acts."""
        return self.state.is_final

    @property
    def summary(self) -> str:
        """The state and the place in the queue: ``Scheduled, queue position 3``."""
        if self.queue_position is None or self.is_final:
            return self.state.name
        return f"{self.state.name}, queue position {self.queue_position}"

    def __str__(self) -> str:
        return ", ".join(filter(None, [self.summary, self.notes]))


class JobEvent(_Value):
    """A line of the log that Artemis keeps of a job.

    :param time: When it was written, as Artemis writes it.
    :param state: The state at that time.
    :param message: What happened.
    :param compilation_errors: Why the circuit could not be compiled, if so.
    """

    time: str = ""
    state: str = ""
    message: str = ""
    compilation_errors: list[str] = Field(default_factory=list)


class Job(JobStatus):
    """A job as Artemis knows it, without its payload and results.

    :param qpu_name: The name of the QPU, where it is known.
    :param url: The address of Artemis.
    :param created: When the job was submitted, as Artemis writes it.
    :param updated: When it last changed, as Artemis writes it.
    :param log: What happened to it, in the order of Artemis.
    """

    qpu_name: str = ""
    url: str = ""
    created: str = ""
    updated: str = ""
    log: list[JobEvent] = Field(default_factory=list)

    @property
    def compilation_errors(self) -> list[str]:
        """Why the circuit could not be compiled; empty if it could be."""
        return [error for event in self.log for error in event.compilation_errors]

    @property
    def status(self) -> JobStatus:
        """The status of the job alone."""
        return JobStatus(**{it: getattr(self, it) for it in JobStatus.model_fields})

    def ref(self) -> JobRef:
        """Return a reference to the job."""
        return JobRef(
            job_id=self.job_id, name=self.name, qpu_name=self.qpu_name, url=self.url
        )


class JobPayload(_Value):
    """What was submitted as a job; Artemis does not give it back, receipts keep it.

    :param job_id: The id of the job.
    :param name: The name of the job.
    :param qpu_name: The name of the QPU.
    :param url: The address of Artemis.
    :param payload: The payload as it was sent.
    :param receipt: The file in which it was found.
    """

    job_id: int
    name: str
    qpu_name: str
    url: str
    payload: dict[str, Any]
    receipt: str = ""


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
