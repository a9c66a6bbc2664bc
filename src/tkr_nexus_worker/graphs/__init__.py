"""Prepackaged graphs. They need Tierkreis alone, neither qnexus nor pytket."""

from tkr_nexus_worker.graphs.batched import (
    nexus_submit_and_poll_batched,
    nexus_submit_in_parts,
)
from tkr_nexus_worker.graphs.compile import (
    CompileInputs,
    compile_and_poll,
    nexus_compile_submit_and_poll,
)
from tkr_nexus_worker.graphs.expectation_values import (
    ExpectationInputs,
    LimitedExpectationInputs,
    nexus_expectation_values,
)
from tkr_nexus_worker.graphs.hugr import (
    HugrJobInputs,
    LimitedHugrJobInputs,
    nexus_submit_hugr,
)
from tkr_nexus_worker.graphs.mixed import (
    LimitedProgramsInputs,
    ProgramsInputs,
    nexus_submit_programs,
)
from tkr_nexus_worker.graphs.qir import (
    LimitedQirJobInputs,
    QirJobInputs,
    nexus_submit_qir,
)
from tkr_nexus_worker.graphs.retrying import nexus_submit_and_poll_retrying
from tkr_nexus_worker.graphs.streaming import FinishedProgram, nexus_stream_results
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
    "ExpectationInputs",
    "FinishedProgram",
    "HugrJobInputs",
    "JobInputs",
    "LimitedExpectationInputs",
    "LimitedHugrJobInputs",
    "LimitedJobInputs",
    "LimitedProgramsInputs",
    "LimitedQirJobInputs",
    "PollingOutputs",
    "ProgramsInputs",
    "QirJobInputs",
    "UploadCircuitInputs",
    "compile_and_poll",
    "nexus_compile_submit_and_poll",
    "nexus_expectation_values",
    "nexus_stream_results",
    "nexus_submit_and_poll",
    "nexus_submit_and_poll_batched",
    "nexus_submit_and_poll_retrying",
    "nexus_submit_hugr",
    "nexus_submit_in_parts",
    "nexus_submit_programs",
    "nexus_submit_qir",
    "polling_loop_body",
    "upload_circuit_graph",
]
