"""What environment variables switch off.

This module is imported for every task before anything else.
"""

import os

WARM = "TKR_NEXUS_WARM"
"""Off: every task starts cold, without a preloaded process."""

DEFER = "TKR_NEXUS_DEFER"
"""Off: all modules are imported at the start, also those that no task needs."""


def is_on(switch: str) -> bool:
    """Tell whether a switch has not been turned off.

    :param switch: The environment variable.
    :returns: False if it is set to ``0``, ``off``, ``no`` or ``false``.
    """
    return os.environ.get(switch, "").lower() not in {"0", "off", "no", "false"}
