"""The tables of results and runtime traces."""

import sqlalchemy as sa

from local_cloud.store.columns import BIG, reference, seq, text, uuid
from local_nexus.api.tables import metadata

results = sa.Table(
    "results",
    metadata,
    seq(),
    uuid(),
    reference("jobs.id"),
    sa.Column("program_id", sa.String(36), nullable=False),
    sa.Column("program_type", sa.Text, nullable=False),
    sa.Column("result_type", sa.Text, nullable=False),
    text("contents"),
    text("backend_info"),
    sa.Column("created", BIG, nullable=False),
)

runtime_traces = sa.Table(
    "runtime_traces",
    metadata,
    seq(),
    uuid(),
    reference("jobs.id"),
    # JSON text: one trace per shot.
    text("shots", nullable=False),
)
