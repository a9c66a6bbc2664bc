# noqa: INP001 - a folder of scripts
"""Write the JSON Schema of what each command prints with ``--json`` into docs/schemas.

The schemas are those of the models that the commands print. With ``--check`` it writes
nothing and fails if a file is old.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from tkr_lightworks_worker.artemis.qpus import QpuDetails, QpuSummary
from tkr_lightworks_worker.jobs import models as photonic
from tkr_lightworks_worker.results import SamplingResult
from tkr_lightworks_worker.validation import JobValidation as PhotonicValidation
from tkr_nexus_worker.cli.budget import BudgetReport
from tkr_nexus_worker.devices import DeviceDetails, DeviceSummary
from tkr_nexus_worker.jobs import models
from tkr_nexus_worker.nexus.models import AccountReport
from tkr_nexus_worker.results.counts import JobCounts
from tkr_nexus_worker.validation import JobValidation
from tkr_runtime.cli.checks import Check

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "schemas"
COMMAND = "uv run tools/json_schemas.py"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

# Program -> command -> the type of what it prints; of watch, that of each line.
PRINTED: dict[str, dict[str, Any]] = {
    "tkr-nexus": {
        "budget": list[BudgetReport],
        "cancel": list[models.JobStatus],
        "check": JobValidation,
        "delete": list[models.JobStatus],
        "device": list[DeviceDetails],
        "devices": list[DeviceSummary],
        "doctor": list[Check],
        "jobs": list[models.Job],
        "payload": models.JobPayload,
        "results": JobCounts,
        "retry": list[models.JobStatus],
        "run": JobCounts,
        "show": models.Job,
        "status": models.JobStatus,
        "watch": models.WaitProgress,
        "whoami": AccountReport,
    },
    "tkr-lightworks": {
        "cancel": list[photonic.JobStatus],
        "check": PhotonicValidation,
        "doctor": list[Check],
        "jobs": list[photonic.Job],
        "payload": photonic.JobPayload,
        "qpu": list[QpuDetails],
        "qpus": list[QpuSummary],
        "results": list[SamplingResult],
        "retry": list[photonic.JobStatus],
        "run": list[SamplingResult],
        "show": photonic.Job,
        "status": photonic.JobStatus,
        "token list": list[str],
        "watch": photonic.WaitProgress,
    },
}

_FIELD = re.compile(r":param (\w+): (.*?)(?=\n\s*:|\Z)", re.DOTALL)


class _Documented(GenerateJsonSchema):
    """Describes a model by the first line of its docstring, and each field by its own.

    The models document their fields as ``:param name:``.
    """

    def model_schema(self, schema: Any) -> dict[str, Any]:
        """Return the JSON Schema of a model."""
        found = super().model_schema(schema)
        documents = [it.__doc__ or "" for it in reversed(schema["cls"].__mro__)]
        found["description"] = documents[-1].strip().split("\n")[0]
        fields = {
            name: " ".join(text.split())
            for document in documents
            for name, text in _FIELD.findall(document)
        }
        for name, one in found.get("properties", {}).items():
            if name in fields and "$ref" not in one:
                one["description"] = fields[name]
        return found

    def field_is_required(self, *_: Any, **__: Any) -> bool:
        """Return that every field is printed, whatever its value."""
        return True


def path_of(program: str, command: str) -> Path:
    """Return the file of the schema of a command."""
    return FOLDER / program / f"{command.replace(' ', '_')}.json"


def schema_of(program: str, command: str) -> str:
    """Return the schema of what a command prints, as the text of its file."""
    schema = TypeAdapter(PRINTED[program][command]).json_schema(
        mode="serialization", schema_generator=_Documented
    )
    head = {"$schema": DIALECT, "title": f"{program} {command} --json"}
    return f"{json.dumps({**schema, **head}, indent=2, ensure_ascii=False)}\n"


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare")
    is_check = parser.parse_args().check
    texts = {
        path_of(program, command): schema_of(program, command)
        for program, commands in PRINTED.items()
        for command in commands
    }
    old = [
        path
        for path, text in texts.items()
        if not path.exists() or path.read_text() != text
    ]
    unknown = [path for path in FOLDER.glob("*/*.json") if path not in texts]
    for path in [*old, *unknown]:
        done = "is out of date" if is_check else "was out of date"
        print(f"{path.relative_to(ROOT)} {done}", file=sys.stderr)
    if is_check:
        return 1 if old or unknown else 0
    for path in old:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts[path])
    for path in unknown:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
