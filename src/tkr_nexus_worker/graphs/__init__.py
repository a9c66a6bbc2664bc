"""Prepackaged graphs. They need Tierkreis alone, neither qnexus nor pytket."""

from tkr_nexus_worker.graphs.expectation_values import (
    ExpectationInputs,
    nexus_expectation_values,
)
from tkr_nexus_worker.graphs.retrying import nexus_submit_and_poll_retrying
from tkr_nexus_worker.graphs.submit_poll import (
    JobInputs,
    PollingOutputs,
    UploadCircuitInputs,
    nexus_submit_and_poll,
    polling_loop_body,
    upload_circuit_graph,
)

__all__ = [
    "ExpectationInputs",
    "JobInputs",
    "PollingOutputs",
    "UploadCircuitInputs",
    "nexus_expectation_values",
    "nexus_submit_and_poll",
    "nexus_submit_and_poll_retrying",
    "polling_loop_body",
    "upload_circuit_graph",
]
