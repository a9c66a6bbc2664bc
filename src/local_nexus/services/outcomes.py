"""What goes to the simulators and how their answers are kept."""

from __future__ import annotations

from local_nexus.services import accounts, projects
from local_nexus.simulators import (
    CompileOutcome,
    CompileRequest,
    Outcome,
    RunRequest,
)
from local_nexus.simulators.pool import Request
from local_nexus.store import Row, Transaction

# Where an outcome keeps what a compilation made, until it is shown.
_COMPILED = "compiled"

type AnyOutcome = Outcome | CompileOutcome


def request(tx: Transaction, job: Row, item: Row) -> Request[AnyOutcome]:
    """Return what the simulators are asked for an item of a job."""
    definition = job["definition"]
    program = _contents(tx, item["program_id"])
    if job["job_type"] == "compile":
        return CompileRequest(
            circuit=program.decode(),
            backend_config=definition["backend_config"],
            optimisation_level=definition["optimisation_level"],
        )
    options = item["options"]
    wasm_id = definition.get("wasm_module_id")
    return RunRequest(
        program_type=item["program_type"],
        program=program.decode() if item["program_type"] == "circuit" else program,
        backend_config=definition["backend_config"],
        n_shots=options.get("n_shots"),
        n_qubits=options.get("n_qubits"),
        max_cost=options.get("max_cost"),
        wasm=None if wasm_id is None else _contents(tx, wasm_id),
    )


def keep(tx: Transaction, item: Row, outcome: AnyOutcome, now: int) -> Row:
    """Store the results of an item.

    :returns: what :func:`shown` takes once the job's progress shows the outcome.
    """
    columns: Row = {
        "status": outcome.status,
        "message": outcome.message,
        "error_detail": outcome.error_detail,
    }
    if isinstance(outcome, CompileOutcome):
        made = {"circuit": outcome.circuit, "passes": outcome.passes}
        return columns if outcome.circuit is None else columns | {_COMPILED: made}
    job = tx.get("jobs", item["job_id"])
    if job is not None and outcome.cost is not None:
        if not accounts.charge(tx, job["creator_id"], outcome.cost):
            return {
                "status": "DEPLETED",
                "message": "The credits of the user are used up.",
                "error_detail": f"The program costs {outcome.cost:g} HQC.",
            }
        columns |= {"cost": outcome.cost, "cost_confidence": outcome.cost_confidence}
    return columns | _keep_result(tx, item, outcome, now)


def _keep_result(tx: Transaction, item: Row, outcome: Outcome, now: int) -> Row:
    if outcome.result is None:
        return {}
    kept = {}
    if outcome.runtime_traces is not None:
        kept["traces_id"] = add_traces(tx, item, outcome.runtime_traces)
    result = {
        "id": projects.new_id(),
        "job_id": item["job_id"],
        "program_id": item["program_id"],
        "program_type": item["program_type"],
        "result_type": outcome.result_type,
        "contents": outcome.result,
        "backend_info": outcome.backend_info,
        "created": now,
    }
    tx.insert("results", result)
    return kept | {"result_id": result["id"], "result_type": outcome.result_type}


def add_traces(tx: Transaction, item: Row, shots: str) -> str:
    """Store the runtime traces of an item, and return their id.

    :param shots: JSON text of a list with one trace per shot.
    """
    traces_id = projects.new_id()
    row = {"id": traces_id, "job_id": item["job_id"], "shots": shots}
    tx.insert("runtime_traces", row)
    return traces_id


def shown(tx: Transaction, item: Row, now: int) -> Row:
    """Return the columns of an item whose outcome is shown now.

    Circuits that a compilation made are listed from now on.
    """
    columns: Row = dict(item["outcome"])
    made = columns.pop(_COMPILED, None)
    if made is None:
        return columns
    columns |= _add_compilation(tx, item, made, now)
    return columns | {"outcome": columns}


def _add_compilation(tx: Transaction, item: Row, made: Row, now: int) -> Row:
    """Store the compiled circuit and, if the job asks for them, those on the way."""
    job = tx.get("jobs", item["job_id"])
    original = tx.get("uploads", item["program_id"])
    if job is None or original is None:
        return {}

    def add(suffix: str, circuit: str) -> str:
        return _add_circuit(tx, job, f"{original['name']}-{suffix}", circuit, now)

    compiled_id = add("compiled", made["circuit"])
    compilation = {
        **projects.new_row(job["creator_id"], {"name": job["name"]}, now),
        "project_id": job["project_id"],
        "job_id": job["id"],
        "original_circuit_id": original["id"],
        "compiled_circuit_id": compiled_id,
    }
    tx.insert("compilations", compilation)
    if not job["definition"]["skip_store_intermediate_passes"]:
        before = original["id"]
        for pass_name, circuit in made["passes"]:
            after = add(pass_name, circuit)
            row = {
                "id": projects.new_id(),
                "compilation_id": compilation["id"],
                "created": now,
                "pass_name": pass_name,
                "original_circuit_id": before,
                "compiled_circuit_id": after,
            }
            tx.insert("compilation_passes", row)
            before = after
    return {"compilation_id": compilation["id"]}


def _add_circuit(tx: Transaction, job: Row, name: str, circuit: str, now: int) -> str:
    """Store a circuit that a job made, with the properties of the job."""
    annotations = {"name": name, "properties": job["properties"]}
    row = {
        **projects.new_row(job["creator_id"], annotations, now),
        "kind": "circuit",
        "project_id": job["project_id"],
        "contents": circuit.encode(),
    }
    tx.insert("uploads", row)
    new_id: str = row["id"]
    return new_id


def _contents(tx: Transaction, upload_id: str) -> bytes:
    """Return the contents of an upload; nothing if it was removed meanwhile."""
    row = tx.get("uploads", upload_id)
    return b"" if row is None else row["contents"]
