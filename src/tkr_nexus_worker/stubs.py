"""Code generated from nexus_worker namespace. Please do not edit."""

# ruff: noqa: F821
from types import NoneType
from typing import NamedTuple, Union

from tierkreis.controller.data.models import TKR, OpaqueType


class Measurements(NamedTuple):
    circuits: TKR[list[OpaqueType["pytket._tket.circuit.Circuit"]]]
    n_shots: TKR[list[int]]
    setup: TKR[OpaqueType["pytket._tket.partition.MeasurementSetup"]]


class ExpectationValues(NamedTuple):
    standard_errors: TKR[list[float]]
    values: TKR[list[float]]


class AttemptOutcome(NamedTuple):
    attempt: TKR[int]
    items: TKR[list[OpaqueType["tkr_nexus_worker.jobs.items.ItemResult"]]]
    should_continue: TKR[bool]


class JobChange(NamedTuple):
    is_unfinished: TKR[bool]
    status: TKR[str]


class PartsProgress(NamedTuple):
    failed_jobs: TKR[list[OpaqueType["tkr_nexus_worker.jobs.runs.PartJob"]]]
    may_submit: TKR[bool]
    next_part: TKR[int]
    outcomes: TKR[str]
    part_jobs: TKR[list[OpaqueType["tkr_nexus_worker.jobs.runs.PartJob"]]]
    should_continue: TKR[bool]
    status: TKR[str]


class StreamProgress(NamedTuple):
    arrivals: TKR[str]
    failed_jobs: TKR[list[OpaqueType["tkr_nexus_worker.jobs.runs.PartJob"]]]
    has_arrivals: TKR[bool]
    may_submit: TKR[bool]
    next_part: TKR[int]
    part_jobs: TKR[list[OpaqueType["tkr_nexus_worker.jobs.runs.PartJob"]]]
    should_continue: TKR[bool]
    status: TKR[str]


class upload_circuit(NamedTuple):
    project_name: TKR[str]
    circ: TKR[OpaqueType["pytket._tket.circuit.Circuit"]]

    @staticmethod
    def out() -> type[
        TKR[
            Union[
                OpaqueType["qnexus.models.references.CircuitRef"],
                OpaqueType["qnexus.models.references.HUGRRef"],
                OpaqueType["qnexus.models.references.QIRRef"],
            ]
        ]
    ]:
        return TKR[
            Union[
                OpaqueType["qnexus.models.references.CircuitRef"],
                OpaqueType["qnexus.models.references.HUGRRef"],
                OpaqueType["qnexus.models.references.QIRRef"],
            ]
        ]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class start_execute_job(NamedTuple):
    project_name: TKR[str]
    job_name: TKR[str]
    circuits: TKR[
        list[
            Union[
                OpaqueType["qnexus.models.references.CircuitRef"],
                OpaqueType["qnexus.models.references.HUGRRef"],
                OpaqueType["qnexus.models.references.QIRRef"],
            ]
        ]
    ]
    n_shots: TKR[list[int]]
    backend_config: TKR[
        Union[
            OpaqueType["quantinuum_schemas.models.backend_config.AerConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerStateConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerUnitaryConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.BraketConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QuantinuumConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQEmulatorConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QulacsConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SeleneConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SelenePlusConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.HeliosConfig"],
        ]
    ]
    n_qubits: TKR[Union[list[int], NoneType]] | None = None
    max_cost: TKR[Union[list[float], NoneType]] | None = None
    wasm_module: (
        TKR[Union[OpaqueType["qnexus.models.references.WasmModuleRef"], NoneType]]
        | None
    ) = None
    gpu_decoder_config: (
        TKR[Union[OpaqueType["qnexus.models.references.GpuDecoderConfigRef"], NoneType]]
        | None
    ) = None
    max_job_cost: TKR[Union[float, NoneType]] | None = None
    budget: (
        TKR[Union[OpaqueType["tkr_runtime.jobs.budget.Budget"], NoneType]] | None
    ) = None

    @staticmethod
    def out() -> type[TKR[OpaqueType["qnexus.models.references.ExecuteJobRef"]]]:
        return TKR[OpaqueType["qnexus.models.references.ExecuteJobRef"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class start_single_job(NamedTuple):
    project_name: TKR[str]
    job_name: TKR[str]
    circuit: TKR[
        Union[
            OpaqueType["qnexus.models.references.CircuitRef"],
            OpaqueType["qnexus.models.references.HUGRRef"],
            OpaqueType["qnexus.models.references.QIRRef"],
        ]
    ]
    n_shots: TKR[int]
    backend_config: TKR[
        Union[
            OpaqueType["quantinuum_schemas.models.backend_config.AerConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerStateConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerUnitaryConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.BraketConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QuantinuumConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQEmulatorConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QulacsConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SeleneConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SelenePlusConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.HeliosConfig"],
        ]
    ]
    max_cost: TKR[Union[float, NoneType]] | None = None
    budget: (
        TKR[Union[OpaqueType["tkr_runtime.jobs.budget.Budget"], NoneType]] | None
    ) = None

    @staticmethod
    def out() -> type[TKR[OpaqueType["qnexus.models.references.ExecuteJobRef"]]]:
        return TKR[OpaqueType["qnexus.models.references.ExecuteJobRef"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class is_running(NamedTuple):
    execute_ref: TKR[OpaqueType["qnexus.models.references.ExecuteJobRef"]]

    @staticmethod
    def out() -> type[TKR[bool]]:
        return TKR[bool]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class get_results(NamedTuple):
    execute_ref: TKR[OpaqueType["qnexus.models.references.ExecuteJobRef"]]
    allow_failed: TKR[bool] | None = None

    @staticmethod
    def out() -> type[
        TKR[list[OpaqueType["pytket.backends.backendresult.BackendResult"]]]
    ]:
        return TKR[list[OpaqueType["pytket.backends.backendresult.BackendResult"]]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class upload_hugr(NamedTuple):
    hugr_package: TKR[OpaqueType["hugr.package.Package"]]
    project_name: TKR[str]
    name: TKR[Union[str, NoneType]] | None = None

    @staticmethod
    def out() -> type[TKR[OpaqueType["qnexus.models.references.HUGRRef"]]]:
        return TKR[OpaqueType["qnexus.models.references.HUGRRef"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class upload_qir(NamedTuple):
    qir: TKR[bytes]
    project_name: TKR[str]
    name: TKR[Union[str, NoneType]] | None = None

    @staticmethod
    def out() -> type[TKR[OpaqueType["qnexus.models.references.QIRRef"]]]:
        return TKR[OpaqueType["qnexus.models.references.QIRRef"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class upload_wasm(NamedTuple):
    wasm_module: TKR[bytes]
    project_name: TKR[str]
    name: TKR[Union[str, NoneType]] | None = None

    @staticmethod
    def out() -> type[TKR[OpaqueType["qnexus.models.references.WasmModuleRef"]]]:
        return TKR[OpaqueType["qnexus.models.references.WasmModuleRef"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class upload_gpu_decoder_config(NamedTuple):
    gpu_decoder_config: TKR[str]
    project_name: TKR[str]
    name: TKR[Union[str, NoneType]] | None = None

    @staticmethod
    def out() -> type[TKR[OpaqueType["qnexus.models.references.GpuDecoderConfigRef"]]]:
        return TKR[OpaqueType["qnexus.models.references.GpuDecoderConfigRef"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class prepare_programs(NamedTuple):
    project_name: TKR[str]
    job_name: TKR[str]
    programs: TKR[
        list[
            Union[
                OpaqueType["pytket._tket.circuit.Circuit"],
                OpaqueType["hugr.package.Package"],
                bytes,
            ]
        ]
    ]
    n_shots: TKR[list[int]]
    n_qubits: TKR[Union[list[int], NoneType]]
    max_cost: TKR[Union[list[float], NoneType]]
    backend_config: TKR[
        Union[
            OpaqueType["quantinuum_schemas.models.backend_config.AerConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerStateConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerUnitaryConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.BraketConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QuantinuumConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQEmulatorConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QulacsConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SeleneConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SelenePlusConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.HeliosConfig"],
        ]
    ]
    polling_interval: TKR[float] | None = None
    max_job_cost: TKR[Union[float, NoneType]] | None = None

    @staticmethod
    def out() -> type[TKR[list[OpaqueType["tkr_nexus_worker.jobs.parts.ProgramPart"]]]]:
        return TKR[list[OpaqueType["tkr_nexus_worker.jobs.parts.ProgramPart"]]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class submit_programs(NamedTuple):
    project_name: TKR[str]
    part: TKR[OpaqueType["tkr_nexus_worker.jobs.parts.ProgramPart"]]
    backend_config: TKR[
        Union[
            OpaqueType["quantinuum_schemas.models.backend_config.AerConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerStateConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerUnitaryConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.BraketConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QuantinuumConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQEmulatorConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QulacsConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SeleneConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SelenePlusConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.HeliosConfig"],
        ]
    ]
    wasm_module: (
        TKR[Union[OpaqueType["qnexus.models.references.WasmModuleRef"], NoneType]]
        | None
    ) = None
    gpu_decoder_config: (
        TKR[Union[OpaqueType["qnexus.models.references.GpuDecoderConfigRef"], NoneType]]
        | None
    ) = None
    names: TKR[Union[list[str], NoneType]] | None = None
    budget: (
        TKR[Union[OpaqueType["tkr_runtime.jobs.budget.Budget"], NoneType]] | None
    ) = None

    @staticmethod
    def out() -> type[TKR[OpaqueType["qnexus.models.references.ExecuteJobRef"]]]:
        return TKR[OpaqueType["qnexus.models.references.ExecuteJobRef"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class get_program_shots(NamedTuple):
    execute_ref: TKR[OpaqueType["qnexus.models.references.ExecuteJobRef"]]
    part: (
        TKR[Union[OpaqueType["tkr_nexus_worker.jobs.parts.ProgramPart"], NoneType]]
        | None
    ) = None

    @staticmethod
    def out() -> type[
        TKR[list[OpaqueType["tkr_nexus_worker.results.tagged.ProgramShots"]]]
    ]:
        return TKR[list[OpaqueType["tkr_nexus_worker.results.tagged.ProgramShots"]]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class join_programs(NamedTuple):
    shots: TKR[list[OpaqueType["tkr_nexus_worker.results.tagged.ProgramShots"]]]

    @staticmethod
    def out() -> type[
        TKR[list[OpaqueType["tkr_nexus_worker.results.tagged.ProgramShots"]]]
    ]:
        return TKR[list[OpaqueType["tkr_nexus_worker.results.tagged.ProgramShots"]]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class cost(NamedTuple):
    hugr_ref: TKR[
        Union[
            OpaqueType["qnexus.models.references.HUGRRef"],
            list[OpaqueType["qnexus.models.references.HUGRRef"]],
        ]
    ]
    n_shots: TKR[int]
    project_name: TKR[str]

    @staticmethod
    def out() -> type[TKR[float]]:
        return TKR[float]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class estimate_cost(NamedTuple):
    programs: TKR[
        list[
            Union[
                OpaqueType["pytket._tket.circuit.Circuit"],
                OpaqueType["qnexus.models.references.CircuitRef"],
                OpaqueType["qnexus.models.references.HUGRRef"],
                OpaqueType["qnexus.models.references.QIRRef"],
            ]
        ]
    ]
    n_shots: TKR[list[int]]
    backend_config: TKR[
        Union[
            OpaqueType["quantinuum_schemas.models.backend_config.AerConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerStateConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerUnitaryConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.BraketConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QuantinuumConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQEmulatorConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QulacsConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SeleneConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SelenePlusConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.HeliosConfig"],
        ]
    ]
    project_name: TKR[Union[str, NoneType]] | None = None

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_nexus_worker.costs.estimates.CostEstimate"]]]:
        return TKR[OpaqueType["tkr_nexus_worker.costs.estimates.CostEstimate"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class prepare_job(NamedTuple):
    project_name: TKR[str]
    job_name: TKR[str]
    circuits: TKR[list[OpaqueType["pytket._tket.circuit.Circuit"]]]
    n_shots: TKR[Union[int, list[int]]]
    backend_config: TKR[
        Union[
            OpaqueType["quantinuum_schemas.models.backend_config.AerConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerStateConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerUnitaryConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.BraketConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QuantinuumConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQEmulatorConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QulacsConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SeleneConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SelenePlusConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.HeliosConfig"],
        ]
    ]
    polling_interval: TKR[float] | None = None
    max_cost: TKR[Union[list[float], NoneType]] | None = None
    max_job_cost: TKR[Union[float, NoneType]] | None = None
    budget: (
        TKR[Union[OpaqueType["tkr_runtime.jobs.budget.Budget"], NoneType]] | None
    ) = None

    @staticmethod
    def out() -> type[TKR[str]]:
        return TKR[str]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class prepare_batches(NamedTuple):
    project_name: TKR[str]
    job_name: TKR[str]
    circuits: TKR[list[OpaqueType["pytket._tket.circuit.Circuit"]]]
    n_shots: TKR[Union[int, list[int]]]
    backend_config: TKR[
        Union[
            OpaqueType["quantinuum_schemas.models.backend_config.AerConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerStateConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerUnitaryConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.BraketConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QuantinuumConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQEmulatorConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QulacsConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SeleneConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SelenePlusConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.HeliosConfig"],
        ]
    ]
    polling_interval: TKR[float] | None = None
    max_cost: TKR[Union[list[float], NoneType]] | None = None
    max_job_cost: TKR[Union[float, NoneType]] | None = None
    budget: (
        TKR[Union[OpaqueType["tkr_runtime.jobs.budget.Budget"], NoneType]] | None
    ) = None

    @staticmethod
    def out() -> type[TKR[list[list[OpaqueType["pytket._tket.circuit.Circuit"]]]]]:
        return TKR[list[list[OpaqueType["pytket._tket.circuit.Circuit"]]]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class upload_circuits(NamedTuple):
    project_name: TKR[str]
    circuits: TKR[list[OpaqueType["pytket._tket.circuit.Circuit"]]]

    @staticmethod
    def out() -> type[
        TKR[
            list[
                Union[
                    OpaqueType["qnexus.models.references.CircuitRef"],
                    OpaqueType["qnexus.models.references.HUGRRef"],
                    OpaqueType["qnexus.models.references.QIRRef"],
                ]
            ]
        ]
    ]:
        return TKR[
            list[
                Union[
                    OpaqueType["qnexus.models.references.CircuitRef"],
                    OpaqueType["qnexus.models.references.HUGRRef"],
                    OpaqueType["qnexus.models.references.QIRRef"],
                ]
            ]
        ]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class prepare_compilation(NamedTuple):
    project_name: TKR[str]
    job_name: TKR[str]
    circuits: TKR[list[OpaqueType["pytket._tket.circuit.Circuit"]]]
    backend_config: TKR[
        Union[
            OpaqueType["quantinuum_schemas.models.backend_config.AerConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerStateConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerUnitaryConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.BraketConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QuantinuumConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQEmulatorConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QulacsConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SeleneConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SelenePlusConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.HeliosConfig"],
        ]
    ]
    optimisation_level: TKR[int] | None = None
    target_2qb_gate: TKR[Union[str, NoneType]] | None = None
    n_shots: TKR[Union[list[int], NoneType]] | None = None
    polling_interval: TKR[float] | None = None
    max_cost: TKR[Union[list[float], NoneType]] | None = None
    max_job_cost: TKR[Union[float, NoneType]] | None = None
    budget: (
        TKR[Union[OpaqueType["tkr_runtime.jobs.budget.Budget"], NoneType]] | None
    ) = None

    @staticmethod
    def out() -> type[TKR[list[list[OpaqueType["pytket._tket.circuit.Circuit"]]]]]:
        return TKR[list[list[OpaqueType["pytket._tket.circuit.Circuit"]]]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class start_compile_job(NamedTuple):
    project_name: TKR[str]
    job_name: TKR[str]
    circuits: TKR[
        list[
            Union[
                OpaqueType["qnexus.models.references.CircuitRef"],
                OpaqueType["qnexus.models.references.HUGRRef"],
                OpaqueType["qnexus.models.references.QIRRef"],
            ]
        ]
    ]
    backend_config: TKR[
        Union[
            OpaqueType["quantinuum_schemas.models.backend_config.AerConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerStateConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerUnitaryConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.BraketConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QuantinuumConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQEmulatorConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QulacsConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SeleneConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SelenePlusConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.HeliosConfig"],
        ]
    ]
    optimisation_level: TKR[int] | None = None
    target_2qb_gate: TKR[Union[str, NoneType]] | None = None
    hypertket_config: (
        TKR[
            Union[
                OpaqueType[
                    "quantinuum_schemas.models.hypertket_config.HyperTketConfig"
                ],
                NoneType,
            ]
        ]
        | None
    ) = None
    store_passes: TKR[bool] | None = None

    @staticmethod
    def out() -> type[TKR[OpaqueType["qnexus.models.references.CompileJobRef"]]]:
        return TKR[OpaqueType["qnexus.models.references.CompileJobRef"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class get_compiled_programs(NamedTuple):
    compile_ref: TKR[OpaqueType["qnexus.models.references.CompileJobRef"]]

    @staticmethod
    def out() -> type[
        TKR[
            list[
                Union[
                    OpaqueType["qnexus.models.references.CircuitRef"],
                    OpaqueType["qnexus.models.references.HUGRRef"],
                    OpaqueType["qnexus.models.references.QIRRef"],
                ]
            ]
        ]
    ]:
        return TKR[
            list[
                Union[
                    OpaqueType["qnexus.models.references.CircuitRef"],
                    OpaqueType["qnexus.models.references.HUGRRef"],
                    OpaqueType["qnexus.models.references.QIRRef"],
                ]
            ]
        ]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class compile_locally(NamedTuple):
    circuits: TKR[list[OpaqueType["pytket._tket.circuit.Circuit"]]]
    backend_config: TKR[
        Union[
            OpaqueType["quantinuum_schemas.models.backend_config.AerConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerStateConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerUnitaryConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.BraketConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QuantinuumConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQEmulatorConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QulacsConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SeleneConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SelenePlusConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.HeliosConfig"],
        ]
    ]
    passes: TKR[Union[list[str], NoneType]] | None = None
    target_2qb_gate: TKR[Union[str, NoneType]] | None = None

    @staticmethod
    def out() -> type[TKR[list[OpaqueType["pytket._tket.circuit.Circuit"]]]]:
        return TKR[list[OpaqueType["pytket._tket.circuit.Circuit"]]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class collect_programs(NamedTuple):
    programs: TKR[
        list[
            Union[
                OpaqueType["qnexus.models.references.CircuitRef"],
                OpaqueType["qnexus.models.references.HUGRRef"],
                OpaqueType["qnexus.models.references.QIRRef"],
            ]
        ]
    ]

    @staticmethod
    def out() -> type[
        TKR[
            list[
                Union[
                    OpaqueType["qnexus.models.references.CircuitRef"],
                    OpaqueType["qnexus.models.references.HUGRRef"],
                    OpaqueType["qnexus.models.references.QIRRef"],
                ]
            ]
        ]
    ]:
        return TKR[
            list[
                Union[
                    OpaqueType["qnexus.models.references.CircuitRef"],
                    OpaqueType["qnexus.models.references.HUGRRef"],
                    OpaqueType["qnexus.models.references.QIRRef"],
                ]
            ]
        ]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class wait_for_change(NamedTuple):
    execute_ref: TKR[
        Union[
            OpaqueType["qnexus.models.references.ExecuteJobRef"],
            OpaqueType["qnexus.models.references.CompileJobRef"],
        ]
    ]
    polling_interval: TKR[float]
    known_status: TKR[str] | None = None
    allow_failed: TKR[bool] | None = None

    @staticmethod
    def out() -> type[JobChange]:
        return JobChange

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class await_news(NamedTuple):
    execute_ref: TKR[OpaqueType["qnexus.models.references.ExecuteJobRef"]]
    polling_interval: TKR[float]
    seen: TKR[str] | None = None
    allow_failed: TKR[bool] | None = None

    @staticmethod
    def out() -> type[JobChange]:
        return JobChange

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class get_qsys_shots(NamedTuple):
    execute_ref: TKR[OpaqueType["qnexus.models.references.ExecuteJobRef"]]

    @staticmethod
    def out() -> type[
        TKR[
            list[
                list[
                    list[
                        tuple[
                            str,
                            Union[bool, int, float, list[bool], list[int], list[float]],
                        ]
                    ]
                ]
            ]
        ]
    ]:
        return TKR[
            list[
                list[
                    list[
                        tuple[
                            str,
                            Union[bool, int, float, list[bool], list[int], list[float]],
                        ]
                    ]
                ]
            ]
        ]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class get_item_results(NamedTuple):
    execute_ref: TKR[OpaqueType["qnexus.models.references.ExecuteJobRef"]]

    @staticmethod
    def out() -> type[TKR[list[OpaqueType["tkr_nexus_worker.jobs.items.ItemResult"]]]]:
        return TKR[list[OpaqueType["tkr_nexus_worker.jobs.items.ItemResult"]]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class is_unfinished(NamedTuple):
    execute_ref: TKR[OpaqueType["qnexus.models.references.ExecuteJobRef"]]

    @staticmethod
    def out() -> type[TKR[bool]]:
        return TKR[bool]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class start_attempt(NamedTuple):
    project_name: TKR[str]
    job_name: TKR[str]
    circuits: TKR[
        list[
            Union[
                OpaqueType["qnexus.models.references.CircuitRef"],
                OpaqueType["qnexus.models.references.HUGRRef"],
                OpaqueType["qnexus.models.references.QIRRef"],
            ]
        ]
    ]
    n_shots: TKR[list[int]]
    backend_config: TKR[
        Union[
            OpaqueType["quantinuum_schemas.models.backend_config.AerConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerStateConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerUnitaryConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.BraketConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QuantinuumConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQEmulatorConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QulacsConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SeleneConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SelenePlusConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.HeliosConfig"],
        ]
    ]
    items: TKR[list[OpaqueType["tkr_nexus_worker.jobs.items.ItemResult"]]]
    attempt: TKR[int]
    max_cost: TKR[Union[list[float], NoneType]] | None = None
    budget: (
        TKR[Union[OpaqueType["tkr_runtime.jobs.budget.Budget"], NoneType]] | None
    ) = None

    @staticmethod
    def out() -> type[TKR[OpaqueType["qnexus.models.references.ExecuteJobRef"]]]:
        return TKR[OpaqueType["qnexus.models.references.ExecuteJobRef"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class collect_attempt(NamedTuple):
    execute_ref: TKR[OpaqueType["qnexus.models.references.ExecuteJobRef"]]
    items: TKR[list[OpaqueType["tkr_nexus_worker.jobs.items.ItemResult"]]]
    attempt: TKR[int]
    max_attempts: TKR[int]

    @staticmethod
    def out() -> type[AttemptOutcome]:
        return AttemptOutcome

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class collect_results(NamedTuple):
    job_name: TKR[str]
    items: TKR[list[OpaqueType["tkr_nexus_worker.jobs.items.ItemResult"]]]

    @staticmethod
    def out() -> type[
        TKR[list[OpaqueType["pytket.backends.backendresult.BackendResult"]]]
    ]:
        return TKR[list[OpaqueType["pytket.backends.backendresult.BackendResult"]]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class prepare_parts(NamedTuple):
    project_name: TKR[str]
    job_name: TKR[str]
    circuits: TKR[list[OpaqueType["pytket._tket.circuit.Circuit"]]]
    n_shots: TKR[list[int]]
    backend_config: TKR[
        Union[
            OpaqueType["quantinuum_schemas.models.backend_config.AerConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerStateConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerUnitaryConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.BraketConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QuantinuumConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQEmulatorConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QulacsConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SeleneConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SelenePlusConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.HeliosConfig"],
        ]
    ]
    max_programs: TKR[int]
    max_bytes: TKR[int]
    max_cost: TKR[Union[float, NoneType]] | None = None
    polling_interval: TKR[float] | None = None
    max_program_cost: TKR[Union[list[float], NoneType]] | None = None
    max_job_cost: TKR[Union[float, NoneType]] | None = None

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_nexus_worker.jobs.runs.PartPlan"]]]:
        return TKR[OpaqueType["tkr_nexus_worker.jobs.runs.PartPlan"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class submit_part(NamedTuple):
    project_name: TKR[str]
    job_name: TKR[str]
    backend_config: TKR[
        Union[
            OpaqueType["quantinuum_schemas.models.backend_config.AerConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerStateConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerUnitaryConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.BraketConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QuantinuumConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQEmulatorConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QulacsConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SeleneConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SelenePlusConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.HeliosConfig"],
        ]
    ]
    plan: TKR[OpaqueType["tkr_nexus_worker.jobs.runs.PartPlan"]]
    part_jobs: TKR[list[OpaqueType["tkr_nexus_worker.jobs.runs.PartJob"]]]
    part: TKR[int]
    budget: (
        TKR[Union[OpaqueType["tkr_runtime.jobs.budget.Budget"], NoneType]] | None
    ) = None

    @staticmethod
    def out() -> type[TKR[list[OpaqueType["tkr_nexus_worker.jobs.runs.PartJob"]]]]:
        return TKR[list[OpaqueType["tkr_nexus_worker.jobs.runs.PartJob"]]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class collect_part(NamedTuple):
    job_name: TKR[str]
    plan: TKR[OpaqueType["tkr_nexus_worker.jobs.runs.PartPlan"]]
    part_jobs: TKR[list[OpaqueType["tkr_nexus_worker.jobs.runs.PartJob"]]]
    failed_jobs: TKR[list[OpaqueType["tkr_nexus_worker.jobs.runs.PartJob"]]]
    next_part: TKR[int]
    outcomes: TKR[str]
    max_jobs: TKR[int]
    polling_interval: TKR[float]
    allow_failed: TKR[bool] | None = None

    @staticmethod
    def out() -> type[PartsProgress]:
        return PartsProgress

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class join_parts(NamedTuple):
    outcomes: TKR[str]

    @staticmethod
    def out() -> type[
        TKR[list[OpaqueType["pytket.backends.backendresult.BackendResult"]]]
    ]:
        return TKR[list[OpaqueType["pytket.backends.backendresult.BackendResult"]]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class list_parts(NamedTuple):
    outcomes: TKR[str]

    @staticmethod
    def out() -> type[
        TKR[list[OpaqueType["tkr_nexus_worker.results.parts.PartOutcome"]]]
    ]:
        return TKR[list[OpaqueType["tkr_nexus_worker.results.parts.PartOutcome"]]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class await_results(NamedTuple):
    job_name: TKR[str]
    plan: TKR[OpaqueType["tkr_nexus_worker.jobs.runs.PartPlan"]]
    part_jobs: TKR[list[OpaqueType["tkr_nexus_worker.jobs.runs.PartJob"]]]
    failed_jobs: TKR[list[OpaqueType["tkr_nexus_worker.jobs.runs.PartJob"]]]
    next_part: TKR[int]
    max_jobs: TKR[int]
    max_results: TKR[int]
    polling_interval: TKR[float]
    allow_failed: TKR[bool] | None = None

    @staticmethod
    def out() -> type[StreamProgress]:
        return StreamProgress

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class take_results(NamedTuple):
    arrivals: TKR[str]

    @staticmethod
    def out() -> type[
        TKR[list[OpaqueType["pytket.backends.backendresult.BackendResult"]]]
    ]:
        return TKR[list[OpaqueType["pytket.backends.backendresult.BackendResult"]]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class take_indices(NamedTuple):
    arrivals: TKR[str]

    @staticmethod
    def out() -> type[TKR[list[int]]]:
        return TKR[list[int]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class keep_outputs(NamedTuple):
    arrivals: TKR[str]
    outputs: TKR[list[str]]
    previous: TKR[str]

    @staticmethod
    def out() -> type[TKR[str]]:
        return TKR[str]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class join_outputs(NamedTuple):
    outputs: TKR[str]

    @staticmethod
    def out() -> type[TKR[list[str]]]:
        return TKR[list[str]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class list_scheduled_jobs(NamedTuple):
    project: TKR[Union[str, NoneType]] | None = None
    limit: TKR[int] | None = None

    @staticmethod
    def out() -> type[TKR[list[OpaqueType["tkr_nexus_worker.jobs.models.Job"]]]]:
        return TKR[list[OpaqueType["tkr_nexus_worker.jobs.models.Job"]]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class get_job_status(NamedTuple):
    job: TKR[
        Union[
            OpaqueType["qnexus.models.references.ExecuteJobRef"],
            OpaqueType["qnexus.models.references.CompileJobRef"],
            str,
        ]
    ]

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_nexus_worker.jobs.models.JobStatus"]]]:
        return TKR[OpaqueType["tkr_nexus_worker.jobs.models.JobStatus"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class get_job_details(NamedTuple):
    job: TKR[
        Union[
            OpaqueType["qnexus.models.references.ExecuteJobRef"],
            OpaqueType["qnexus.models.references.CompileJobRef"],
            str,
        ]
    ]

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_nexus_worker.jobs.models.Job"]]]:
        return TKR[OpaqueType["tkr_nexus_worker.jobs.models.Job"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class get_job_payload(NamedTuple):
    job: TKR[
        Union[
            OpaqueType["qnexus.models.references.ExecuteJobRef"],
            OpaqueType["qnexus.models.references.CompileJobRef"],
            str,
        ]
    ]

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_nexus_worker.jobs.models.JobPayload"]]]:
        return TKR[OpaqueType["tkr_nexus_worker.jobs.models.JobPayload"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class check_job_complete(NamedTuple):
    job: TKR[
        Union[
            OpaqueType["qnexus.models.references.ExecuteJobRef"],
            OpaqueType["qnexus.models.references.CompileJobRef"],
            str,
        ]
    ]

    @staticmethod
    def out() -> type[TKR[bool]]:
        return TKR[bool]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class wait_until_complete(NamedTuple):
    job: TKR[
        Union[
            OpaqueType["qnexus.models.references.ExecuteJobRef"],
            OpaqueType["qnexus.models.references.CompileJobRef"],
            str,
        ]
    ]
    timeout: TKR[float] | None = None
    poll_interval: TKR[float] | None = None
    allow_failed: TKR[bool] | None = None

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_nexus_worker.jobs.models.JobStatus"]]]:
        return TKR[OpaqueType["tkr_nexus_worker.jobs.models.JobStatus"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class cancel_job(NamedTuple):
    job: TKR[
        Union[
            OpaqueType["qnexus.models.references.ExecuteJobRef"],
            OpaqueType["qnexus.models.references.CompileJobRef"],
            str,
        ]
    ]

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_nexus_worker.jobs.models.JobStatus"]]]:
        return TKR[OpaqueType["tkr_nexus_worker.jobs.models.JobStatus"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class retry_job(NamedTuple):
    job: TKR[
        Union[
            OpaqueType["qnexus.models.references.ExecuteJobRef"],
            OpaqueType["qnexus.models.references.CompileJobRef"],
            str,
        ]
    ]
    force: TKR[bool] | None = None

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_nexus_worker.jobs.models.JobStatus"]]]:
        return TKR[OpaqueType["tkr_nexus_worker.jobs.models.JobStatus"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class delete_job(NamedTuple):
    job: TKR[
        Union[
            OpaqueType["qnexus.models.references.ExecuteJobRef"],
            OpaqueType["qnexus.models.references.CompileJobRef"],
            str,
        ]
    ]
    force: TKR[bool] | None = None

    @staticmethod
    def out() -> type[TKR[str]]:
        return TKR[str]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class get_results_by_id(NamedTuple):
    job: TKR[Union[OpaqueType["qnexus.models.references.ExecuteJobRef"], str]]
    post_select: TKR[Union[list[str], NoneType]] | None = None
    allow_failed: TKR[bool] | None = None
    allow_unfinished: TKR[bool] | None = None

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_nexus_worker.results.counts.JobCounts"]]]:
        return TKR[OpaqueType["tkr_nexus_worker.results.counts.JobCounts"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class list_devices(NamedTuple):
    status: TKR[bool] | None = None

    @staticmethod
    def out() -> type[TKR[list[OpaqueType["tkr_nexus_worker.devices.DeviceSummary"]]]]:
        return TKR[list[OpaqueType["tkr_nexus_worker.devices.DeviceSummary"]]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class get_device_details(NamedTuple):
    name: TKR[str]

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_nexus_worker.devices.DeviceDetails"]]]:
        return TKR[OpaqueType["tkr_nexus_worker.devices.DeviceDetails"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class validate_job(NamedTuple):
    circuits: TKR[list[OpaqueType["pytket._tket.circuit.Circuit"]]]
    n_shots: TKR[list[int]]
    backend_config: TKR[
        Union[
            OpaqueType["quantinuum_schemas.models.backend_config.AerConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerStateConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.AerUnitaryConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.BraketConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QuantinuumConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.IBMQEmulatorConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.QulacsConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SeleneConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.SelenePlusConfig"],
            OpaqueType["quantinuum_schemas.models.backend_config.HeliosConfig"],
        ]
    ]

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_nexus_worker.validation.JobValidation"]]]:
        return TKR[OpaqueType["tkr_nexus_worker.validation.JobValidation"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class iteration_name(NamedTuple):
    name: TKR[str]

    @staticmethod
    def out() -> type[TKR[str]]:
        return TKR[str]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class bind_parameters(NamedTuple):
    circuit: TKR[OpaqueType["pytket._tket.circuit.Circuit"]]
    parameters: TKR[list[dict[str, float]]]

    @staticmethod
    def out() -> type[TKR[list[OpaqueType["pytket._tket.circuit.Circuit"]]]]:
        return TKR[list[OpaqueType["pytket._tket.circuit.Circuit"]]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class measurement_circuits(NamedTuple):
    circuits: TKR[list[OpaqueType["pytket._tket.circuit.Circuit"]]]
    operator: TKR[OpaqueType["pytket.utils.operators.QubitPauliOperator"]]
    n_shots: TKR[int]
    strategy: TKR[str] | None = None

    @staticmethod
    def out() -> type[Measurements]:
        return Measurements

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class expectation_values(NamedTuple):
    results: TKR[list[OpaqueType["pytket.backends.backendresult.BackendResult"]]]
    operator: TKR[OpaqueType["pytket.utils.operators.QubitPauliOperator"]]
    setup: TKR[OpaqueType["pytket._tket.partition.MeasurementSetup"]]

    @staticmethod
    def out() -> type[ExpectationValues]:
        return ExpectationValues

    @property
    def namespace(self) -> str:
        return "nexus_worker"
