"""What is wrong with a payload: all of it, field by field."""

import cmath
from collections.abc import Iterator, Sequence

from local_artemis.jobs.models import NewJob
from local_artemis.qpus.models import Qpu

type Matrix = list[list[complex]]

# How far the product of the matrix and its adjoint may be from the identity.
_TOLERANCE = 1e-6


def matrix_of(rows: Sequence[Sequence[str | float]]) -> Matrix:
    """Read a matrix.

    :raises ValueError: If an entry is not a complex number.
    """
    return [[complex(entry) for entry in row] for row in rows]


def errors_of(job: NewJob, qpu: Qpu, *, lenient: bool) -> Iterator[tuple[str, str]]:
    """List the fields that are wrong, with reasons.

    :param lenient: Whether the limits of the QPU do not matter.
    """
    n_photons = sum(job.input)
    if len(job.input) != job.n_modes:
        yield "input", f"it has {len(job.input)} modes, and the circuit {job.n_modes}"
    elif wrong := set(job.input) - {0, 1}:
        yield "input", f"a mode takes 0 or 1 photons, not {max(wrong)}"
    elif not n_photons:
        yield "input", "it has no photon"
    elif job.min_detection > n_photons:
        yield (
            "min_detection",
            f"it is {job.min_detection}, and the input has {n_photons} photons",
        )
    reason = _error_of_matrix(job)
    if reason is not None:
        yield "unitary", reason
    if job.direct_implementation and job.circuit_spec is None:
        yield "circuit_spec", "a circuit that is implemented directly needs it"
    if not lenient:
        yield from _beyond_limits(job, qpu)


def _beyond_limits(job: NewJob, qpu: Qpu) -> Iterator[tuple[str, str]]:
    for name, value, most in (
        ("n_modes", job.n_modes, qpu.modes),
        ("input", sum(job.input), qpu.photons),
        ("min_detection", job.min_detection, qpu.min_detection),
        ("n_samples", job.n_samples, qpu.most_samples(job.min_detection)),
    ):
        if value > most:
            what = {
                "n_modes": "modes",
                "input": "photons",
                "min_detection": "clicks to wait for",
                "n_samples": f"samples with {job.min_detection} or more clicks",
            }[name]
            yield name, f"{qpu.name} takes at most {most:,} {what}, not {value:,}"


def _error_of_matrix(job: NewJob) -> str | None:
    if {len(job.unitary), *map(len, job.unitary)} != {job.n_modes}:
        return f"it is not a matrix of {job.n_modes} rows and columns"
    try:
        rows = matrix_of(job.unitary)
    except ValueError as error:
        return f"{error}"
    if not all(cmath.isfinite(entry) for row in rows for entry in row):
        return "its entries must be finite"
    # Few modes: numpy would cost the server more at its start than it saves here.
    for i, row in enumerate(rows):
        for j, other in enumerate(rows[: i + 1]):
            product = sum(a * b.conjugate() for a, b in zip(row, other, strict=True))
            if abs(product - (i == j)) > _TOLERANCE:
                return f"it is not unitary: rows {j} and {i} are not orthonormal"
    return None
