"""A task that starts cold imports of Lightworks only what makes a payload."""

import subprocess
import sys

PROGRAM = """
import json
from tkr_lightworks_worker.cloud import LIGHTWORKS
from tkr_runtime.tasks import deferred_imports

deferred_imports.defer_imports(LIGHTWORKS)
LIGHTWORKS.load_all()

from tkr_lightworks_worker.lightworks import to_payload
from tkr_lightworks_worker.samplers import BeamSplitter, SamplerSpec, UnitaryMatrix

spec = SamplerSpec(
    n_modes=2,
    components=[
        BeamSplitter(mode_1=0, mode_2=1, reflectivity=0.5),
        UnitaryMatrix(unitary=[[1, 0], [0, 1]]),
    ],
    input_state=[1, 1],
    n_samples=10,
)
payload = to_payload(spec.to_sampler(), "Artemis", "a job", direct=True)
assert payload["n_samples"] == 10
imported = set(LIGHTWORKS.deferred_imports) - deferred_imports._deferred
print(json.dumps(sorted(imported)))
"""


def test_a_payload_is_made_without_what_draws_plots_and_emulates():
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True
    )
    assert (result.returncode, result.stdout) == (0, "[]\n"), result.stderr
