"""All tables of the database, which has to know them before it is opened."""

from local_nexus.api.tables import metadata
from local_nexus.compilations import tables as _compilations  # noqa: F401
from local_nexus.jobs import tables as _jobs  # noqa: F401
from local_nexus.projects import tables as _projects  # noqa: F401
from local_nexus.quotas import tables as _quotas  # noqa: F401
from local_nexus.results import tables as _results  # noqa: F401
from local_nexus.uploads import tables as _uploads  # noqa: F401
from local_nexus.users import tables as _users  # noqa: F401

__all__ = ["metadata"]
