"""Results of samplers in files."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from tkr_lightworks_worker.errors import InvalidInputError
from tkr_lightworks_worker.results import SamplingResult
from tkr_runtime.saved_files import SavedFormat, summary

_FORMAT = SavedFormat(
    "tkr-lightworks-results",
    1,
    "a file of results",
    "`tkr-lightworks results --save`",
    "tkr-nexus-worker",
)


def save_results(
    results: Sequence[SamplingResult], path: Path, *, force: bool = False
) -> None:
    """Write results to a file from which :func:`load_results` reads them.

    :param results: The results.
    :param path: The file; it is compressed if its name ends in ``.gz``.
    :param force: Whether to overwrite a file that exists.
    :raises InvalidInputError: If the file exists and may not be overwritten, or cannot
        be written.
    """
    content = {"results": [result.model_dump(mode="json") for result in results]}
    _FORMAT.save(content, path, force=force)


def load_results(path: Path) -> list[SamplingResult]:
    """Read results that :func:`save_results` wrote.

    :param path: The file.
    :raises InvalidInputError: If the file cannot be read or is not a file of results.
    """
    content = _FORMAT.load(path)
    try:
        return [SamplingResult.model_validate(it) for it in content["results"]]
    except (ValidationError, LookupError, TypeError) as error:
        raise InvalidInputError(
            f"{path} is damaged: its results cannot be read ({summary(error)}); fetch "
            "them again."
        ) from error
