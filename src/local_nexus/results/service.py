"""Storing the results of execute jobs."""

from local_cloud.store import Row, Transaction
from local_nexus.projects.service import new_id


def add_result(tx: Transaction, item: Row, result: Row, now: int) -> str:
    """Store the result of an item, and return its id.

    :param result: Its type, contents and backend info.
    """
    result_id = new_id()
    row = {
        **result,
        "id": result_id,
        "job_id": item["job_id"],
        "program_id": item["program_id"],
        "program_type": item["program_type"],
        "created": now,
    }
    tx.insert("results", row)
    return result_id


def add_traces(tx: Transaction, item: Row, shots: str) -> str:
    """Store the runtime traces of an item, and return their id.

    :param shots: JSON text of a list with one trace per shot.
    """
    traces_id = new_id()
    row = {"id": traces_id, "job_id": item["job_id"], "shots": shots}
    tx.insert("runtime_traces", row)
    return traces_id
