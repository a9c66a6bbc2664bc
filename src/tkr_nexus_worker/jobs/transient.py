"""The one table of what is worth a retry: which failures pass by themselves.

To submit a program again costs credits and a place in the queue, so the table is
cautious. A failed item is worth a retry only where Nexus says that it ended with an
error, the reason names a fault of the infrastructure, and nothing in the reason points
at the program or the job. A reason that the table does not know is not retried.

Nexus gives reasons as free text and publishes no list of them; the phrases are those
with which HTTP services (RFC 9110, 15.6), queues and machines report a passing fault.
"""

import re

_STATES_WITH_A_RETRY = {
    "ERROR": True,
    "CANCELLED": False,  # a person wanted it to stop
    "DEPLETED": False,  # a new job would find no credits either
    "TERMINATED": False,  # the same program would meet the same limit of cost or time
    "COMPLETED": False,
}

_PASSING_FAULTS = (
    r"internal (server )?error",
    r"bad gateway",
    r"gateway time-?out",
    r"(service|device|machine|system|backend) (is |was )?(temporarily )?unavailable",
    r"(device|machine|system|backend) (is |was |went )?(offline|in maintenance)",
    r"connection (was |is )?(lost|reset|refused|closed|aborted)",
    r"lost (the )?connection",
    r"network (error|failure)",
    r"hardware (fault|failure|error)",
    r"calibration (failed|failure|error)",
    r"temporar(y|ily)",
    r"try again",
    r"retry later",
)

_FAULTS_OF_THE_PROGRAM = (
    r"invalid",
    r"not (supported|allowed|permitted|valid)",
    r"unsupported",
    r"syntax",
    r"compil",
    r"pars(e|ing)",
    r"too (many|large|long|deep)",
    r"exceed",
    r"limit",
    r"max_cost",
    r"credits?\b",
    r"quota",
    r"unauthori[sz]ed",
    r"forbidden",
)

_passing = re.compile("|".join(_PASSING_FAULTS), re.IGNORECASE)
_of_the_program = re.compile("|".join(_FAULTS_OF_THE_PROGRAM), re.IGNORECASE)


def is_worth_a_retry(state: str, reason: str) -> bool:
    """Tell whether a failed item may succeed if it is submitted again unchanged.

    :param state: The state of the item, as Nexus spells it.
    :param reason: What Nexus says about it; may be empty.
    :returns: Whether a retry is worth its cost; False where that is not known.
    """
    return (
        _STATES_WITH_A_RETRY.get(state, False)
        and _passing.search(reason) is not None
        and _of_the_program.search(reason) is None
    )
