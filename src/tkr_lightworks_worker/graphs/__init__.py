"""Graphs that run samplers on Artemis; they import only stubs."""

from tkr_lightworks_worker.graphs.submit_poll import (
    JobInputs,
    PollingOutputs,
    lightworks_submit_and_poll,
    polling_loop_body,
)

__all__ = [
    "JobInputs",
    "PollingOutputs",
    "lightworks_submit_and_poll",
    "polling_loop_body",
]
