"""The table of what was changed of QPUs while the server ran."""

import sqlalchemy as sa

from local_artemis.api.tables import metadata
from local_cloud.store.columns import BIG, seq, uuid

qpus = sa.Table(
    "qpus",
    metadata,
    seq(),
    uuid(),
    sa.Column("changes", sa.JSON, nullable=False),
    sa.Column("updated", BIG, nullable=False),
)
