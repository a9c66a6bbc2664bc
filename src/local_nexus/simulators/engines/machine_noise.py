"""The error model of Quantinuum's machines for Selene.

Selene loads error models from shared libraries. Ours is the C source beside this
module, which the first noisy program of a process compiles with the compiler of the
``ziglang`` package, with which Selene builds programs, too.
"""

import atexit
import functools
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import override

from selene_core import ErrorModel
from selene_core.build_utils.utils import invoke_zig
from selene_core.headers import get_include_directory

from local_nexus.simulators.errors import SimulationError
from local_nexus.simulators.noise import ErrorRates

SOURCE = Path(__file__).with_suffix(".c")
RATES = (
    "p1",
    "p2",
    "p_init",
    "p_meas_0",
    "p_meas_1",
    "p_crosstalk_meas",
    "p_crosstalk_init",
)
"""The rates that the C source knows, by their names there and in ``ErrorRates``."""


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
        return [f"{name}={float(getattr(self.rates, name))!r}" for name in RATES]


@functools.cache
def _library() -> Path:
    """Return the compiled error model, in a directory of this process alone.

    :raises SimulationError: when it cannot be compiled.
    """
    directory = tempfile.mkdtemp(prefix="machine_noise_")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    library = Path(directory) / "machine_noise.so"
    headers = get_include_directory()  # type: ignore[no-untyped-call]
    options = ["-shared", "-fPIC", "-std=c11", "-O2", "-isystem", headers]
    try:
        invoke_zig("cc", *options, SOURCE, "-o", library)
    except (OSError, RuntimeError) as error:
        lines = str(error).splitlines()
        reason = next((line for line in lines if "error:" in line), lines[-1])
        raise SimulationError(
            "The noise of HUGR and QIR programs cannot be compiled with the installed "
            f"selene-sim and ziglang: {reason.strip()}"
        ) from error
    return library
