"""Projects on Nexus: find a project by its name, or create it once."""

import hashlib
import logging
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import qnexus as qnx
from qnexus.config import CONFIG
from qnexus.models.references import ProjectRef

from tkr_nexus_worker.errors import InvalidInputError, UnknownNameError
from tkr_nexus_worker.nexus.client import call, limits
from tkr_nexus_worker.nexus.idempotency import digest_in, key_of, make_once
from tkr_runtime.jobs.names import check_name
from tkr_runtime.locks import hold_lock
from tkr_runtime.private_folder import private_folder
from tkr_runtime.tasks import workflow_memory

logger = logging.getLogger(__name__)


def get_or_create_project(name: str) -> ProjectRef:
    """Return the project of this name; create it if it does not exist.

    Tasks of a workflow often need a new project at the same time. A lock on this
    machine lets one of them create it while the others wait. Later tasks of the
    workflow use what the first one has found.

    :param name: The name of the project, not empty.
    :returns: A reference to the project.
    :raises InvalidInputError: If the name is empty, or is not unique.
    :raises NotLoggedInError: If there is no valid login.
    """
    check_name("project", name)
    subject = f"project {name!r} of {CONFIG.token_path} on {CONFIG.url}"
    remembered = workflow_memory.recall(subject)
    if remembered is not None:
        return ProjectRef.model_validate_json(remembered)
    project = call(f"look up project {name!r}", lambda: _find_project(name))
    if project is None:
        key = key_of("project", name)
        with _creation_lock(name):
            project = make_once(
                f"create project {name!r}",
                find=lambda: _find_project(name),
                make=lambda: qnx.projects.create(
                    name=name, description=key.description
                ),
                marker=key.marker,
                look_first=True,
            )
    workflow_memory.remember(subject, project.model_dump_json())
    return project


def find_project(name: str) -> ProjectRef:
    """Return the project of this name.

    :param name: The name of the project.
    :returns: A reference to the project.
    :raises InvalidInputError: If the name is empty, or is not unique.
    :raises UnknownNameError: If the project does not exist or you have no access.
    """
    check_name("project", name)
    project = call(f"look up project {name!r}", lambda: _find_project(name))
    if project is None:
        raise UnknownNameError(
            f"There is no project called {name!r} on Nexus at {CONFIG.url}, or you do "
            "not have access to it.",
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
            f"There are {len(found)} projects called {name!r} on Nexus ({ids}); rename "
            "or archive all but one of them, or use another project name."
        )
    return found[0] if found else None


@contextmanager
def _creation_lock(name: str) -> Generator[None]:
    folder = private_folder(tempfile.gettempdir(), "tkr-nexus-worker")
    if folder is None:
        logger.warning(
            "nexus: no private folder can be made in %s, so tasks that create project "
            "%r at the same moment may create it twice",
            tempfile.gettempdir(),
            name,
        )
        yield
        return
    key = hashlib.sha256(f"{CONFIG.url}\n{name}".encode()).hexdigest()[:32]
    path = Path(folder) / f"project-{key}.lock"
    # To look for a project and to create it may each take that long, in an outage.
    with hold_lock(path, timeout=2 * limits().retry_time, required=False):
        yield
