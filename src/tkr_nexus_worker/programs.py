"""Programs on Nexus: upload circuits and HUGR packages."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import qnexus as qnx
from hugr.package import Package
from pytket.circuit import Circuit
from qnexus.models.references import CircuitRef, HUGRRef, ProjectRef

from tkr_nexus_worker.nexus.checks import check_name
from tkr_nexus_worker.nexus.idempotency import Key, key_of, make_once
from tkr_nexus_worker.nexus.projects import get_or_create_project

logger = logging.getLogger(__name__)

_DIGITS_IN_NAMES = 12
_CONCURRENT_UPLOADS = 8


def upload_circuit(circuit: Circuit, project_name: str) -> CircuitRef:
    """Upload a circuit.

    :param circuit: The circuit. If it has no name, it is uploaded as ``circuit-`` plus
        the first digits of the SHA-256 of its content.
    :param project_name: The project; created if it does not exist.
    :returns: A reference to the circuit on Nexus.
    :raises NexusWorkerError: If the upload fails.
    """
    check_name("project", project_name)
    return _upload_circuit(circuit, get_or_create_project(project_name))


def upload_circuits(circuits: Sequence[Circuit], project_name: str) -> list[CircuitRef]:
    """Upload circuits concurrently over shared connections.

    :param circuits: The circuits, named as :func:`upload_circuit` does.
    :param project_name: The project; created if it does not exist.
    :returns: References to the circuits on Nexus, in the same order.
    :raises NexusWorkerError: If an upload fails.
    """
    check_name("project", project_name)
    project = get_or_create_project(project_name)
    # Threads do not inherit the context, which holds the task of the uploads.
    contexts = [copy_context() for _ in circuits]

    def upload(index: int) -> CircuitRef:
        return contexts[index].run(_upload_circuit, circuits[index], project, index)

    with ThreadPoolExecutor(max_workers=_CONCURRENT_UPLOADS) as pool:
        return list(pool.map(upload, range(len(circuits))))


def _upload_circuit(
    circuit: Circuit, project: ProjectRef, index: int | None = None
) -> CircuitRef:
    """Upload a circuit once.

    :param index: The index of the circuit among several of one task, which may share
        a name.
    """
    name = circuit.name or _name_by_content(
        "circuit", json.dumps(circuit.to_dict(), sort_keys=True).encode()
    )
    place = [] if index is None else [index]
    key = key_of("circuit", project.annotations.name, name, *place)
    ref = make_once(
        f"upload circuit {name!r}",
        find=lambda: _find(qnx.circuits.get_all, name, project, key),
        make=lambda: qnx.circuits.upload(
            circuit=circuit, name=name, description=key.description, project=project
        ),
        marker=key.marker,
    )
    logger.info("nexus: uploaded circuit %r (%s)", name, ref.id)
    return ref


def upload_hugr(
    package: Package, project_name: str, name: str | None = None
) -> HUGRRef:
    """Upload a HUGR package.

    :param package: The package, for example compiled by guppylang.
    :param project_name: The project; created if it does not exist.
    :param name: The name of the program; by default ``hugr-`` plus the first digits of
        the SHA-256 of its content.
    :returns: A reference to the program on Nexus.
    :raises NexusWorkerError: If the upload fails.
    """
    check_name("project", project_name)
    if name is None:
        name = _name_by_content("hugr", package.to_bytes())
    check_name("program", name)
    project = get_or_create_project(project_name)
    key = key_of("hugr", project_name, name)
    ref = make_once(
        f"upload HUGR program {name!r}",
        find=lambda: _find(qnx.hugr.get_all, name, project, key),
        make=lambda: qnx.hugr.upload(
            hugr_package=package,
            name=name,
            description=key.description,
            project=project,
        ),
        marker=key.marker,
    )
    logger.info("nexus: uploaded HUGR program %r (%s)", name, ref.id)
    return ref


def _find[T: (CircuitRef, HUGRRef)](
    get_all: Callable[..., Iterable[T]], name: str, project: ProjectRef, key: Key
) -> T | None:
    """Return what an earlier attempt of the same task uploaded, the oldest if several.

    Nexus deletes no programs. A duplicate costs nothing and no job uses it.
    """
    programs = get_all(name_exact=[name], project=project, created_after=key.since)
    found = sorted(
        (p for p in programs if key.is_in(p.annotations.description)),
        key=lambda program: (str(program.annotations.created), str(program.id)),
    )
    for duplicate in found[1:]:
        logger.warning(
            "nexus: program %r (%s) was uploaded twice, because a request arrived "
            "late; the duplicate %s is not used",
            name,
            found[0].id,
            duplicate.id,
        )
    return found[0] if found else None


def _name_by_content(kind: str, content: bytes) -> str:
    return f"{kind}-{hashlib.sha256(content).hexdigest()[:_DIGITS_IN_NAMES]}"
