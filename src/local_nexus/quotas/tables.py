"""The tables of quotas and credentials."""

import sqlalchemy as sa

from local_cloud.store.columns import BIG, reference, seq, text, uuid
from local_nexus.api.tables import metadata

quotas = sa.Table(
    "quotas",
    metadata,
    seq(),
    reference("users.id"),
    text("name", nullable=False),
    sa.Column("limit", sa.Float, nullable=False),
)

credentials = sa.Table(
    "credentials",
    metadata,
    seq(),
    uuid(),
    reference("users.id"),
    text("name", nullable=False),
    text("issuer", nullable=False),
    sa.Column("created", BIG, nullable=False),
)
