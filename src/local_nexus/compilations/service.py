"""Storing what a compile job made."""

from local_cloud.store import Row, Transaction
from local_nexus.projects.service import new_id, new_row


def add_compilation(tx: Transaction, item: Row, made: Row, now: int) -> Row:
    """Store the compiled circuit and, if the job asks for them, those on the way."""
    job = tx.get("jobs", item["job_id"])
    original = tx.get("uploads", item["program_id"])
    if job is None or original is None:
        return {}

    def add(suffix: str, circuit: str) -> str:
        return _add_circuit(tx, job, f"{original['name']}-{suffix}", circuit, now)

    compiled_id = add("compiled", made["circuit"])
    compilation = {
        **new_row(job["creator_id"], {"name": job["name"]}, now),
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
                "id": new_id(),
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
        **new_row(job["creator_id"], annotations, now),
        "kind": "circuit",
        "project_id": job["project_id"],
        "contents": circuit.encode(),
    }
    tx.insert("uploads", row)
    new_id: str = row["id"]
    return new_id
