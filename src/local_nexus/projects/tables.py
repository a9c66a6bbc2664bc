"""The tables of projects and the definitions of their properties."""

import sqlalchemy as sa

from local_cloud.store.columns import BIG, reference, seq, text, uuid
from local_nexus.api.tables import annotations, metadata

projects = sa.Table(
    "projects",
    metadata,
    seq(),
    uuid(),
    *annotations(),
    sa.Column("contents_modified", BIG, nullable=False),
    sa.Column("archived", sa.Boolean, nullable=False, default=False),
    sa.Index("projects_by_name", "name"),
    sa.Index("projects_by_creation", "created", "seq"),
)

property_definitions = sa.Table(
    "property_definitions",
    metadata,
    seq(),
    uuid(),
    reference("projects.id"),
    *annotations(),
    text("property_type", nullable=False),
    sa.Column("required", sa.Boolean, nullable=False),
    text("color"),
    sa.Index("property_definitions_by_project", "project_id", "name", unique=True),
)
