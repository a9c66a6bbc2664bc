"""Functions whose packages may not be installed."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local_nexus.simulators.devices import Config
from local_nexus.simulators.errors import MissingSimulatorError


@dataclass(frozen=True)
class OptionalFunction:
    """A function of a simulator, imported where it is needed.

    :param module: Its module in :mod:`local_nexus.simulators`.
    :param name: Its name.
    :param extra: The extra of the distribution that installs the module's packages.
    """

    module: str
    name: str
    extra: str

    def load(self, config: Config) -> Callable[..., Any]:
        """Return the function.

        :param config: The backend config, for the error.
        :raises MissingSimulatorError: When a package is not installed.
        """
        try:
            module = importlib.import_module(f"{__package__}.{self.module}")
        except ModuleNotFoundError as error:
            raise MissingSimulatorError(config["type"], self.extra) from error
        function: Callable[..., Any] = getattr(module, self.name)
        return function
