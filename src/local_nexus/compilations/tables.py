"""The tables of what compile jobs made."""

import sqlalchemy as sa

from local_cloud.store.columns import BIG, reference, seq, text, uuid
from local_nexus.api.tables import annotations, metadata

compilations = sa.Table(
    "compilations",
    metadata,
    seq(),
    uuid(),
    reference("projects.id"),
    reference("jobs.id"),
    *annotations(),
    sa.Column("original_circuit_id", sa.String(36), nullable=False),
    sa.Column("compiled_circuit_id", sa.String(36), nullable=False),
    sa.Index("compilations_by_job", "job_id"),
)

compilation_passes = sa.Table(
    "compilation_passes",
    metadata,
    seq(),
    uuid(),
    reference("compilations.id"),
    sa.Column("created", BIG, nullable=False),
    text("pass_name", nullable=False),
    sa.Column("original_circuit_id", sa.String(36), nullable=False),
    sa.Column("compiled_circuit_id", sa.String(36), nullable=False),
    sa.Index("compilation_passes_by_compilation", "compilation_id"),
)
