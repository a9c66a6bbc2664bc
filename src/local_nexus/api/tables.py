"""What the tables of all resources share; ids are UUIDs in text form."""

import sqlalchemy as sa

from local_cloud.store.columns import BIG, text

metadata = sa.MetaData()


def annotations() -> list[sa.Column[object]]:
    """Return the columns that every annotated resource has."""
    return [
        text("name", nullable=False),
        text("description"),
        sa.Column("properties", sa.JSON, nullable=False),
        sa.Column("creator_id", sa.String(36), nullable=False),
        sa.Column("created", BIG, nullable=False),
        sa.Column("modified", BIG, nullable=False),
    ]
