"""Files that say how jobs move and what goes wrong."""

import json
import tomllib
from pathlib import Path

from local_cloud.admin.models import Scenario
from local_cloud.errors import ApiError, StartError
from local_cloud.web.models import parse
from local_cloud.web.state import ServerState


def load(path: Path, state: ServerState) -> None:
    """Put the rules of a file in force, before there are jobs.

    :param path: A TOML file with tables ``[[progress]]`` and ``[[faults]]``.
    :raises StartError: If it cannot be read or has a wrong rule.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        # As JSON, so that files are checked by the same rules as requests.
        body = json.dumps(content, default=str).encode()
        scenario = parse(Scenario, body)
    except (OSError, ValueError, ApiError) as error:
        raise StartError(f"Cannot use the file {path}: {error}") from error
    for progress in scenario.progress:
        state.progress.set(progress.rule())
    for fault in scenario.faults:
        state.faults.add(fault.root)
