"""One module per simulator; each imports the package that it wraps."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local_nexus.simulators.devices import Config
from local_nexus.simulators.errors import MissingSimulatorError


@dataclass(frozen=True)
class Engine:
    """A simulator.

    :param module: its module in this package.
    :param extra: the extra of the distribution that installs its package.
    :param function: what runs a program.
    """

    module: str
    extra: str
    function: str = "run"

    def load(self, config: Config) -> Callable[..., Any]:
        """Return what runs a program.

        :param config: the backend config, for the error.
        :raises MissingSimulatorError: when the simulator is not installed.
        """
        try:
            module = importlib.import_module(f"{__name__}.{self.module}")
        except ModuleNotFoundError as error:
            raise MissingSimulatorError(config["type"], self.extra) from error
        run: Callable[..., Any] = getattr(module, self.function)
        return run
