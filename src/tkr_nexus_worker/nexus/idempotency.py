"""Make something on Nexus once, even if the answer to a request is lost.

Nexus has no field for an idempotency key. What the worker makes carries it in its
description: the one free text that Nexus keeps, returns in lists, and lets a client set
without a definition in the project (properties need one) and without changing the name
that the user chose. :mod:`tkr_runtime.jobs.idempotency` says how it is used.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

import qnexus.exceptions as qnx

from tkr_nexus_worker.errors import CheckpointError, InvalidInputError
from tkr_nexus_worker.nexus.client import call, limits
from tkr_runtime.jobs import idempotency

_DIGEST = re.compile(r"\[tkr-nexus-worker ([0-9a-f]{32})\]")


@dataclass(frozen=True)
class Key(idempotency.Key):
    """Identifies one thing that one task of one run of a workflow makes."""

    @property
    def description(self) -> str:
        """The description that carries the key on Nexus."""
        origin = self.origin or "Made by tkr-nexus-worker"
        return f"{origin} [tkr-nexus-worker {self.digest}]"

    def is_in(self, description: str | None) -> bool:
        """Return whether a description carries this key.

        :param description: The description of something on Nexus.
        """
        found = digest_in(description)
        return found is not None and found in (self.digest, self.former_digest)


def key_of(*inputs: Any) -> Key:
    """Return the key of what the current task makes from its inputs.

    :param inputs: JSON values that tell it from anything else that the task makes.
    :returns: The key.
    """
    return Key(**vars(idempotency.key_of(*inputs)))


def digest_in(description: str | None) -> str | None:
    """Return the digest of the key in a description; None if there is none.

    :param description: The description of something on Nexus.
    """
    found = _DIGEST.search(description or "")
    return None if found is None else found[1]


class Doubt(idempotency.Doubt):
    """Says that requests to make one thing may have arrived more than once."""

    @classmethod
    def about(cls, description: str | None) -> Self | None:
        """Return the doubt about something; None if there is none.

        :param description: Its description on Nexus.
        """
        digest = digest_in(description)
        if digest is None:
            return None
        doubt = cls(digest)
        return doubt if doubt.exists else None


def billed_duplicates(description: str | None) -> list[str]:
    """Return the ids of duplicates that have run beside a job and may be billed.

    :param description: The description of the job on Nexus.
    """
    doubt = Doubt.about(description)
    return [] if doubt is None else doubt.noted("billed")


def make_once[T](
    action: str,
    find: Callable[[], T | None],
    make: Callable[[], T],
    *,
    marker: idempotency.Marker | None = None,
    on_doubt: Callable[[], None] = lambda: None,
    look_first: bool = False,
) -> T:
    """Make something, or use what an earlier try has made.

    :param action: What is done, for messages.
    :param find: Looks for the thing on Nexus.
    :param make: Makes it.
    :param marker: Says that a try was begun; a file outlives the process.
    :param on_doubt: Called when a try may have been carried out without an answer.
    :param look_first: Whether to look before the very first try, too.
    :returns: What was found or made.
    :raises NexusWorkerError: If it could be neither found nor made.
    """
    return idempotency.make_once(
        action,
        find,
        make,
        call=call,
        was_refused=_was_refused,
        settle_time=limits().settle_time,
        marker=marker,
        on_doubt=on_doubt,
        look_first=look_first,
    )


def _was_refused(error: Exception) -> bool:
    """Return whether Nexus, or this process, has made nothing and says so."""
    refusals = (qnx.AuthenticationError, InvalidInputError, CheckpointError)
    if isinstance(error, refusals):
        return True
    status = getattr(error, "status_code", None)
    return (
        isinstance(error, qnx.ResourceCreateFailed)
        and status is not None
        and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    )
