"""Code generated from tuning_worker namespace. Please do not edit."""

# ruff: noqa: F821
from typing import NamedTuple

from tierkreis.controller.data.models import TKR, OpaqueType


class Tuning(NamedTuple):
    gradient: TKR[float]
    iteration: TKR[int]
    phase: TKR[float]
    should_continue: TKR[bool]


class interferometers(NamedTuple):
    phase: TKR[float]
    n_samples: TKR[int]

    @staticmethod
    def out() -> type[
        TKR[list[OpaqueType["tkr_lightworks_worker.samplers.SamplerSpec"]]]
    ]:
        return TKR[list[OpaqueType["tkr_lightworks_worker.samplers.SamplerSpec"]]]

    @property
    def namespace(self) -> str:
        return "tuning_worker"


class tune(NamedTuple):
    phase: TKR[float]
    iteration: TKR[int]
    results: TKR[list[OpaqueType["tkr_lightworks_worker.results.SamplingResult"]]]

    @staticmethod
    def out() -> type[Tuning]:
        return Tuning

    @property
    def namespace(self) -> str:
        return "tuning_worker"
