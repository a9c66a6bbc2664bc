"""The C compiler of the ``ziglang`` package, with which Selene builds programs."""

from pathlib import Path

from selene_core.build_utils.utils import invoke_zig

from local_nexus.simulators.errors import SimulationError


def compile_c(source: Path, target: Path, *options: str | Path) -> None:
    """Compile C into a library or an object file.

    :param options: Further options of the compiler.
    :raises SimulationError: When it cannot be compiled.
    """
    standard = ["-std=c11", "-O2", "-g0", "-fPIC"]
    try:
        invoke_zig("cc", *standard, *options, source, "-o", target)
    except (OSError, RuntimeError) as error:
        lines = str(error).splitlines()
        reason = next((line for line in lines if "error:" in line), lines[-1])
        raise SimulationError(
            f"{target.name} cannot be compiled for HUGR and QIR programs with the "
            f"installed selene-sim and ziglang: {reason.strip()}"
        ) from error
