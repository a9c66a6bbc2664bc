"""Samplers survive the way through JSON, and what Artemis cannot run is refused."""

import json

import lightworks as lw
import lightworks_remote
import pytest
from lightworks_remote.utils.serialization import serialize
from tests.helpers.photonic_workflows import (
    hong_ou_mandel,
    identity,
    random_sampler,
    rich_sampler,
)

from tkr_lightworks_worker.errors import InvalidInputError
from tkr_lightworks_worker.samplers import SamplerSpec, check_sampler, read_samplers

SAMPLERS = [hong_ou_mandel, random_sampler, rich_sampler]


def payload(sampler: lw.Sampler, *, direct: bool) -> dict:
    qpu = lightworks_remote.QPU("Artemis")
    made = qpu._build_payload_from_task(sampler, direct, "a job")
    return json.loads(json.dumps(serialize(made)))


@pytest.mark.parametrize("make", SAMPLERS)
@pytest.mark.parametrize("direct", [False, True])
def test_a_sampler_has_the_same_payload_after_a_round_trip(make, direct):
    spec = SamplerSpec.of(make(), direct_implementation=direct)
    read = SamplerSpec.model_validate_json(spec.model_dump_json())
    assert read == spec
    assert SamplerSpec.of(read.to_sampler(), direct_implementation=direct) == spec
    assert payload(read.to_sampler(), direct=direct) == payload(make(), direct=direct)


def test_the_number_of_photons_counts_heralds():
    spec = SamplerSpec.of(rich_sampler())
    assert (spec.n_photons, spec.detection_filter) == (3, 2)


def lossy() -> lw.Sampler:
    circuit = lw.PhotonicCircuit(2)
    circuit.bs(0, loss=0.1)
    return lw.Sampler(circuit, lw.State([1, 0]), 10)


def with_options(**options) -> lw.Sampler:
    return lw.Sampler(lw.PhotonicCircuit(2), lw.State([1, 0]), 10, **options)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lossy, "loss"),
        (lambda: with_options(source=lw.emulator.Source(purity=0.9)), "source"),
        (lambda: with_options(detector=lw.emulator.Detector()), "detector"),
        (lambda: with_options(sampling_mode="input"), "sampling_mode"),
        (lambda: with_options(post_selection=lambda s: s[0] == 1), "function"),
        (lambda: lw.PhotonicCircuit(2), "PhotonicCircuit"),
    ],
)
def test_what_artemis_cannot_run_is_refused(make, word):
    with pytest.raises(InvalidInputError, match=word):
        SamplerSpec.of(make())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"input_state": [1, 0, 0]}, "length 3.*4 modes"),
        ({"input_state": [2, 0, 0, 0]}, "0 or 1 photon"),
        ({"input_state": [0, 0, 0, 0]}, "no photon"),
        ({"n_samples": 0}, "0 samples"),
        ({"min_detection": 3}, "min_detection 3"),
        ({"post_selection": [{"modes": [4], "photons": [1]}]}, "mode 4"),
        (
            {"components": [{"kind": "unitary", "unitary": [[1, 1], [0, 1]]}]},
            "not unitary",
        ),
        (
            # Lightworks refuses what is off by more than 1e-10.
            {"components": [{"kind": "unitary", "unitary": [[1 + 1e-9]]}]},
            "not unitary",
        ),
        ({"components": [{"kind": "unitary", "unitary": [[1, 0]]}]}, "square"),
        ({"post_selection": [{"modes": [0], "photons": [-1]}]}, "-1 photons"),
        (
            {"components": [{"kind": "mode_swaps", "swaps": [[0, 1], [0, 0], [1, 0]]}]},
            "once on each side",
        ),
        (
            {"components": [{"kind": "phase_shifter", "mode": 4, "phi": 1}]},
            "mode 4.*0 to 3",
        ),
        (
            {"components": [{"kind": "mode_swaps", "swaps": [[0, 1]]}]},
            "swaps",
        ),
        (
            {
                "components": [
                    {"kind": "beam_splitter", "mode_1": 0, "mode_2": 0}
                    | {"reflectivity": 0.5}
                ]
            },
            "itself",
        ),
    ],
)
def test_a_bad_sampler_is_refused_in_one_sentence(changes, words):
    spec = SamplerSpec.model_validate(identity(4, 2).model_dump() | changes)
    with pytest.raises(InvalidInputError, match=words) as raised:
        check_sampler(spec, "Sampler 1 of the input samplers")
    assert str(raised.value).startswith("Sampler 1 of the input samplers ")
    assert str(raised.value).endswith(".")


def test_an_unreadable_sampler_is_refused_by_its_place_and_field():
    good = identity(2, 1).model_dump(mode="json")
    with pytest.raises(InvalidInputError, match=r"samplers\[1\].*n_modes"):
        read_samplers([good, good | {"n_modes": "many"}])


@pytest.mark.parametrize("entry", [["1", "0"], [None, 1], [10**400, 0]])
def test_an_entry_that_is_no_number_is_refused_by_its_place(entry):
    bad = identity(1, 1).model_dump(mode="json")
    bad["components"] = [{"kind": "unitary", "unitary": [[entry]]}]
    with pytest.raises(InvalidInputError, match=r"sampler.*unitary\.0\.0"):
        read_samplers([bad])
