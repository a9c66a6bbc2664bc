"""Samplers for tests, and what tests of photonic jobs do with the embedded Artemis."""

import numpy as np

from local_artemis import LocalArtemis
from tkr_lightworks_worker import lightworks
from tkr_lightworks_worker.samplers import SamplerSpec

# Its import warns where it has no settings, and warnings are errors here.
lw = lightworks.lightworks()

QPU = "Artemis"


def hong_ou_mandel(n_samples: int = 100) -> "lw.Sampler":
    """Two photons that meet at a beam splitter; both modes never click."""
    circuit = lw.PhotonicCircuit(2)
    circuit.bs(0)
    return lw.Sampler(circuit, lw.State([1, 1]), n_samples, min_detection=1)


def random_sampler(
    n_samples: int = 100, n_modes: int = 4, seed: int = 1
) -> "lw.Sampler":
    """Two photons in a random unitary."""
    unitary = lw.Unitary(lw.random_unitary(n_modes, seed=1))
    state = lw.State([1, 1] + [0] * (n_modes - 2))
    return lw.Sampler(unitary, state, n_samples, min_detection=1)


def rich_sampler(n_samples: int = 50) -> "lw.Sampler":
    """A sampler with components of all kinds, heralds and post-selection."""
    circuit = lw.PhotonicCircuit(5)
    circuit.bs(0, reflectivity=0.3)
    circuit.bs(1, 3, convention="H")
    circuit.ps(2, lw.Parameter(0.7))
    circuit.barrier([0, 1])
    circuit.mode_swaps({0: 2, 2: 0})
    circuit.add(lw.Unitary(lw.random_unitary(3, seed=2), "V"), 1)
    circuit.herald((4, 3), (1, 0))
    circuit.herald(0, 0)
    selection = lw.PostSelection(multi_rules=True)
    selection.add((0, 1), (1, 2))
    selection.add(0, (0, 1))
    return lw.Sampler(
        circuit,
        lw.State([1, 0, 1]),
        n_samples,
        post_selection=selection,
        min_detection=1,
    )


def identity(n_modes: int, n_photons: int, **options) -> SamplerSpec:
    """Photons that stay in their modes."""
    return SamplerSpec(
        n_modes=n_modes,
        components=[{"kind": "unitary", "unitary": np.eye(n_modes).tolist()}],
        input_state=[1] * n_photons + [0] * (n_modes - n_photons),
        **{"n_samples": 10, **options},
    )


def jobs_called(artemis: LocalArtemis, name: str) -> list[dict]:
    """Return the jobs that a user gave a name, without what the worker adds."""
    return [it for it in artemis.jobs() if it["name"].startswith(f"{name} [")]


def living(jobs: list[dict]) -> list[dict]:
    """Return the jobs that wait, run or have completed."""
    return [it for it in jobs if it["status"] not in ("Cancelled", "Failed")]
