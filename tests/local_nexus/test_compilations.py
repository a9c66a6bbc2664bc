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
