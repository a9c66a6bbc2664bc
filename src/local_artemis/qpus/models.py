"""QPUs as files describe them, and how tests change them."""

import uuid
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

from local_artemis.engines import EngineName, Noise
from local_cloud.web.models import Name

_NAMESPACE = uuid.UUID("5bb1ad9b-6c0f-4f0a-9a3d-6f6a9a1f6a55")

Count = Annotated[int, Field(ge=1, lt=2**31)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


class Qpu(BaseModel):
    """A QPU; the defaults are those of Artemis, which Lightworks's tutorial names.

    :param samples: The most samples of a job, by the clicks that it asks for.
    :param default_samples: The most of any job.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    modes: Annotated[int, Field(ge=1, le=62)] = 20
    photons: Count = 8
    min_detection: Count = 4
    samples: dict[Count, Count] = {1: 1_000_000, 2: 1_000_000, 3: 50_000, 4: 10_000}
    default_samples: Count = 1_000_000
    available: bool = True
    engine: EngineName = "numpy"
    noise: Noise = Noise()
    seed: Seed | None = None

    @property
    def id(self) -> str:
        """The id, which follows from the name."""
        return str(uuid.uuid5(_NAMESPACE, self.name))

    def most_samples(self, min_detection: int) -> int:
        """Return the most samples of a job that asks for so many clicks."""
        by_clicks = self.samples.get(min_detection, self.default_samples)
        return min(by_clicks, self.default_samples)


class QpuFile(RootModel[Annotated[list[Qpu], Field(min_length=1)]]):
    """A file with QPUs."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [it.name for it in self.root]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two QPUs have the name {min(twice)!r}")
        return self


class QpuChange(BaseModel):
    """What to change of a QPU; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    available: bool = True
    engine: EngineName = "numpy"
    noise: Noise = Noise()
    seed: Seed | None = None
