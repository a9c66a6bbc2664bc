"""Switches that are read before anything else is imported.

This module is imported for every task, so it needs the standard library alone.
"""

import os


def warm_switch(env_prefix: str) -> str:
    """Return the variable that starts every task cold if it is off.

    :param env_prefix: The prefix of the variables of a cloud, such as ``TKR_NEXUS_``.
    """
    return f"{env_prefix}WARM"


def defer_switch(env_prefix: str) -> str:
    """Return the variable that imports all modules at the start if it is off.

    :param env_prefix: The prefix of the variables of a cloud.
    """
    return f"{env_prefix}DEFER"


def server_variables(env_prefix: str) -> tuple[str, ...]:
    """Return the variables of a cloud that its preloaded process reads.

    :param env_prefix: The prefix of the variables of the cloud.
    """
    warm = warm_switch(env_prefix)
    return (warm, f"{warm}_IDLE", f"{warm}_TASKS", defer_switch(env_prefix))


def is_on(switch: str) -> bool:
    """Return whether a switch has not been turned off.

    :param switch: The environment variable.
    :returns: False if it is set to ``0``, ``off``, ``no`` or ``false``.
    """
    return os.environ.get(switch, "").lower() not in {"0", "off", "no", "false"}
