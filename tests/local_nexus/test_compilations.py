import pytest
from tests.helpers.waiting import wait_until

from local_nexus import Progress

COMPILE = """
project = qnx.projects.get(name="shared")
circuit = qnx.circuits.upload(bell("to compile"), project=project)
job = qnx.start_compile_job(
    programs=[circuit],
    backend_config=qnx.QuantinuumConfig(device_name="H1-1LE"),
    name="compiling",
    project=project,
    optimisation_level=2,
    skip_intermediate_circuits=skip,
)
qnx.jobs.wait_for(job, timeout=120)
(ref,) = qnx.jobs.results(job)
passes = ref.get_passes()
"""


def test_a_compile_job_gives_the_compiled_circuit(client):
    seen = client.run(
        COMPILE
        + """
gates = {str(command.op.type) for command in ref.get_output().download_circuit()}
result = [ref.get_input().id == circuit.id, sorted(gates), len(passes)]
""",
        skip=True,
    )
    same, gates, passes = seen
    assert same
    assert passes == 0
    assert set(gates) <= {
        f"OpType.{name}" for name in ("PhasedX", "Rz", "ZZPhase", "ZZMax", "Measure")
    }


def test_the_passes_lead_from_the_circuit_to_its_compilation(client):
    seen = client.run(
        COMPILE
        + """
before = [it.get_input().id for it in passes]
after = [it.get_output().id for it in passes]
last = passes[-1].get_output().download_circuit()
result = [
    before[0] == circuit.id,
    before[1:] == after[:-1],
    last.get_commands() == ref.get_output().download_circuit().get_commands(),
]
""",
        skip=False,
    )
    assert seen == [True, True, True]


@pytest.fixture
def held(nexus):
    """Jobs with this name stay in the queue."""
    nexus.set_progress(Progress.seconds(queued=1e6), job="held")
    yield "held"
    nexus.clear_progress()


HELD = """
project = qnx.projects.create(name="of a held job")
circuit = qnx.circuits.upload(bell("only one"), project=project)
job = qnx.start_compile_job(
    programs=[circuit], backend_config=qnx.QulacsConfig(), name=name, project=project
)
result = [project.id, job.id]
"""
CIRCUITS = """
project = qnx.projects.get(id=project)
result = sorted(it.annotations.name for it in qnx.circuits.get_all(project=project))
"""
OUTPUT = """
(ref,) = qnx.jobs.results(qnx.jobs.get(id=job))
result = ref.get_output().annotations.name
"""


def seconds_of_compilation(client):
    return client.run("result = qnx.quotas.get('compilation').usage")


@pytest.mark.parametrize("end", ["of its own", "by hand"])
def test_a_compiled_circuit_is_there_when_its_job_is_done(nexus, client, held, end):
    before = seconds_of_compilation(client)
    project, job = client.run(HELD, name=held)
    assert wait_until(lambda: seconds_of_compilation(client) > before)
    assert client.run(CIRCUITS, project=project) == ["only one"]
    if end == "by hand":
        nexus.set_job_status(job, "COMPLETED")
    else:
        nexus.clear_progress()
    assert client.run(CIRCUITS, project=project) == ["only one", "only one-compiled"]
    assert client.run(OUTPUT, job=job) == "only one-compiled"
