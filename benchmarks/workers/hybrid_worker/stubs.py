"""Code generated from hybrid_worker namespace. Please do not edit."""

# ruff: noqa: F821
from typing import NamedTuple

from tierkreis.controller.data.models import TKR, OpaqueType


class Step(NamedTuple):
    angle: TKR[float]
    iteration: TKR[int]
    should_continue: TKR[bool]


class circuits(NamedTuple):
    angle: TKR[float]

    @staticmethod
    def out() -> type[TKR[list[OpaqueType["pytket._tket.circuit.Circuit"]]]]:
        return TKR[list[OpaqueType["pytket._tket.circuit.Circuit"]]]

    @property
    def namespace(self) -> str:
        return "hybrid_worker"


class energies(NamedTuple):
    results: TKR[list[OpaqueType["pytket.backends.backendresult.BackendResult"]]]

    @staticmethod
    def out() -> type[TKR[list[float]]]:
        return TKR[list[float]]

    @property
    def namespace(self) -> str:
        return "hybrid_worker"


class step(NamedTuple):
    angle: TKR[float]
    iteration: TKR[int]
    values: TKR[list[float]]
    n_iterations: TKR[int]

    @staticmethod
    def out() -> type[Step]:
        return Step

    @property
    def namespace(self) -> str:
        return "hybrid_worker"
