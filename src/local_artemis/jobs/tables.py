"""The tables of jobs and their results."""

import sqlalchemy as sa

from local_artemis.api.tables import metadata
from local_cloud.store.columns import BIG, reference, seq, text

jobs = sa.Table(
    "jobs",
    metadata,
    seq(),
    sa.Column("id", BIG, nullable=False, unique=True),
    reference("users.id"),
    text("name", nullable=False),
    text("qpu", nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),
    # Of the payload, for listings.
    sa.Column("n_samples", sa.Integer, nullable=False),
    sa.Column("min_detection", sa.Integer, nullable=False),
    text("status", nullable=False),
    text("notes"),
    sa.Column("logs", sa.JSON, nullable=False),
    sa.Column("created", BIG, nullable=False),
    sa.Column("updated", BIG, nullable=False),
    # How the engine ended, possibly before the job's progress shows it.
    text("outcome"),
    text("outcome_notes"),
    # A state set by hand is not overwritten by the engine.
    sa.Column("held", sa.Boolean, nullable=False),
    sa.Index("jobs_by_status", "status", "id"),
    sa.Index("jobs_by_user", "user_id", "id"),
)

results = sa.Table(
    "results",
    metadata,
    seq(),
    sa.Column("id", BIG, sa.ForeignKey("jobs.id"), nullable=False, unique=True),
    # JSON text, as it is sent; none after a time-out without samples.
    text("counts"),
)
