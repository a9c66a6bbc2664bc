"""Failures of a program that its owner can understand and fix."""


class SimulationError(Exception):
    """A program cannot be run as asked; the text says why and what to do."""


class MissingSimulatorError(SimulationError):
    """The simulator that a backend config needs is not installed.

    :param backend: What was asked for, for example ``AerConfig``.
    :param extra: The extra of the distribution that installs the simulator.
    """

    def __init__(self, backend: str, extra: str) -> None:
        super().__init__(
            f"The simulator for {backend} is not installed: `uv sync --inexact --extra "
            f"{extra}` in the checkout of tkr-nexus-worker, or elsewhere pip install "
            f"'PATH[{extra}]', where PATH is the checkout or wheel."
        )
