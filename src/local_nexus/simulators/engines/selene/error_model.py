"""The error model of Quantinuum's machines for Selene.

Selene loads error models from shared libraries. Ours is the C source beside this
module, which the first noisy program of a process compiles with the compiler of the
``ziglang`` package, with which Selene builds programs, too.
"""

import atexit
import dataclasses
import functools
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import override

from selene_core import ErrorModel
from selene_core.headers import get_include_directory

from local_nexus.simulators.c_compiler import compile_c
from local_nexus.simulators.noise import error_rates as noise
from local_nexus.simulators.noise.error_rates import AngleScaling, ErrorRates

SOURCE = Path(__file__).with_suffix(".c")
SAME_AT_ALL_ANGLES = AngleScaling(0, 1, 0, 1)


@dataclass
class MachineNoise(ErrorModel):
    """The errors of a machine, with some rates."""

    rates: ErrorRates = field(default_factory=ErrorRates)

    @property
    @override
    def library_file(self) -> Path:
        return _library()

    @override
    def get_init_args(self) -> list[str]:
        given = dataclasses.asdict(self.rates)
        scaling = given.pop("angle_scaling") or dataclasses.asdict(SAME_AT_ALL_ANGLES)
        given |= {f"przz_{name}": value for name, value in scaling.items()}
        given |= {
            "one_qubit_seconds": noise.ONE_QUBIT_SECONDS,
            "two_qubit_seconds": noise.TWO_QUBIT_SECONDS,
            "measure_seconds": noise.MEASURE_SECONDS,
            "reset_seconds": noise.RESET_SECONDS,
            "transport_seconds": noise.TRANSPORT_SECONDS,
        }
        return [f"{name}={float(value)!r}" for name, value in given.items()]


@functools.cache
def _library() -> Path:
    """Return the compiled error model, in a directory of this process alone.

    :raises SimulationError: When it cannot be compiled.
    """
    directory = tempfile.mkdtemp(prefix="machine_noise_")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    library = Path(directory) / "machine_noise.so"
    headers = get_include_directory()  # type: ignore[no-untyped-call]
    compile_c(SOURCE, library, "-shared", "-isystem", headers)
    return library
