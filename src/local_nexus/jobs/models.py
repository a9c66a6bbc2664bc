"""The bodies of requests about jobs."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, StrictInt, model_validator

from local_cloud.web.models import Amount, FieldError, Name
from local_nexus.api.models import Annotations
from local_nexus.devices.models import BackendConfig
from local_nexus.jobs.states import JobState

# Backends that return a state, not shots.
STATE_CONFIGS = ("AerStateConfig", "AerUnitaryConfig")


class ExecuteItem(BaseModel):
    """One program to run."""

    program_id: str
    n_shots: Annotated[StrictInt, Field(ge=1)] | None = None
    max_cost: Amount | None = None
    n_qubits: Annotated[StrictInt, Field(ge=1)] | None = None


class CompileItem(BaseModel):
    """One circuit to compile."""

    program_id: str


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


class Retry(BaseModel):
    """Which items of a job to run again."""

    remote_retry_strategy: Literal["FULL_RESTART"] = "FULL_RESTART"
    retry_status: Annotated[list[JobState], Field(min_length=1)] = ["ERROR"]
    user_group: str | None = None


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
