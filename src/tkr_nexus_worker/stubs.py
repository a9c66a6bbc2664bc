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
    execute_ref: TKR[OpaqueType["qnexus.models.references.ExecuteJobRef"]]
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
    job: TKR[Union[OpaqueType["qnexus.models.references.ExecuteJobRef"], str]]

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_nexus_worker.jobs.models.JobStatus"]]]:
        return TKR[OpaqueType["tkr_nexus_worker.jobs.models.JobStatus"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class get_job_details(NamedTuple):
    job: TKR[Union[OpaqueType["qnexus.models.references.ExecuteJobRef"], str]]

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_nexus_worker.jobs.models.Job"]]]:
        return TKR[OpaqueType["tkr_nexus_worker.jobs.models.Job"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class get_job_payload(NamedTuple):
    job: TKR[Union[OpaqueType["qnexus.models.references.ExecuteJobRef"], str]]

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_nexus_worker.jobs.models.JobPayload"]]]:
        return TKR[OpaqueType["tkr_nexus_worker.jobs.models.JobPayload"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class check_job_complete(NamedTuple):
    job: TKR[Union[OpaqueType["qnexus.models.references.ExecuteJobRef"], str]]

    @staticmethod
    def out() -> type[TKR[bool]]:
        return TKR[bool]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class wait_until_complete(NamedTuple):
    job: TKR[Union[OpaqueType["qnexus.models.references.ExecuteJobRef"], str]]
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
    job: TKR[Union[OpaqueType["qnexus.models.references.ExecuteJobRef"], str]]

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_nexus_worker.jobs.models.JobStatus"]]]:
        return TKR[OpaqueType["tkr_nexus_worker.jobs.models.JobStatus"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class retry_job(NamedTuple):
    job: TKR[Union[OpaqueType["qnexus.models.references.ExecuteJobRef"], str]]
    force: TKR[bool] | None = None

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_nexus_worker.jobs.models.JobStatus"]]]:
        return TKR[OpaqueType["tkr_nexus_worker.jobs.models.JobStatus"]]

    @property
    def namespace(self) -> str:
        return "nexus_worker"


class delete_job(NamedTuple):
    job: TKR[Union[OpaqueType["qnexus.models.references.ExecuteJobRef"], str]]
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
