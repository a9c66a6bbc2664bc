"""The pool of processes in which the engines run."""

from collections.abc import Sequence
from pathlib import Path

from local_cloud.pool import ProcessPool


class EnginePool(ProcessPool):
    """Computes samples: takes ``SampleRequest``.

    :param workers: Processes at most; as many as this process may use cores by default.
    :param time_limit: Seconds that one job may take.
    :param memory_limit: Bytes of private memory of one process; its share of the
        memory that is available by default.
    :param private: Files and folders that engines must not read.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        time_limit: float = 3600.0,
        memory_limit: int | None = None,
        private: Sequence[Path] = (),
    ) -> None:
        super().__init__(
            "local_artemis.engines.dispatch:handle",
            workers=workers,
            time_limit=time_limit,
            memory_limit=memory_limit,
            private=private,
        )
