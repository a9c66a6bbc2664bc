"""Prepackaged graphs. They need Tierkreis alone, neither qnexus nor pytket."""

from tkr_nexus_worker.graphs.batched import (
    nexus_submit_and_poll_batched,
    nexus_submit_in_parts,
)
from tkr_nexus_worker.graphs.retrying import nexus_submit_and_poll_retrying
from tkr_nexus_worker.graphs.streaming import FinishedProgram, nexus_stream_results
from tkr_nexus_worker.graphs.submit_poll import (
    JobInputs,
    PollingOutputs,
    UploadCircuitInputs,
    nexus_submit_and_poll,
    polling_loop_body,
    upload_circuit_graph,
)

__all__ = [
    "FinishedProgram",
    "JobInputs",
    "PollingOutputs",
    "UploadCircuitInputs",
    "nexus_stream_results",
    "nexus_submit_and_poll",
    "nexus_submit_and_poll_batched",
    "nexus_submit_and_poll_retrying",
    "nexus_submit_in_parts",
    "polling_loop_body",
    "upload_circuit_graph",
]
