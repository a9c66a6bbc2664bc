"""The pool of processes in which the programs of the embedded Nexus run."""

from collections.abc import Sequence
from pathlib import Path

from local_cloud.pool import ProcessPool


class SimulatorPool(ProcessPool):
    """Run and compile programs: takes ``RunRequest`` and ``CompileRequest``.

    :param workers: Processes at most; as many as this process may use cores by default.
    :param time_limit: Seconds that one program may take.
    :param memory_limit: Bytes of private memory of one process; its share of the
        memory that is available by default.
    :param device_file: Devices of a user's own, as for
        :func:`local_nexus.simulators.devices.devices`.
    :param private: Files and folders that programs must not read.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        time_limit: float = 3600.0,
        memory_limit: int | None = None,
        device_file: Path | None = None,
        private: Sequence[Path] = (),
    ) -> None:
        super().__init__(
            "local_nexus.simulators.dispatch:handle",
            *([] if device_file is None else [str(device_file)]),
            workers=workers,
            time_limit=time_limit,
            memory_limit=memory_limit,
            private=private,
        )
