"""What the simulators are asked for a job, and how their answers are kept."""

from local_cloud.store import Row, Transaction
from local_nexus.compilations.service import add_compilation
from local_nexus.quotas.service import charge
from local_nexus.results.service import add_result, add_traces
from local_nexus.simulators import (
    CompileOutcome,
    CompileRequest,
    Outcome,
    RunRequest,
)

# Where an outcome keeps what a compilation made, until it is shown.
_COMPILED = "compiled"

type AnyOutcome = Outcome | CompileOutcome


def request(
    tx: Transaction, job: Row, item: Row, *, strict: bool
) -> RunRequest | CompileRequest:
    """Return what the simulators are asked for an item of a job.

    :param strict: Whether a circuit with gates that its device does not have fails.
    """
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
        strict=strict,
    )


def keep(tx: Transaction, item: Row, outcome: AnyOutcome, now: int) -> Row:
    """Store the results of an item.

    :returns: What :func:`shown` takes once the job's progress shows the outcome.
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
        if not charge(tx, job["creator_id"], outcome.cost):
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
        "result_type": outcome.result_type,
        "contents": outcome.result,
        "backend_info": outcome.backend_info,
    }
    result_id = add_result(tx, item, result, now)
    return kept | {"result_id": result_id, "result_type": outcome.result_type}


def shown(tx: Transaction, item: Row, now: int) -> Row:
    """Return the columns of an item whose outcome is shown now.

    Circuits that a compilation made are listed from now on.
    """
    columns: Row = dict(item["outcome"])
    made = columns.pop(_COMPILED, None)
    if made is None:
        return columns
    columns |= add_compilation(tx, item, made, now)
    return columns | {"outcome": columns}


def _contents(tx: Transaction, upload_id: str) -> bytes:
    """Return the contents of an upload; nothing if it was removed meanwhile."""
    row = tx.get("uploads", upload_id)
    return b"" if row is None else row["contents"]
