"""The worker under the name by which Tierkreis's InMemoryExecutor imports it."""

from tkr_lightworks_worker.tasks import worker

__all__ = ["worker"]
