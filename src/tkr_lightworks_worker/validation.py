"""Checks of a job against a QPU, before anything is submitted."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from tkr_lightworks_worker.artemis import settings
from tkr_lightworks_worker.artemis.qpus import QpuDetails, get_qpu_details
from tkr_lightworks_worker.errors import InvalidInputError
from tkr_lightworks_worker.samplers import SamplerSpec, check_sampler
from tkr_runtime.jobs.names import check_name


class SamplerNeeds(BaseModel):
    """What a sampler needs of a QPU.

    :param index: The place of the sampler, from 0.
    :param n_modes: The number of modes.
    :param n_photons: The number of photons that enter, those of heralds included.
    :param min_detection: The least number of photons to detect, with heralds.
    :param n_samples: The number of samples.
    :param max_samples: The largest number that the QPU takes at this min_detection.
    """

    model_config = ConfigDict(frozen=True)

    index: int
    n_modes: int
    n_photons: int
    min_detection: int
    n_samples: int
    max_samples: int


class JobValidation(BaseModel):
    """Whether samplers fit a QPU.

    :param qpu_name: The name of the QPU.
    :param fits: Whether nothing was found that it refuses.
    :param problems: What Lightworks or the QPU refuses.
    :param warnings: What does not keep a job from being submitted.
    :param samplers: What each sampler needs, as far as it is a sampler.
    """

    model_config = ConfigDict(frozen=True)

    qpu_name: str
    fits: bool
    problems: list[str]
    warnings: list[str]
    samplers: list[SamplerNeeds]


def validate_job(qpu_name: str, samplers: Sequence[SamplerSpec]) -> JobValidation:
    """Check whether samplers fit a QPU; nothing is submitted.

    :param qpu_name: The name of the QPU.
    :param samplers: The samplers.
    :returns: All problems, and what each sampler needs.
    :raises InvalidInputError: If there is no such QPU.
    :raises LightworksWorkerError: If Artemis refuses or does not answer.
    """
    qpu = get_qpu_details(qpu_name)
    problems, needs = [], []
    for index, spec in enumerate(samplers):
        try:
            check_sampler(spec, _name(index))
        except InvalidInputError as error:
            problems.append(str(error))
            continue
        problems += _misfits(spec, index, qpu)
        needs.append(
            SamplerNeeds(
                index=index,
                n_modes=spec.n_modes,
                n_photons=spec.n_photons,
                min_detection=spec.detection_filter,
                n_samples=spec.n_samples,
                max_samples=qpu.allowed_samples(spec.detection_filter),
            )
        )
    if not samplers:
        problems.append("The input samplers is empty; give at least one sampler.")
    warnings: list[str] = []
    if not qpu.is_available:
        (problems if settings.requires_online() else warnings).append(_offline(qpu))
    return JobValidation(
        qpu_name=qpu.name,
        fits=not problems,
        problems=problems,
        warnings=warnings,
        samplers=needs,
    )


def check_job(qpu_name: str, job_name: str, samplers: Sequence[SamplerSpec]) -> None:
    """Check a job; what needs no request is checked first.

    :param qpu_name: The name of the QPU.
    :param job_name: The name of the job.
    :param samplers: The samplers, at least one.
    :raises InvalidInputError: For the first problem, in one sentence.
    :raises LightworksWorkerError: If Artemis refuses or does not answer.
    """
    check_name("job", job_name)
    for index, spec in enumerate(samplers):
        check_sampler(spec, _name(index))
    validation = validate_job(qpu_name, samplers)
    if validation.problems:
        raise InvalidInputError(validation.problems[0])


def _name(index: int) -> str:
    return f"Sampler {index} of the input samplers"


def _offline(qpu: QpuDetails) -> str:
    return (
        f"The QPU {qpu.name!r} (qpu_name) is offline; wait until it is online, or "
        "allow jobs to wait for it with "
        "lightworks.remote.set_global_require_online(False)."
    )


def _misfits(spec: SamplerSpec, index: int, qpu: QpuDetails) -> list[str]:
    """Return what the QPU refuses, as Lightworks's client checks it."""
    least, allowed = (
        spec.detection_filter,
        qpu.allowed_samples(spec.detection_filter),
    )
    misfits = []
    if spec.n_modes > qpu.n_modes:
        misfits.append(f"has {spec.n_modes} modes, but {qpu.name} has {qpu.n_modes}")
    if spec.n_photons > qpu.max_photons:
        misfits.append(
            f"has {spec.n_photons} photons, but {qpu.name} takes {qpu.max_photons}"
        )
    if least > qpu.max_detection_filter:
        misfits.append(
            f"asks for {least} detected photons at least (min_detection and heralds), "
            f"but {qpu.name} filters by at most {qpu.max_detection_filter}; give a "
            "lower min_detection"
        )
    if spec.n_samples > allowed:
        misfits.append(
            f"takes {spec.n_samples:,} samples, but {qpu.name} takes {allowed:,} where "
            f"{least} photons must be detected"
        )
    return [f"{_name(index)} {misfit}." for misfit in misfits]
