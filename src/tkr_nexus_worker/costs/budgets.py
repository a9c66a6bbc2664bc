"""Budgets in HQC; graphs use this module, so it needs neither qnexus nor pytket."""

from tkr_runtime.jobs.budget import Budget

__all__ = ["Budget", "budget"]
UNIT = "HQC"


def budget(hqc: float, name: str = "budget", path: str | None = None) -> Budget:
    """Return a budget for jobs.

    Use it by ``with``, around calls of ``run`` and ``resume``, or as the input
    ``budget`` of a graph or task.

    :param hqc: What all jobs may cost together, in HQC.
    :param name: A name, one for each budget of a workflow.
    :param path: A file for its ledger, which several workflows may share; by default
        the workflow has one of its own.
    :returns: The budget.
    :raises InvalidInputError: If the amount is not above 0, or the name cannot be that
        of a file.
    """
    return Budget(limit=hqc, unit=UNIT, name=name, path=path)
