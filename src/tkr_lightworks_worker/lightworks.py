"""Lightworks and its client, which are imported only where a payload is made.

Nothing here sends a request. The client sends a POST whose answer was lost up to five
times, knows no Retry-After and fails on answers that it does not know, so requests are
sent by :mod:`tkr_lightworks_worker.artemis.client`; what is sent is made by the client
itself, so that Artemis receives what it receives from Lightworks.
"""

import os
import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from tkr_lightworks_worker.artemis import settings
from tkr_lightworks_worker.errors import SetupError

_import_lock = threading.Lock()


def lightworks() -> ModuleType:
    """Return the package ``lightworks``.

    :raises SetupError: If it is not installed.
    """
    return _import("lightworks")


def remote() -> ModuleType:
    """Return the package ``lightworks_remote``, the client of Artemis.

    Its import makes a folder in the home directory, changes how warnings are printed
    and warns if it knows no address; the address is not read from it.

    :raises SetupError: If it is not installed.
    """
    return _import("lightworks_remote")


def preload() -> None:
    """Import both, for tasks that run in forks; where they are missing, do nothing."""
    try:
        remote()
        _import("lightworks_remote.utils.serialization")
    except SetupError:
        return


def to_payload(sampler: Any, qpu_name: str, job_name: str, *, direct: bool) -> Any:
    """Return the payload that the client sends for a sampler, as JSON values.

    :param sampler: The ``lightworks.Sampler``.
    :param qpu_name: The name of the QPU.
    :param job_name: The name of the job.
    :param direct: Whether the QPU is to keep the structure of the circuit.
    :raises SetupError: If Lightworks is not installed.
    :raises ValueError: If Artemis cannot run the sampler.
    :raises TypeError: If it has parts that Artemis does not take.
    """
    from importlib import import_module

    qpu = remote().QPU(qpu_name)
    payload = qpu._build_payload_from_task(sampler, direct, job_name)  # noqa: SLF001
    serialization = import_module("lightworks_remote.utils.serialization")
    return serialization.serialize(payload)


def _import(name: str) -> ModuleType:
    from importlib import import_module

    with _import_lock, _quiet_import():
        try:
            # Importing the first imports the other as well.
            import_module("lightworks")
            return import_module(name)
        except ModuleNotFoundError as error:
            if error.name not in {"lightworks", "lightworks_remote"}:
                raise
            raise SetupError(settings.HOW_TO_INSTALL) from error


@contextmanager
def _quiet_import() -> Generator[None]:
    """Keep what the import of the client does from the rest of the process."""
    home, formatwarning = os.environ.get("HOME"), warnings.formatwarning
    os.environ["HOME"] = str(settings.home())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        warnings.formatwarning = formatwarning
        if home is None:
            del os.environ["HOME"]
        else:
            os.environ["HOME"] = home
