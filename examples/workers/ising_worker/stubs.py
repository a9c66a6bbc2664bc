"""Code generated from ising_worker namespace. Please do not edit."""

# ruff: noqa: F821
from typing import NamedTuple

from tierkreis.controller.data.models import TKR, OpaqueType


class measurement_circuits(NamedTuple):
    angle: TKR[float]

    @staticmethod
    def out() -> type[TKR[list[OpaqueType["pytket._tket.circuit.Circuit"]]]]:
        return TKR[list[OpaqueType["pytket._tket.circuit.Circuit"]]]

    @property
    def namespace(self) -> str:
        return "ising_worker"


class energy(NamedTuple):
    results: TKR[list[OpaqueType["pytket.backends.backendresult.BackendResult"]]]
    field: TKR[float]

    @staticmethod
    def out() -> type[TKR[float]]:
        return TKR[float]

    @property
    def namespace(self) -> str:
        return "ising_worker"


class share_of_ones(NamedTuple):
    result: TKR[OpaqueType["pytket.backends.backendresult.BackendResult"]]

    @staticmethod
    def out() -> type[TKR[float]]:
        return TKR[float]

    @property
    def namespace(self) -> str:
        return "ising_worker"
