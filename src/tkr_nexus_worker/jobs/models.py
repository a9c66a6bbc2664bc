"""What is known of jobs, as values that workflows carry and commands print as JSON.

They are pydantic models because Tierkreis writes models as plain JSON objects and reads
them back by name; in Python, ``JobDetails(**output)`` reads an output. The module
imports neither qnexus nor pytket. Fields are added in later versions, never renamed.
"""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

type PhaseName = Literal["waiting", "succeeded", "failed"]
"""Whether to go on waiting, to fetch results, or to give up."""


class _Report(BaseModel):
    model_config = ConfigDict(frozen=True)


class StatusReport(_Report):
    """Where a job or one of its items stands at one moment.

    :param state: Its state, as Nexus spells it.
    :param phase: What the state means; one that this version does not know is
        ``waiting``.
    :param message: What Nexus says about it; may be empty.
    :param error_detail: What went wrong, where Nexus tells.
    :param queue_position: Its place in the queue, where Nexus tells.
    :param cost: What it has cost so far in HQC, where Nexus tells.
    :param times: When it entered each state, by the lower-case name of the state.
    """

    state: str
    phase: PhaseName
    message: str = ""
    error_detail: str | None = None
    queue_position: int | None = None
    cost: float | None = None
    times: dict[str, AwareDatetime] = Field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        """Whether it stays in this state unless a person acts."""
        return self.phase != "waiting"


class JobStatusReport(StatusReport):
    """Where a job stands at one moment.

    :param job_id: The id of the job.
    :param name: Its name.
    :param project: The name of its project.
    """

    job_id: str
    name: str
    project: str


class JobSummary(JobStatusReport):
    """One line of a list of jobs.

    :param backend: The system that it is for, where Nexus tells.
    :param created: When it was submitted.
    :param items_done: How many of its items have ended, in any way; None where that was
        not asked for.
    :param items_total: How many items it has; None where that was not asked for.
    """

    backend: str | None = None
    created: AwareDatetime
    items_done: int | None = None
    items_total: int | None = None


class JobItemReport(StatusReport):
    """One program of a job.

    :param index: Its place among the programs of the job, from 0.
    :param program_id: The id of the program.
    :param program_type: ``circuit``, ``hugr`` or ``qir``.
    :param n_shots: The number of shots asked for, where there is one.
    :param result_id: The id of its result, where there is one.
    """

    index: int
    program_id: str
    program_type: str
    n_shots: int | None = None
    result_id: str | None = None


class JobEvent(_Report):
    """Something that happened to a job.

    :param time: When.
    :param subject: ``job``, or ``item`` with the index of the item.
    :param state: The state that it entered, in lower case.
    :param message: What Nexus says about that; only of the latest state.
    """

    time: AwareDatetime
    subject: str
    state: str
    message: str = ""


class JobDetails(JobSummary):
    """Everything that Nexus tells of a job, its programs and results excepted.

    :param description: Its description; may be empty.
    :param project_id: The id of its project.
    :param modified: When it was changed last.
    :param backend_config: Where and how it runs.
    :param items: Its programs, in the order in which they were submitted.
    :param log: What happened to it and to its items, in the order of time.
    """

    description: str = ""
    project_id: str
    modified: AwareDatetime
    backend_config: dict[str, Any]
    items: list[JobItemReport]
    log: list[JobEvent]


class PayloadProgram(_Report):
    """One program that was submitted.

    :param index: Its place among the programs of the job, from 0.
    :param program_id: Its id on Nexus.
    :param program_type: ``circuit``, ``hugr`` or ``qir``.
    :param name: Its name on Nexus.
    :param n_shots: The number of shots asked for, where there is one.
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


class JobPayload(_Report):
    """What was submitted as a job.

    :param job_id: The id of the job.
    :param name: Its name.
    :param project: The name of its project.
    :param backend: The system that it is for, where Nexus tells.
    :param backend_config: Where and how it runs.
    :param options: Further options of the job, such as ``language``.
    :param programs: What it runs, in the order of the items.
    """

    job_id: str
    name: str
    project: str
    backend: str | None = None
    backend_config: dict[str, Any]
    options: dict[str, Any]
    programs: list[PayloadProgram]


class WaitProgress(_Report):
    """How the wait for a job goes.

    :param status: Where the job stands.
    :param waited_seconds: How long it has been waited for, in seconds.
    :param starts_in_seconds: When it will leave the queue, from its place and the pace
        of the queue so far, in seconds; None where that cannot be told.
    """

    status: JobStatusReport
    waited_seconds: float
    starts_in_seconds: float | None = None


class AccountReport(_Report):
    """Who is logged in, and where.

    :param user_id: The id of the user.
    :param display_name: The name that Nexus shows.
    :param email: The e-mail address, where Nexus tells.
    :param nexus_url: The address of Nexus.
    :param login_seconds_left: How long the login lasts, in seconds.
    :param login_files: Where it is stored; empty if it is kept in memory alone.
    """

    user_id: str
    display_name: str
    email: str | None = None
    nexus_url: str
    login_seconds_left: float
    login_files: list[str]


class Check(_Report):
    """What was found of one thing that may be wrong.

    :param name: What was looked at.
    :param outcome: ``ok``; ``warning`` where something is worth mending; ``failure``
        where something does not work.
    :param finding: What was found.
    :param remedy: How to mend it; may be empty.
    """

    name: str
    outcome: Literal["ok", "warning", "failure"]
    finding: str
    remedy: str = ""
