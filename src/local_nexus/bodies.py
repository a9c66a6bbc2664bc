"""The bodies of requests, checked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    RootModel,
    StrictBool,
    StrictInt,
    ValidationError,
    model_validator,
)

from local_nexus.errors import ApiError
from local_nexus.faults import Fault
from local_nexus.progress import Progress, ProgressRule
from local_nexus.simulators.devices import PropertyName

_INT_LIMIT = 2**63
_TEN_YEARS = 10 * 365 * 86_400.0
_DEFINITIONS = ("execute_job_definition", "compile_job_definition")
# Backends that return a state, not shots.
STATE_CONFIGS = ("AerStateConfig", "AerUnitaryConfig")

type JobStatus = Literal[
    "COMPLETED",
    "QUEUED",
    "SUBMITTED",
    "RUNNING",
    "CANCELLED",
    "ERROR",
    "CANCELLING",
    "RETRYING",
    "TERMINATED",
    "DEPLETED",
]
Name = Annotated[str, Field(min_length=1, max_length=1000)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _property_value(value: object) -> object:
    """Check a value by hand: a union would blame each of its types in turn."""
    finite = not isinstance(value, float) or math.isfinite(value)
    if isinstance(value, bool | str | float) and finite:
        return value
    if isinstance(value, int) and abs(value) < _INT_LIMIT:
        return value
    raise ValueError("a property is a bool, an int of 64 bits, a finite float or text")


PropertyValue = Annotated[
    bool | int | float | str,
    PlainValidator(
        _property_value,
        json_schema_input_type=bool | int | float | str,
    ),
]


class FieldError(ValueError):
    """A value that does not go with others.

    :param path: from the model that finds it to the field that is to blame.
    :param reason: why.
    """

    def __init__(self, path: Sequence[str], reason: str) -> None:
        super().__init__(reason)
        self.path = path


class Annotations(BaseModel):
    """What a user writes about a new resource."""

    name: Name
    description: str | None = None
    properties: dict[str, PropertyValue] = Field(default_factory=dict)


ANNOTATIONS = set(Annotations.model_fields)


class AnnotationChanges(BaseModel):
    """What a user changes; what is not given or null stays as it is.

    So do properties where none are given: the client then sends an empty object.
    """

    name: Name | None = None
    description: str | None = None
    properties: Annotated[
        dict[str, PropertyValue] | None, AfterValidator(lambda given: given or None)
    ] = None


class ProjectChanges(AnnotationChanges):
    """Changes of a project."""

    archived: bool | None = None


class CircuitAttributes(Annotations):
    """Annotations with a circuit beside them, as ``pytket.Circuit.to_dict`` gives it.

    Whether it is a circuit in all details is for the simulators to judge.
    """

    model_config = ConfigDict(extra="allow")

    @model_validator(mode="after")
    def _circuit(self) -> Self:
        for name in ("qubits", "bits", "commands"):
            if not isinstance((self.model_extra or {}).get(name), list):
                raise FieldError((name,), "a circuit has a list of these")
        return self


class ContentAttributes(Annotations):
    """Annotations with contents in base64."""

    contents: str


class Identifier(BaseModel):
    """A reference to a resource."""

    id: str
    type: str = ""


class Relationship(BaseModel):
    """A relationship with one resource."""

    data: Identifier


class InProject(BaseModel):
    """The relationships of what belongs to a project."""

    project: Relationship


class ResourceData[A](BaseModel):
    """A new resource in a project."""

    attributes: A
    relationships: InProject


class NewInProject[A](BaseModel):
    """The body that adds a resource to a project."""

    data: ResourceData[A]


class ChangeData[A](BaseModel):
    """A resource without relationships."""

    attributes: A


class Change[A](BaseModel):
    """The body that changes a resource, or adds one outside of projects."""

    data: ChangeData[A]


AnnotationsChange = Change[AnnotationChanges]


class PropertyDefinition(BaseModel):
    """The definition of a property of all that a project contains."""

    name: Name
    description: str | None = None
    property_type: Literal["bool", "int", "float", "string"]
    required: StrictBool = False
    color: str | None = None


class TeamAttributes(BaseModel):
    """A new team."""

    name: Name
    display_name: str | None = None
    description: str | None = None


class TeamAssignment(BaseModel):
    """A role for a team."""

    resource_id: str
    role_id: str
    team_id: str


class UserAssignment(BaseModel):
    """A role for a user."""

    resource_id: str
    role_id: str
    for_user_id: str


class ExecuteItem(BaseModel):
    """One program to run."""

    program_id: str
    n_shots: Annotated[StrictInt, Field(ge=1)] | None = None
    max_cost: Amount | None = None
    n_qubits: Annotated[StrictInt, Field(ge=1)] | None = None


class CompileItem(BaseModel):
    """One circuit to compile."""

    program_id: str


class BackendConfig(BaseModel):
    """Where a job runs; its options are for the simulator to judge."""

    model_config = ConfigDict(extra="allow")

    type: Literal[
        "AerConfig",
        "AerStateConfig",
        "AerUnitaryConfig",
        "BraketConfig",
        "HeliosConfig",
        "IBMQConfig",
        "IBMQEmulatorConfig",
        "QuantinuumConfig",
        "QulacsConfig",
        "SeleneConfig",
        "SelenePlusConfig",
    ]


class ExecuteDefinition(BaseModel):
    """What an execute job does."""

    job_definition_type: Literal["execute_job_definition"]
    backend_config: BackendConfig
    user_group: str | None = None
    target_region: str | None = None
    valid_check: bool = True
    language: Literal["AUTO", "OPENQASM 2.0", "QIR 1.0"] = "AUTO"
    wasm_module_id: str | None = None
    gpu_decoder_config_id: str | None = None
    credential_name: str | None = None
    items: Annotated[list[ExecuteItem], Field(min_length=1)]

    @model_validator(mode="after")
    def _shots_where_counted(self) -> Self:
        without = [number for number, it in enumerate(self.items) if it.n_shots is None]
        if without and self.backend_config.type not in STATE_CONFIGS:
            reason = f"{self.backend_config.type} counts shots, so say how many"
            raise FieldError(("items", str(without[0]), "n_shots"), reason)
        return self


class CompileDefinition(BaseModel):
    """What a compile job does."""

    job_definition_type: Literal["compile_job_definition"]
    backend_config: BackendConfig
    user_group: str | None = None
    hypertket_config: dict[str, Any] | None = None
    optimisation_level: Annotated[StrictInt, Field(ge=0, le=3)] = 2
    credential_name: str | None = None
    skip_store_intermediate_passes: bool = True
    items: Annotated[list[CompileItem], Field(min_length=1)]


class JobAttributes(Annotations):
    """A new job."""

    job_type: Literal["execute", "compile"]
    definition: Annotated[
        ExecuteDefinition | CompileDefinition,
        Field(discriminator="job_definition_type"),
    ]

    @model_validator(mode="after")
    def _one_type(self) -> Self:
        if self.definition.job_definition_type != f"{self.job_type}_job_definition":
            raise ValueError(
                f"the job is of type {self.job_type}, its definition is "
                f"{self.definition.job_definition_type}"
            )
        return self


class Login(BaseModel):
    """The login by password."""

    email: str
    password: str


class MfaAnswer(BaseModel):
    """The second step of a login by password."""

    email: str
    code: str


class MfaCode(BaseModel):
    """The code that a user's logins need; null for none."""

    code: Name | None


class Retry(BaseModel):
    """Which items of a job to run again."""

    remote_retry_strategy: Literal["FULL_RESTART"] = "FULL_RESTART"
    retry_status: Annotated[list[JobStatus], Field(min_length=1)] = ["ERROR"]
    user_group: str | None = None


class CredentialFilter(BaseModel):
    """Which credentials to show."""

    issuer: str | None = None


class BackendProperty(BaseModel):
    """A question about a backend."""

    backend_config: BackendConfig
    property: PropertyName


class NewUser(BaseModel):
    """A further user of an instance."""

    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    password: Name
    display_name: str | None = None


class Limit(BaseModel):
    """How much a user may use; null for no limit."""

    limit: Amount | None


class NewCredential(BaseModel):
    """A credential of a provider, without its secret."""

    name: Name
    issuer: Literal["Quantinuum", "Qiskit", "Braket"]


class ForcedStatus(BaseModel):
    """A state set by hand."""

    status: Name
    message: str = ""
    error_detail: str | None = None
    item: Annotated[int, Field(ge=0, lt=2**31)] | None = None


class RuntimeTraces(BaseModel):
    """The traces of a job item, one for each shot."""

    item: Annotated[int, Field(ge=0, lt=2**31)] = 0
    shots: list[dict[str, Any]]


class NewProgress(BaseModel):
    """The parameters of :class:`local_nexus.Progress`, and the jobs they are for."""

    model_config = ConfigDict(extra="forbid")

    job: Name = "*"
    project: Name = "*"
    reads: Annotated[int, Field(ge=0, lt=2**31)] = 0
    queued: Amount = 0.0
    submitted: Amount = 0.0
    running: Amount = 0.0
    queue: Annotated[int, Field(ge=0, le=_INT_LIMIT)] = 0

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
    """The parameters of :class:`local_nexus.Fault`."""


class Scenario(BaseModel):
    """What a file says about the time that jobs take and about faults."""

    model_config = ConfigDict(extra="forbid")

    progress: list[NewProgress] = []
    faults: list[NewFault] = []


class ClockAdvance(BaseModel):
    """By how much to move the server's clock."""

    seconds: Annotated[float, Field(ge=0, le=_TEN_YEARS)]


def parse[M: BaseModel](model: type[M], body: bytes) -> M:
    """Read a body.

    :raises ApiError: 422, naming the field that is wrong and why.
    """
    if b"\\u0000" in body:
        # PostgreSQL cannot store this character, and SQLite should not differ.
        raise ApiError(422, "body: the character NUL is not allowed.", field="body")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        # The name of the chosen kind of definition is no part of the path to it.
        parts = [str(part) for part in first["loc"] if part not in _DEFINITIONS]
        parts += _further_path(first.get("ctx", {}))
        field = ".".join(parts) or "body"
        reason = first["msg"].removeprefix("Value error, ")
        raise ApiError(422, f"{field}: {reason}.", field=field) from None


def _further_path(context: dict[str, Any]) -> Sequence[str]:
    """Return where below the place that pydantic names the wrong field is."""
    if "discriminator" in context:
        return [context["discriminator"].strip("'")]
    cause = context.get("error")
    return cause.path if isinstance(cause, FieldError) else []
