"""Which engine runs which program, and the one place where programs fail."""

import importlib
import json
from dataclasses import dataclass
from types import ModuleType

from pytket.circuit import Circuit

from local_nexus.simulators import circuits
from local_nexus.simulators.errors import MissingSimulatorError, SimulationError
from local_nexus.simulators.messages import Outcome, RunRequest, failure
from local_nexus.simulators.stored_backend_info import stored_backend_info


@dataclass(frozen=True)
class Engine:
    """A simulator: its module in ``engines`` and the extra that installs it."""

    module: str
    extra: str

    def load(self, backend: str) -> ModuleType:
        """Return the module of the engine.

        :param backend: the type of the backend config, for the error.
        :raises MissingSimulatorError: when the simulator is not installed.
        """
        try:
            return importlib.import_module(
                f"local_nexus.simulators.engines.{self.module}"
            )
        except ModuleNotFoundError as error:
            raise MissingSimulatorError(backend, self.extra) from error


QULACS = Engine("qulacs", extra="local")
AER = Engine("aer", extra="aer")

PLAIN_ENGINES = {
    "AerConfig": AER,
    "QulacsConfig": QULACS,
    "QuantinuumConfig": QULACS,
    "IBMQConfig": QULACS,
    "IBMQEmulatorConfig": QULACS,
    "SeleneConfig": QULACS,
    "SelenePlusConfig": QULACS,
    "HeliosConfig": QULACS,
}
"""Type of a backend config -> engine of its plain circuits (see
:func:`local_nexus.simulators.circuits.is_plain`); Aer runs all others."""


def handle(request: RunRequest) -> Outcome:
    """Run a program.

    :returns: its outcome; every failure of the program is one, too.
    """
    try:
        return _run_circuit(request)
    except SimulationError as error:
        return failure(str(error))
    except MemoryError:
        return failure("The simulation needs more memory than its process may use.")
    except Exception as error:  # noqa: BLE001 - whatever a simulator raises
        return failure(f"The simulator failed: {type(error).__name__}: {error}")


def _run_circuit(request: RunRequest) -> Outcome:
    config = request.backend_config
    circuit = circuits.parse(request.program)
    engine = engine_for(circuit, config["type"]).load(config["type"])
    result = engine.run(circuit, config, request.n_shots)
    return Outcome(
        "COMPLETED",
        message="Circuit has completed.",
        result_type="PYTKET",
        result=json.dumps(result.to_dict()),
        backend_info=json.dumps(stored_backend_info(engine.backend_info(config))),
    )


def engine_for(circuit: Circuit, config_type: str) -> Engine:
    """Return the engine for a circuit.

    :raises SimulationError: when there is none for the type of backend config.
    """
    try:
        engine = PLAIN_ENGINES[config_type]
    except KeyError:
        raise SimulationError(
            f"Programs for {config_type} cannot be simulated here; known backend "
            f"configs are {', '.join(sorted(PLAIN_ENGINES))}."
        ) from None
    return engine if circuits.is_plain(circuit) else AER
