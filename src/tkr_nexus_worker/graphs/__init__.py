"""Prepackaged graphs. They need Tierkreis alone, neither qnexus nor pytket."""

from tkr_nexus_worker.graphs.compile import (
    CompileInputs,
    compile_and_poll,
    nexus_compile_submit_and_poll,
)
from tkr_nexus_worker.graphs.retrying import nexus_submit_and_poll_retrying
from tkr_nexus_worker.graphs.submit_poll import (
    JobInputs,
    LimitedJobInputs,
    PollingOutputs,
    UploadCircuitInputs,
    nexus_submit_and_poll,
    polling_loop_body,
    upload_circuit_graph,
)

__all__ = [
    "CompileInputs",
    "JobInputs",
    "LimitedJobInputs",
    "PollingOutputs",
    "UploadCircuitInputs",
    "compile_and_poll",
    "nexus_compile_submit_and_poll",
    "nexus_submit_and_poll",
    "nexus_submit_and_poll_retrying",
    "polling_loop_body",
    "upload_circuit_graph",
]
