"""Code generated from lightworks_worker namespace. Please do not edit."""

# ruff: noqa: F821
from typing import NamedTuple, Union

from tierkreis.controller.data.models import TKR, OpaqueType


class JobChange(NamedTuple):
    is_unfinished: TKR[bool]
    status: TKR[str]


class submit_job(NamedTuple):
    qpu_name: TKR[str]
    job_name: TKR[str]
    sampler: TKR[OpaqueType["tkr_lightworks_worker.samplers.SamplerSpec"]]

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_lightworks_worker.jobs.models.JobRef"]]]:
        return TKR[OpaqueType["tkr_lightworks_worker.jobs.models.JobRef"]]

    @property
    def namespace(self) -> str:
        return "lightworks_worker"


class submit_jobs(NamedTuple):
    qpu_name: TKR[str]
    job_name: TKR[str]
    samplers: TKR[list[OpaqueType["tkr_lightworks_worker.samplers.SamplerSpec"]]]

    @staticmethod
    def out() -> type[
        TKR[list[OpaqueType["tkr_lightworks_worker.jobs.models.JobRef"]]]
    ]:
        return TKR[list[OpaqueType["tkr_lightworks_worker.jobs.models.JobRef"]]]

    @property
    def namespace(self) -> str:
        return "lightworks_worker"


class prepare_job(NamedTuple):
    qpu_name: TKR[str]
    job_name: TKR[str]
    samplers: TKR[list[OpaqueType["tkr_lightworks_worker.samplers.SamplerSpec"]]]

    @staticmethod
    def out() -> type[TKR[str]]:
        return TKR[str]

    @property
    def namespace(self) -> str:
        return "lightworks_worker"


class is_running(NamedTuple):
    job: TKR[OpaqueType["tkr_lightworks_worker.jobs.models.JobRef"]]

    @staticmethod
    def out() -> type[TKR[bool]]:
        return TKR[bool]

    @property
    def namespace(self) -> str:
        return "lightworks_worker"


class wait_for_change(NamedTuple):
    jobs: TKR[list[OpaqueType["tkr_lightworks_worker.jobs.models.JobRef"]]]
    polling_interval: TKR[float]
    known_status: TKR[str] | None = None
    allow_failed: TKR[bool] | None = None

    @staticmethod
    def out() -> type[JobChange]:
        return JobChange

    @property
    def namespace(self) -> str:
        return "lightworks_worker"


class get_results(NamedTuple):
    jobs: TKR[list[OpaqueType["tkr_lightworks_worker.jobs.models.JobRef"]]]
    allow_failed: TKR[bool] | None = None
    allow_partial: TKR[bool] | None = None

    @staticmethod
    def out() -> type[
        TKR[list[OpaqueType["tkr_lightworks_worker.results.SamplingResult"]]]
    ]:
        return TKR[list[OpaqueType["tkr_lightworks_worker.results.SamplingResult"]]]

    @property
    def namespace(self) -> str:
        return "lightworks_worker"


class list_scheduled_jobs(NamedTuple):
    limit: TKR[int] | None = None

    @staticmethod
    def out() -> type[TKR[list[OpaqueType["tkr_lightworks_worker.jobs.models.Job"]]]]:
        return TKR[list[OpaqueType["tkr_lightworks_worker.jobs.models.Job"]]]

    @property
    def namespace(self) -> str:
        return "lightworks_worker"


class get_job_status(NamedTuple):
    job: TKR[Union[OpaqueType["tkr_lightworks_worker.jobs.models.JobRef"], int, str]]

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_lightworks_worker.jobs.models.JobStatus"]]]:
        return TKR[OpaqueType["tkr_lightworks_worker.jobs.models.JobStatus"]]

    @property
    def namespace(self) -> str:
        return "lightworks_worker"


class get_job_details(NamedTuple):
    job: TKR[Union[OpaqueType["tkr_lightworks_worker.jobs.models.JobRef"], int, str]]

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_lightworks_worker.jobs.models.Job"]]]:
        return TKR[OpaqueType["tkr_lightworks_worker.jobs.models.Job"]]

    @property
    def namespace(self) -> str:
        return "lightworks_worker"


class get_job_payload(NamedTuple):
    job: TKR[Union[OpaqueType["tkr_lightworks_worker.jobs.models.JobRef"], int, str]]

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_lightworks_worker.jobs.models.JobPayload"]]]:
        return TKR[OpaqueType["tkr_lightworks_worker.jobs.models.JobPayload"]]

    @property
    def namespace(self) -> str:
        return "lightworks_worker"


class check_job_complete(NamedTuple):
    job: TKR[Union[OpaqueType["tkr_lightworks_worker.jobs.models.JobRef"], int, str]]

    @staticmethod
    def out() -> type[TKR[bool]]:
        return TKR[bool]

    @property
    def namespace(self) -> str:
        return "lightworks_worker"


class wait_until_complete(NamedTuple):
    job: TKR[Union[OpaqueType["tkr_lightworks_worker.jobs.models.JobRef"], int, str]]
    timeout: TKR[float] | None = None
    poll_interval: TKR[float] | None = None
    allow_failed: TKR[bool] | None = None

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_lightworks_worker.jobs.models.JobStatus"]]]:
        return TKR[OpaqueType["tkr_lightworks_worker.jobs.models.JobStatus"]]

    @property
    def namespace(self) -> str:
        return "lightworks_worker"


class cancel_job(NamedTuple):
    job: TKR[Union[OpaqueType["tkr_lightworks_worker.jobs.models.JobRef"], int, str]]

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_lightworks_worker.jobs.models.JobStatus"]]]:
        return TKR[OpaqueType["tkr_lightworks_worker.jobs.models.JobStatus"]]

    @property
    def namespace(self) -> str:
        return "lightworks_worker"


class retry_job(NamedTuple):
    job: TKR[Union[OpaqueType["tkr_lightworks_worker.jobs.models.JobRef"], int, str]]
    force: TKR[bool] | None = None

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_lightworks_worker.jobs.models.JobRef"]]]:
        return TKR[OpaqueType["tkr_lightworks_worker.jobs.models.JobRef"]]

    @property
    def namespace(self) -> str:
        return "lightworks_worker"


class list_qpus(NamedTuple):
    @staticmethod
    def out() -> type[
        TKR[list[OpaqueType["tkr_lightworks_worker.artemis.qpus.QpuSummary"]]]
    ]:
        return TKR[list[OpaqueType["tkr_lightworks_worker.artemis.qpus.QpuSummary"]]]

    @property
    def namespace(self) -> str:
        return "lightworks_worker"


class get_qpu_details(NamedTuple):
    name: TKR[str]

    @staticmethod
    def out() -> type[TKR[OpaqueType["tkr_lightworks_worker.artemis.qpus.QpuDetails"]]]:
        return TKR[OpaqueType["tkr_lightworks_worker.artemis.qpus.QpuDetails"]]

    @property
    def namespace(self) -> str:
        return "lightworks_worker"


class validate_job(NamedTuple):
    qpu_name: TKR[str]
    samplers: TKR[list[OpaqueType["tkr_lightworks_worker.samplers.SamplerSpec"]]]

    @staticmethod
    def out() -> type[
        TKR[OpaqueType["tkr_lightworks_worker.validation.JobValidation"]]
    ]:
        return TKR[OpaqueType["tkr_lightworks_worker.validation.JobValidation"]]

    @property
    def namespace(self) -> str:
        return "lightworks_worker"
