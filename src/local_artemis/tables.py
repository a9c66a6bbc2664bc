"""All tables of the database, which has to know them before it is opened."""

from local_artemis.api.tables import metadata
from local_artemis.jobs import tables as _jobs  # noqa: F401
from local_artemis.qpus import tables as _qpus  # noqa: F401
from local_artemis.users import tables as _users  # noqa: F401

__all__ = ["metadata"]
