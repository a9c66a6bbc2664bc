"""Limits of time and number, which tasks and their preloaded process read.

Each field is read from the environment variable of its name in capitals, with the
prefix of the cloud before it: ``read_timeout`` of Nexus is ``TKR_NEXUS_READ_TIMEOUT``.
"""

import os
from functools import lru_cache
from typing import Annotated, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from tkr_runtime.errors import InvalidInputError

Seconds = Annotated[
    float,
    Field(gt=0, allow_inf_nan=False, description="a number of seconds above 0"),
]
TaskCount = Annotated[int, Field(gt=0, description="a whole number above 0")]


class _Settings(BaseSettings):
    """Settings of one cloud."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    @classmethod
    def from_environment(cls, env_prefix: str) -> Self:
        """Read the settings of a cloud.

        :param env_prefix: The prefix of the variables of the cloud.
        :returns: The settings, with defaults where a variable is not set.
        :raises InvalidInputError: If a variable has an invalid value.
        """
        variables = [f"{env_prefix}{name.upper()}" for name in cls.model_fields]
        values = tuple(map(os.environ.get, variables))
        # Every request needs its limits, so they are read again only if they change.
        return cls._read(env_prefix, values)

    @classmethod
    @lru_cache(maxsize=64)
    def _read(cls, env_prefix: str, _values: tuple[str | None, ...]) -> Self:
        try:
            return cls(_env_prefix=env_prefix)  # type: ignore[call-arg]
        except ValidationError as error:
            details = error.errors()[0]
            name = str(details["loc"][0])
            raise InvalidInputError(
                f"The environment variable {env_prefix}{name.upper()} is "
                f"{details['input']!r}; give {cls.model_fields[name].description}."
            ) from error


class Limits(_Settings):
    """Limits of time for requests to a cloud, all in seconds.

    :param connect_timeout: For opening a connection.
    :param read_timeout: Between two pieces of an answer, and for sending a request.
    :param total_timeout: For one whole answer, however steadily it arrives.
    :param retry_time: For one request with all its retries.
    :param retry_wait: The longest pause between two tries, unless the cloud asks for
        more.
    :param settle_time: How long a request that was cut off may still be on its way.
    :param outage_time: For an outage of the cloud while a task waits for a job.
    :param login_wait: For the user to log in again while a task waits for a job.
    """

    connect_timeout: Seconds = 20.0
    read_timeout: Seconds = 120.0
    total_timeout: Seconds = 1800.0
    retry_time: Seconds = 300.0
    retry_wait: Seconds = 30.0
    settle_time: Seconds = 10.0
    outage_time: Seconds = 6 * 3600.0
    login_wait: Seconds = 24 * 3600.0


class PreloadedProcessSettings(_Settings):
    """Settings of the preloaded process of a worker.

    :param warm_idle: How long the process stays without a task, in seconds.
    :param warm_tasks: The number of tasks that run at once. Tasks that only wait do not
        count.
    """

    warm_idle: Seconds = 900.0
    warm_tasks: TaskCount = max(4, 2 * (os.cpu_count() or 1))
