"""The tables of jobs and their items."""

import sqlalchemy as sa

from local_cloud.store.columns import BIG, reference, seq, text, uuid
from local_nexus.api.tables import annotations, metadata


def _status() -> list[sa.Column[object]]:
    """Return the columns that a job and a job item share."""
    return [
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False, default=""),
        text("error_detail"),
        sa.Column("cost", sa.Float),
        sa.Column("times", sa.JSON, nullable=False),
    ]


jobs = sa.Table(
    "jobs",
    metadata,
    seq(),
    uuid(),
    reference("projects.id"),
    *annotations(),
    sa.Column("job_type", sa.Text, nullable=False),
    sa.Column("definition", sa.JSON, nullable=False),
    *_status(),
    sa.Index("jobs_by_creation", "created", "seq"),
    sa.Index("jobs_by_change", "modified", "seq"),
    sa.Index("jobs_by_name", "name", "seq"),
    sa.Index("jobs_by_project", "project_id", "created", "seq"),
    sa.Index("jobs_by_status", "status", "created", "seq"),
)

job_items = sa.Table(
    "job_items",
    metadata,
    seq(),
    uuid(),
    reference("jobs.id"),
    sa.Column("item_id", sa.Integer, nullable=False),
    sa.Column("program_id", sa.String(36), nullable=False),
    sa.Column("program_type", sa.Text, nullable=False),
    sa.Column("options", sa.JSON, nullable=False),
    *_status(),
    sa.Column("queued_at", BIG, nullable=False),
    # What the simulator answered, possibly before the job's progress shows it.
    sa.Column("outcome", sa.JSON(none_as_null=True)),
    # A state set by hand is not overwritten by the simulator.
    sa.Column("held", sa.Boolean, nullable=False, default=False),
    sa.Column("result_id", sa.String(36)),
    sa.Column("result_type", sa.Text),
    sa.Column("compilation_id", sa.String(36)),
    sa.Column("cost_confidence", sa.Float),
    sa.Column("traces_id", sa.String(36)),
    # Seconds that the simulator or compiler worked on it.
    sa.Column("duration", sa.Float),
    sa.Index("job_items_by_job", "job_id", "item_id"),
    sa.Index("job_items_by_status", "job_id", "status", "item_id"),
)
