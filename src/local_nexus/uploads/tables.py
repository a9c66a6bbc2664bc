"""The table of uploads."""

import sqlalchemy as sa

from local_cloud.store.columns import reference, seq, uuid
from local_nexus.api.tables import annotations, metadata

uploads = sa.Table(
    "uploads",
    metadata,
    seq(),
    uuid(),
    sa.Column("kind", sa.Text, nullable=False),
    reference("projects.id"),
    *annotations(),
    sa.Column("contents", sa.LargeBinary, nullable=False),
    sa.Index("uploads_by_creation", "kind", "created", "seq"),
    sa.Index("uploads_by_change", "kind", "modified", "seq"),
    sa.Index("uploads_by_name", "kind", "name", "seq"),
    sa.Index("uploads_by_project", "project_id", "kind", "created", "seq"),
)
