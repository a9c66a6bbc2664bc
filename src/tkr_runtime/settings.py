"""What environment variables switch on and off.

This module is imported for every task before anything else.
"""

import os


def warm_switch(env_prefix: str) -> str:
    """Return the variable that, if off, starts every task cold.

    :param env_prefix: What the names of the variables of a cloud begin with.
    """
    return f"{env_prefix}WARM"


def defer_switch(env_prefix: str) -> str:
    """Return the variable that, if off, imports all modules at the start.

    :param env_prefix: What the names of the variables of a cloud begin with.
    """
    return f"{env_prefix}DEFER"


def is_on(switch: str) -> bool:
    """Tell whether a switch has not been turned off.

    :param switch: The environment variable.
    :returns: False if it is set to ``0``, ``off``, ``no`` or ``false``.
    """
    return os.environ.get(switch, "").lower() not in {"0", "off", "no", "false"}
