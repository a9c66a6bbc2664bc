"""Files that say how jobs move and what goes wrong."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from local_nexus import bodies
from local_nexus.errors import ApiError, StartError
from local_nexus.services import Services


def load(path: Path, services: Services) -> None:
    """Put the rules of a file in force.

    :param path: a TOML file with tables ``[[progress]]`` and ``[[faults]]``.
    :raises StartError: if it cannot be read or has a wrong rule.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        # As JSON, so that files are checked by the same rules as requests.
        body = json.dumps(content, default=str).encode()
        scenario = bodies.parse(bodies.Scenario, body)
    except (OSError, ValueError, ApiError) as error:
        raise StartError(f"Cannot use the file {path}: {error}") from error
    for progress in scenario.progress:
        services.execution.set_progress(progress.rule())
    for fault in scenario.faults:
        services.faults.add(fault.root)
