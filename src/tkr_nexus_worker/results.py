"""Results of jobs: fetch them, look at them, keep them, plot them.

The functions are in modules of one noun each; this one has all their names.
"""

from tkr_nexus_worker.job_results import (
    CircuitCounts,
    CircuitResult,
    JobCounts,
    JobResults,
    get_results_by_id,
    parse_selection,
)
from tkr_nexus_worker.outcomes import (
    fetch_outcome,
    get_item_results,
    get_qsys_shots,
    get_results,
    is_running,
)
from tkr_nexus_worker.plots import (
    ideal_distribution,
    ideal_of_job,
    plot_results,
)
from tkr_nexus_worker.saved_results import load_results, save_results

__all__ = [
    "CircuitCounts",
    "CircuitResult",
    "JobCounts",
    "JobResults",
    "fetch_outcome",
    "get_item_results",
    "get_qsys_shots",
    "get_results",
    "get_results_by_id",
    "ideal_distribution",
    "ideal_of_job",
    "is_running",
    "load_results",
    "parse_selection",
    "plot_results",
    "save_results",
]
