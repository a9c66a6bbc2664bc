"""Counts of outcomes as rows of a table, for CSV files and data frames."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from tkr_runtime.histograms import standard_error

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = ("outcome", "count", "probability", "standard_error")
"""The columns of counts."""


def rows_of(counts: Mapping[str, int]) -> list[tuple[str, int, float, float]]:
    """Return a row of :data:`COLUMNS` for each outcome.

    :param counts: The number of shots of each outcome.
    """
    n = sum(counts.values())
    return [
        (outcome, count, count / n, standard_error(count / n, n))
        for outcome, count in counts.items()
    ]


def data_frame(
    names: Sequence[str],
    results: Iterable[tuple[Sequence[object], Mapping[str, int]]],
) -> "DataFrame":
    """Return counts as a data frame of pandas, a row for each outcome.

    :param names: The first columns, which say of what the counts are.
    :param results: Their values, and the counts.
    """
    # It takes a fifth of a second to import, and few use it.
    from pandas import DataFrame

    rows = [(*named, *row) for named, counts in results for row in rows_of(counts)]
    return DataFrame(rows, columns=[*names, *COLUMNS])
