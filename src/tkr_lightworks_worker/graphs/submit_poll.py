"""Submit samplers to Artemis, poll their jobs, and fetch their results.

The graph :func:`lightworks_submit_and_poll` does it all; :func:`polling_loop_body` is
its part, for graphs that arrange it in another way.
"""
# ruff: noqa: F821  the names in OpaqueType are labels for type checkers, not imports

import math
from typing import NamedTuple

from tierkreis.builder import Graph
from tierkreis.models import TKR, OpaqueType, Workflow

from tkr_lightworks_worker.errors import InvalidInputError
from tkr_lightworks_worker.stubs import get_results, submit_jobs, wait_for_change

type SamplerSpec = OpaqueType["tkr_lightworks_worker.samplers.SamplerSpec"]
type JobRef = OpaqueType["tkr_lightworks_worker.jobs.models.JobRef"]
type SamplingResult = OpaqueType["tkr_lightworks_worker.results.SamplingResult"]

POLLING_LOOP = "lightworks_polling"
"""The name of the polling loop, for ``read_loop_trace`` and tkr-vis."""


class JobInputs(NamedTuple):
    """The inputs of :func:`lightworks_submit_and_poll`.

    :param qpu_name: The name of the QPU.
    :param job_name: A name for the jobs.
    :param samplers: The samplers, at least one; each becomes a job.
    """

    qpu_name: TKR[str]
    job_name: TKR[str]
    samplers: TKR[list[SamplerSpec]]


class PollingOutputs(NamedTuple):
    """The outputs of :func:`polling_loop_body`.

    :param results: One result for each job; empty while any of them waits or runs.
    :param should_continue: Whether any of the jobs still waits or runs.
    :param status: The states of the jobs, and the first place in the queue.
    """

    results: TKR[list[SamplingResult]]
    should_continue: TKR[bool]
    status: TKR[str]


def polling_loop_body(
    polling_interval: float,
) -> Workflow[TKR[list[JobRef]], PollingOutputs]:
    """Build the body of a loop that waits for jobs.

    Each pass waits until a job has a new state or a new place in the queue, an hour at
    most. The pass in which all jobs have ended downloads the results.

    :param polling_interval: The longest time between two looks at the jobs, in seconds;
        the first follow each other more quickly.
    :returns: A graph from jobs to their results, for ``Graph.loop``.
    :raises InvalidInputError: If the interval is not a number of seconds above 0.
    """
    if not 0 < polling_interval < math.inf:
        raise InvalidInputError(
            f"The polling interval is {polling_interval!r}; "
            "give a number of seconds above 0."
        )
    g = Graph(TKR[list[JobRef]], PollingOutputs)
    # A loop hands all outputs of a pass to the next; the first takes the default.
    known: TKR[str] = TKR(-1, "status")
    change = g.task(wait_for_change(g.inputs, g.const(float(polling_interval)), known))
    none_yet: TKR[list[SamplingResult]] = g.const([])
    fetched = g.task(get_results(g.inputs))
    results = g.ifelse(change.is_unfinished, none_yet, fetched)
    return g.finish_with_outputs(
        PollingOutputs(results, change.is_unfinished, change.status)
    )


def lightworks_submit_and_poll(
    polling_interval: float = 30.0,
) -> Workflow[JobInputs, TKR[list[SamplingResult]]]:
    """Build a graph that runs samplers on a QPU and returns their results.

    All samplers are checked first; then each is submitted as a job, the jobs are
    polled, and their results are fetched.

    :param polling_interval: The longest time between two looks at the jobs, in seconds;
        the first follow each other more quickly.
    :returns: A graph from :class:`JobInputs` to one ``SamplingResult`` for each
        sampler, in the order of the samplers.
    :raises InvalidInputError: If the interval is not a number of seconds above 0.
    """
    g = Graph(JobInputs, TKR[list[SamplingResult]])
    jobs = g.task(submit_jobs(*g.inputs))
    polling = g.loop(polling_loop_body(polling_interval), jobs, name=POLLING_LOOP)
    return g.finish_with_outputs(polling.results)
