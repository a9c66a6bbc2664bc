"""Results of jobs in files: what was downloaded, exactly.

A file is a JSON object, compressed by gzip if its name ends in ``.gz``::

    {
      "format": "tkr-nexus-results",
      "version": 1,
      "receipt": {…},           the job, as in a receipt
      "circuits": [
        {
          "index": 0,           the place among the circuits of the job
          "name": "bell",       of the program; null where it is not known
          "state": "COMPLETED", of the circuit, as Nexus spells it
          "reason": "",         what Nexus says about the state
          "n_shots_requested": 100,
          "kind": "pytket",     or "hugr", "qir"; null without a result
          "result": {…}         BackendResult.to_dict() of pytket; for "hugr" a list of
        }                       shots, each a list of [tag, value]; for "qir" a text
      ]
    }

Post-selection is not saved, because it can be done again.
"""

from operator import index
from pathlib import Path
from typing import Any, Final, Literal

from hugr.qsystem.result import QsysResult
from pydantic import BaseModel, ValidationError
from pytket.backends.backendresult import BackendResult
from qnexus.models.references import ExecutionResult, QIRResult

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.jobs.models import Job, JobItem
from tkr_nexus_worker.jobs.receipt import Receipt
from tkr_nexus_worker.jobs.status import describe
from tkr_nexus_worker.results.counts import CircuitResult, JobResults
from tkr_runtime.saved_files import SavedFormat, summary

FORMAT: Final = "tkr-nexus-results"
VERSION: Final = 1
_FORMAT = SavedFormat(
    FORMAT,
    VERSION,
    "a file of results",
    "save_results or `tkr-nexus results --save`",
    "tkr-nexus-worker",
)


class SavedCircuit(BaseModel):
    """The result of one circuit in a file; the fields are those of the format."""

    index: int
    name: str | None
    state: str
    reason: str
    n_shots_requested: int | None
    kind: Literal["pytket", "hugr", "qir"] | None
    result: Any


class SavedResults(BaseModel):
    """A file of results; the fields are those of the format."""

    format: Literal["tkr-nexus-results"]
    version: Literal[1]
    receipt: Receipt
    circuits: list[SavedCircuit]


def save_results(results: JobResults, path: Path | str, *, force: bool = False) -> Path:
    """Write results to a file from which :func:`load_results` reads them exactly.

    :param results: The results, complete or not; all shots are saved, also where some
        were selected.
    :param path: The file; it is compressed if its name ends in ``.gz``.
    :param force: Whether to overwrite a file that exists.
    :returns: The path.
    :raises InvalidInputError: If the file exists and may not be overwritten, or cannot
        be written.
    """
    content = {
        "receipt": results.receipt.model_dump(mode="json"),
        # Not in the mode for JSON, in which pydantic makes NaN and infinities null.
        "circuits": [_save(one).model_dump() for one in results],
    }
    # pytket counts by integers of numpy.
    return _FORMAT.save(content, Path(path), force=force, default=index)


def load_results(path: Path | str) -> JobResults:
    """Read results that :func:`save_results` wrote; it takes no login and no network.

    :param path: The file.
    :returns: The results as they were saved.
    :raises InvalidInputError: If the file cannot be read, is not a file of results,
        or has a newer version.
    """
    path = Path(path)
    content = _FORMAT.load(path)
    try:
        saved = SavedResults.model_validate(content)
        job = saved.receipt.to_job()
        circuits = [_load(job, circuit) for circuit in saved.circuits]
    # pytket raises KeyError, RuntimeError and others for what is not a result.
    except (ValidationError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise InvalidInputError(
            f"{path} is damaged: its results cannot be read ({summary(error)}); fetch "
            "them again."
        ) from error
    return JobResults(job, circuits)


def is_saved_results(path: Path) -> bool:
    """Return whether a file looks like one of results.

    :param path: Any file.
    :raises InvalidInputError: If it cannot be read.
    """
    return _FORMAT.fits(path)


def _save(circuit: CircuitResult) -> SavedCircuit:
    kind, result = _express(circuit.raw_result)
    return SavedCircuit(
        index=circuit.index,
        name=circuit.name,
        state=circuit.state,
        reason=circuit.reason,
        n_shots_requested=circuit.n_shots_requested,
        kind=kind,
        result=result,
    )


def _express(
    raw_result: ExecutionResult | None,
) -> tuple[Literal["pytket", "hugr", "qir"] | None, Any]:
    match raw_result:
        case None:
            return None, None
        case BackendResult() as result:
            return "pytket", result.to_dict()
        case QsysResult() as result:
            return "hugr", [shot.entries for shot in result.results]
        case QIRResult() as result:
            return "qir", result.results


def _load(job: Job, saved: SavedCircuit) -> CircuitResult:
    """Return a result as it was saved; a newer receipt knows more of its item."""
    kind = saved.kind if saved.kind in {"hugr", "qir"} else "circuit"
    fields: dict[str, Any] = {"program_id": "", "program_type": kind}
    for item in job.items:
        if item.index == saved.index:
            fields = item.model_dump()
    fields |= {
        "index": saved.index,
        "program_name": saved.name,
        "state": saved.state,
        "n_shots": saved.n_shots_requested,
    }
    if saved.reason:
        fields |= {"message": saved.reason, "error_detail": None}
    item = JobItem(**fields)
    result = None if saved.kind is None else _restore(saved)
    return CircuitResult(item, result, job=describe(job))


def _restore(saved: SavedCircuit) -> ExecutionResult:
    match saved.kind:
        case "pytket":
            if "bits" not in saved.result:
                raise ValueError("a result without bits")
            return BackendResult.from_dict(saved.result)
        case "hugr":
            return QsysResult(
                [[(str(tag), value) for tag, value in shot] for shot in saved.result]
            )
        case _:
            return QIRResult(str(saved.result))
