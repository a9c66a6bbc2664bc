"""Statistical tests with an error rate that is so small that no run meets it."""

import json
from collections.abc import Mapping

from scipy import stats

from local_artemis.engines import Outcome, SampleRequest
from local_artemis.engines.dispatch import handle

# How often a test fails whose counts are right.
ERROR_RATE = 1e-6
# Outcomes that are expected less often are counted together.
_LEAST = 8.0

type State = tuple[int, ...]


def counts_of(request: SampleRequest) -> dict[State, int]:
    """Return the samples of a request, counted."""
    return read(handle(request))


def read(outcome: Outcome) -> dict[State, int]:
    """Return the counts of an outcome."""
    assert outcome.status == "Completed", outcome.notes
    found = json.loads(outcome.counts or "{}")
    return {tuple(json.loads(f"[{it[1:-1]}]")): count for it, count in found.items()}


def assert_drawn_from(
    counts: Mapping[State, int], distribution: Mapping[State, float]
) -> None:
    """Check counts against probabilities, by a chi-square test."""
    impossible = {it for it in counts if distribution.get(it, 0) < 1e-12}
    assert not impossible
    n_samples, total = sum(counts.values()), sum(distribution.values())
    groups = [[0, 0.0]]
    for state, probability in sorted(distribution.items(), key=lambda it: it[1]):
        groups[-1][0] += counts.get(state, 0)
        groups[-1][1] += n_samples * probability / total
        if groups[-1][1] >= _LEAST:
            groups.append([0, 0.0])
    # Less is left than makes a group of its own.
    rest = groups.pop()
    observed, expected = zip(*groups, strict=True)
    observed = [*observed[:-1], observed[-1] + rest[0]]
    expected = [*expected[:-1], expected[-1] + rest[1]]
    assert len(expected) > 1, "a test takes more than one outcome"
    result = stats.chisquare(observed, expected, sum_check=False)
    assert result.pvalue > ERROR_RATE


def assert_same_distribution(
    first: Mapping[State, int], second: Mapping[State, int]
) -> None:
    """Check that two samples may come from the same distribution, by a chi-square test.

    What is seen rarely is counted together.
    """
    states = {*first, *second}
    common = [it for it in states if first.get(it, 0) + second.get(it, 0) >= 2 * _LEAST]
    table = [[sample.get(it, 0) for it in common] for sample in (first, second)]
    for row, sample in zip(table, (first, second), strict=True):
        row.append(1 + sum(sample.values()) - sum(row))
    assert stats.chi2_contingency(table).pvalue > ERROR_RATE
