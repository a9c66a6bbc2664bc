"""Code generated from vqe_worker namespace. Please do not edit."""

from typing import NamedTuple

from tierkreis.controller.data.models import TKR


class Step(NamedTuple):
    energy: TKR[float]
    iteration: TKR[int]
    parameters: TKR[dict[str, float]]
    should_continue: TKR[bool]
    standard_error: TKR[float]
    still: TKR[int]


class trials(NamedTuple):
    parameters: TKR[dict[str, float]]
    iteration: TKR[int]

    @staticmethod
    def out() -> type[TKR[list[dict[str, float]]]]:
        return TKR[list[dict[str, float]]]

    @property
    def namespace(self) -> str:
        return "vqe_worker"


class step(NamedTuple):
    parameters: TKR[dict[str, float]]
    iteration: TKR[int]
    still: TKR[int]
    values: TKR[list[float]]
    standard_errors: TKR[list[float]]

    @staticmethod
    def out() -> type[Step]:
        return Step

    @property
    def namespace(self) -> str:
        return "vqe_worker"
