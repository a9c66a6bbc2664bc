"""Projects of Nexus: find one by its name, or make it once."""

import fcntl
import hashlib
import logging
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import qnexus as qnx
from qnexus.config import CONFIG
from qnexus.models.references import ProjectRef

from tkr_nexus_worker.errors import InvalidInputError, NexusRefusedError
from tkr_nexus_worker.nexus.checks import check_name
from tkr_nexus_worker.nexus.client import call
from tkr_nexus_worker.nexus.idempotency import digest_in, key_of, make_once

logger = logging.getLogger(__name__)


def get_or_create_project(name: str) -> ProjectRef:
    """Return the project of this name, making it if there is none.

    The tasks of a workflow often meet a new project at the same moment. A lock of this
    machine makes one of them create the project while the others wait for it.

    :param name: The name of the project, not empty.
    :returns: A reference to the one project of that name.
    :raises InvalidInputError: If the name is empty, or several projects have it.
    :raises NotLoggedInError: If there is no valid login.
    """
    check_name("project", name)
    project = call(f"look up project {name!r}", lambda: _find_project(name))
    if project is not None:
        return project
    key = key_of("project", name)
    with _creation_lock(name):
        return make_once(
            f"create project {name!r}",
            find=lambda: _find_project(name),
            make=lambda: qnx.projects.create(name=name, description=key.description),
            marker=key.marker,
            look_first=True,
        )


def find_project(name: str) -> ProjectRef:
    """Return the project of this name.

    :param name: The name of the project.
    :returns: A reference to the one project of that name.
    :raises InvalidInputError: If the name is empty, or several projects have it.
    :raises NexusRefusedError: If there is no such project that you may see.
    """
    check_name("project", name)
    project = call(f"look up project {name!r}", lambda: _find_project(name))
    if project is None:
        raise NexusRefusedError(
            f"There is no project called {name!r} that you may see, on Nexus at "
            f"{CONFIG.url}.",
            404,
        )
    return project


def _find_project(name: str) -> ProjectRef | None:
    found = qnx.projects.get_all(name_exact=[name], created_after=None).list()
    found.sort(key=lambda project: (str(project.annotations.created), str(project.id)))
    digests = {digest_in(project.annotations.description) for project in found}
    if len(found) > 1 and len(digests) == 1 and None not in digests:
        logger.warning(
            "nexus: project %r was created %d times, because a request arrived late; "
            "using the oldest (%s), archive the others (%s)",
            name,
            len(found),
            found[0].id,
            ", ".join(str(project.id) for project in found[1:]),
        )
    elif len(found) > 1:
        ids = ", ".join(str(project.id) for project in found)
        raise InvalidInputError(
            f"There are {len(found)} projects called {name!r} in Nexus ({ids}); "
            "rename or archive all but one of them, or give another project name."
        )
    return found[0] if found else None


@contextmanager
def _creation_lock(name: str) -> Generator[None]:
    directory = Path(tempfile.gettempdir()) / f"tkr-nexus-worker-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    key = hashlib.sha256(f"{CONFIG.url}\n{name}".encode()).hexdigest()[:32]
    with (directory / f"project-{key}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
