"""The table of users."""

import sqlalchemy as sa

from local_artemis.api.tables import metadata
from local_cloud.store.columns import seq, text, uuid

users = sa.Table(
    "users",
    metadata,
    seq(),
    uuid(),
    text("name", nullable=False),
    sa.UniqueConstraint("name"),
)
