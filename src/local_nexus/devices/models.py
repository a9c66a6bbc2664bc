"""The bodies of requests about devices and their backends."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from local_nexus.simulators.devices import PropertyName


class BackendConfig(BaseModel):
    """Where a job runs; its options are for the simulator to judge."""

    model_config = ConfigDict(extra="allow")

    type: Literal[
        "AerConfig",
        "AerStateConfig",
        "AerUnitaryConfig",
        "BraketConfig",
        "HeliosConfig",
        "IBMQConfig",
        "IBMQEmulatorConfig",
        "QuantinuumConfig",
        "QulacsConfig",
        "SeleneConfig",
        "SelenePlusConfig",
    ]


class BackendProperty(BaseModel):
    """A question about a backend."""

    backend_config: BackendConfig
    property: PropertyName
