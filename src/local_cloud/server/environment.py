"""The environment variables of a server, which outlives the program that started it."""

import os
from collections.abc import Mapping

_KEPT = {
    "DYLD_LIBRARY_PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LD_LIBRARY_PATH",
    "LOGNAME",
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "PATH",
    # How libpq finds a database; PGPASSWORD is needed as long as the server runs.
    "PGAPPNAME",
    "PGCONNECT_TIMEOUT",
    "PGDATABASE",
    "PGHOST",
    "PGHOSTADDR",
    "PGOPTIONS",
    "PGPASSFILE",
    "PGPASSWORD",
    "PGPORT",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGSSLCERT",
    "PGSSLKEY",
    "PGSSLMODE",
    "PGSSLROOTCERT",
    "PGUSER",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONPYCACHEPREFIX",
    "PYTHONWARNINGS",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
    "USER",
    "VIRTUAL_ENV",
    "XDG_CACHE_HOME",
    "ZIG_GLOBAL_CACHE_DIR",
    "ZIG_LOCAL_CACHE_DIR",
}
"""Exact names alone: a pattern would keep secrets that it happens to fit."""


def kept(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a server needs."""
    return {name: text for name, text in environment.items() if name in _KEPT}


def forget_others() -> None:
    """Remove all other variables from this process and those that it starts."""
    for name in os.environ.keys() - _KEPT:
        del os.environ[name]
