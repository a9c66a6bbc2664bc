"""What is known of the submission of a job, for longer than a process lives.

Artemis has no idempotency key and no description. The digest of the key stands at the
end of the name of a job, which Artemis is sent but may not return in lists. So the ids
of all jobs before the first request are written down as well: where names are missing,
a job that a lost request made is one of those that are new.
"""

import json
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tkr_runtime.jobs.idempotency import Doubt
from tkr_runtime.tasks import context

__all__ = ["Doubt", "Submission", "SubmissionLog", "digest_in", "named"]

logger = logging.getLogger(__name__)

_DIGITS = 16
_DIGEST = re.compile(rf"\s*\[([0-9a-f]{{{_DIGITS}}})\]$")
_LOG_PREFIX = "_submitting_"


def short(digest: str) -> str:
    """Return as much of a digest as a name has.

    :param digest: The digest of a key.
    """
    return digest[:_DIGITS]


def named(name: str, digest: str) -> str:
    """Return the name under which a job is submitted.

    :param name: The name that the user gave.
    :param digest: The digest of the key of the submission.
    """
    return f"{name} [{short(digest)}]"


def digest_in(name: str) -> str | None:
    """Return the digest at the end of the name of a job; None if there is none.

    :param name: The name.
    """
    found = _DIGEST.search(name)
    return None if found is None else found[1]


def without_digest(name: str) -> str:
    """Return the name that the user gave.

    :param name: The name of a job.
    """
    return _DIGEST.sub("", name)


@dataclass
class SubmissionLog:
    """The submissions of one task, one line of JSON for each thing that happened.

    :param path: The file; None outside a workflow with a folder.
    :param before: The ids of all jobs before the first request; None if not known.
    :param begun: The digests of the jobs whose submission was begun.
    :param made: The ids of the jobs that were made or found, by digest.
    """

    path: Path | None
    before: frozenset[int] | None = None
    begun: set[str] = field(default_factory=set)
    made: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of_task(cls, digest: str) -> "SubmissionLog":
        """Return the log of the current task, with what earlier processes wrote.

        :param digest: Identifies what the task submits.
        """
        task = context.current()
        if task is None or task.folder is None:
            return cls(None)
        log = cls(task.folder / f"{_LOG_PREFIX}{digest}")
        log._read()
        return log

    def note_before(self, ids: Iterable[int]) -> None:
        """Note the ids of all jobs, unless they were noted before.

        :param ids: The ids.
        """
        if self.before is None:
            self.before = frozenset(ids)
            self._write({"before": sorted(self.before)})

    def note_begun(self, digest: str) -> None:
        """Note that a job is going to be submitted.

        :param digest: The digest of the job.
        :raises OSError: If it cannot be written; then nothing must be sent.
        """
        self.begun.add(digest)
        self._write({"begun": digest})

    def note_withdrawn(self, digest: str) -> None:
        """Note that the job was not submitted after all.

        :param digest: The digest of the job.
        """
        self.begun.discard(digest)
        self._write({"withdrawn": digest})

    def note_made(self, digest: str, job_id: int) -> None:
        """Note the id of a job.

        :param digest: The digest of the job.
        :param job_id: The id.
        """
        self.made[digest] = job_id
        self._write({"made": [digest, job_id]})

    def made_in_workflow(self) -> frozenset[int]:
        """Return the ids of the jobs that all tasks of the workflow have made."""
        ids = set(self.made.values())
        if self.path is not None:
            for path in self.path.parent.parent.glob(f"*/{_LOG_PREFIX}*"):
                other = SubmissionLog(path)
                other._read()
                ids.update(other.made.values())
        return frozenset(ids)

    def _write(self, line: dict[str, Any]) -> None:
        if self.path is not None:
            with self.path.open("ab", buffering=0) as file:
                # A process that was killed may have left half a line.
                file.write(b"\n" + json.dumps(line).encode() + b"\n")

    def _read(self) -> None:
        if self.path is None or not self.path.exists():
            return
        for text in self.path.read_text().splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue
            match line:
                case {"before": list(ids)} if self.before is None:
                    self.before = frozenset(ids)
                case {"begun": str(digest)}:
                    self.begun.add(digest)
                case {"withdrawn": str(digest)}:
                    self.begun.discard(digest)
                case {"made": [str(digest), int(job_id)]}:
                    self.made[digest] = job_id


@dataclass(frozen=True)
class Submission:
    """One job of a log, as a marker of ``make_once``.

    :param log: The log.
    :param digest: The digest of the job.
    """

    log: SubmissionLog
    digest: str

    def exists(self) -> bool:
        """Return whether a request may have been sent whose answer is not known."""
        return self.digest in self.log.begun and self.digest not in self.log.made

    def touch(self) -> None:
        """Note that a request is going to be sent."""
        self.log.note_begun(self.digest)

    def unlink(self) -> None:
        """Note that the request made nothing."""
        self.log.note_withdrawn(self.digest)
