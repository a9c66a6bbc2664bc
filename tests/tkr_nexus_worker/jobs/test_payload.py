import base64

import pytest
import qnexus as qnx
from pytket.circuit import Circuit, Node, Qubit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tests.conftest import PROJECT

from local_nexus import Fault, Progress
from tkr_nexus_worker import programs
from tkr_nexus_worker.errors import NexusRefusedError
from tkr_nexus_worker.jobs.submit import get_job_payload, start_execute_job

CONFIG = QuantinuumConfig(device_name="H2-1LE", simplify_initial=True)


def test_what_was_submitted_comes_back_in_order(connected):
    first = Circuit(2, name="first").H(0).CX(0, 1).measure_all()
    second = Circuit(1, name="second").Rz(0.25, 0).measure_all()
    uploaded = [programs.upload_circuit(it, PROJECT) for it in (first, second)]
    submitted = [uploaded[1], uploaded[0], uploaded[1]]
    job = start_execute_job(PROJECT, "payload", submitted, [7, 8, 9], CONFIG)
    connected.clear_requests()
    payload = get_job_payload(str(job.id))
    assert (payload.job_id, payload.project) == (str(job.id), PROJECT)
    assert payload.backend == "H2-1LE"
    assert payload.backend_config["simplify_initial"] is True
    assert payload.options["valid_check"] is True
    assert [it.name for it in payload.programs] == ["second", "first", "second"]
    assert [it.n_shots for it in payload.programs] == [7, 8, 9]
    circuits = [Circuit.from_dict(it.circuit) for it in payload.programs]
    assert circuits == [second, first, second]
    assert len(connected.requests(path="/api/circuits/*")) == 2


def test_options_of_a_program_are_told(connected):
    circuit = programs.upload_circuit(Circuit(1, name="x").X(0).measure_all(), PROJECT)
    job = qnx.start_execute_job(
        programs=[circuit],
        n_shots=[5],
        backend_config=CONFIG,
        name="with a limit",
        project=circuit.project,
        max_cost=[12.5],
    )
    (program,) = get_job_payload(job).programs
    assert program.options["max_cost"] == 12.5
    assert "status" not in program.options


def test_qir_comes_back_as_it_was(connected):
    connected.progress = Progress.seconds(queued=1e6)
    project = qnx.projects.get_or_create(name=PROJECT)
    qir = qnx.qir.upload(qir=b"BC\xc0\xde", name="some qir", project=project)
    job = start_execute_job(PROJECT, "qir", [qir], [3], CONFIG)
    (program,) = get_job_payload(job).programs
    assert (program.program_type, program.circuit) == ("qir", None)
    assert base64.b64decode(program.content) == b"BC\xc0\xde"


def test_a_program_that_is_gone_is_named(connected, submit):
    job = submit()
    gone = Fault("answer", status=410, path="/api/circuits/*", body={"message": "gone"})
    with (
        connected.fault(gone),
        pytest.raises(NexusRefusedError, match="download program 0 of job"),
    ):
        get_job_payload(job)


def test_qubits_keep_their_names(connected):
    circuit = Circuit(name="named")
    circuit.add_qubit(Qubit("ancilla", 3))
    circuit.add_qubit(Node("node", 1))
    circuit.H(Qubit("ancilla", 3)).measure_all()
    uploaded = programs.upload_circuit(circuit, PROJECT)
    job = start_execute_job(PROJECT, "named", [uploaded], [1], CONFIG)
    (program,) = get_job_payload(job).programs
    assert Circuit.from_dict(program.circuit) == circuit
