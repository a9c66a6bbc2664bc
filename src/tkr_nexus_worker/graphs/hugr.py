"""Submit HUGR programs to Nexus as one job, and wait for it."""
# The names in OpaqueType are labels for type checkers, not imports.
# ruff: noqa: F821

from collections.abc import Sequence
from typing import NamedTuple

from tierkreis.builder import Graph
from tierkreis.models import TKR, OpaqueType, Workflow

from tkr_nexus_worker.graphs.submit_poll import (
    POLLING_LOOP,
    BackendConfig,
    ExecuteJobRef,
    Program,
    checked_interval,
    last_status,
)
from tkr_nexus_worker.stubs import start_execute_job, upload_hugr, wait_for_change

type Package = OpaqueType["hugr.package.Package"]


class HugrJobInputs(NamedTuple):
    """The inputs of :func:`nexus_submit_hugr`.

    :param project_name: The project of the job; it is created if it does not exist.
    :param job_name: A name for the job.
    :param packages: The HUGR packages, at least one.
    :param n_shots: The numbers of shots, one for each package.
    :param backend_config: Where and how to run them, a config of qnexus.
    """

    project_name: TKR[str]
    job_name: TKR[str]
    packages: TKR[list[Package]]
    n_shots: TKR[list[int]]
    backend_config: TKR[BackendConfig]


class _UploadInputs(NamedTuple):
    package: TKR[Package]
    project_name: TKR[str]


class _NamedInputs(NamedTuple):
    package: TKR[Package]
    project_name: TKR[str]
    name: TKR[str]


class _WaitingOutputs(NamedTuple):
    should_continue: TKR[bool]
    status: TKR[str]


def nexus_submit_hugr(
    polling_interval: float = 30.0, *, names: Sequence[str] | None = None
) -> Workflow[HugrJobInputs, TKR[str]]:
    """Build a graph that runs HUGR programs as one job and waits for it.

    It does not fetch the results, because not all of them have a ``BackendResult``;
    ``get_results_by_id`` fetches them by the receipt of the submission.

    :param polling_interval: The longest time between two requests for the status, in
        seconds; the first follow each other more quickly.
    :param names: The names of the programs, one for each package; by default made from
        their contents.
    :returns: A graph from :class:`HugrJobInputs` to the state of the job, which has
        completed; it fails if the job ends in any other way.
    :raises InvalidInputError: If the interval is not a number of seconds above 0.
    """
    g = Graph(HugrJobInputs, TKR[str])
    programs = _uploaded(g, names)
    job = g.task(
        start_execute_job(
            g.inputs.project_name,
            g.inputs.job_name,
            programs,
            g.inputs.n_shots,
            g.inputs.backend_config,
        )
    )
    polling = g.loop(_waiting_body(polling_interval), job, name=POLLING_LOOP)
    return g.finish_with_outputs(polling.status)


def _uploaded(
    g: Graph[HugrJobInputs, TKR[str]], names: Sequence[str] | None
) -> TKR[list[Program]]:
    packages, project_name = g.inputs.packages, g.inputs.project_name
    if names is None:
        return g.map(
            _upload_graph(),
            g.map(lambda package: _UploadInputs(package, project_name), packages),
        )
    elements: list[TKR[str]] = []

    def keep(name: TKR[str]) -> TKR[str]:
        elements.append(name)
        return name

    # A map takes the elements of several lists by their places.
    g.map(keep, g.const(list(names)))
    return g.map(
        _named_upload_graph(),
        g.map(
            lambda package: _NamedInputs(package, project_name, elements[0]), packages
        ),
    )


def _named_upload_graph() -> Workflow[_NamedInputs, TKR[Program]]:
    g = Graph(_NamedInputs, TKR[Program])
    return g.finish_with_outputs(
        g.task(upload_hugr(g.inputs.package, g.inputs.project_name, g.inputs.name))
    )


def _upload_graph() -> Workflow[_UploadInputs, TKR[Program]]:
    g = Graph(_UploadInputs, TKR[Program])
    return g.finish_with_outputs(
        g.task(upload_hugr(g.inputs.package, g.inputs.project_name))
    )


def _waiting_body(
    polling_interval: float,
) -> Workflow[TKR[ExecuteJobRef], _WaitingOutputs]:
    g = Graph(TKR[ExecuteJobRef], _WaitingOutputs)
    interval = g.const(checked_interval(polling_interval))
    change = g.task(wait_for_change(g.inputs, interval, last_status()))
    return g.finish_with_outputs(_WaitingOutputs(change.is_unfinished, change.status))
