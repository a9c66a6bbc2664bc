"""The tables. Times are microseconds since 1970; ids are UUIDs in text form."""

import sqlalchemy as sa

metadata = sa.MetaData()

_BIG = sa.BigInteger()
# SQLite numbers rows by itself only in a column declared INTEGER.
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _seq() -> sa.Column[int]:
    return sa.Column("seq", _SEQUENCE, primary_key=True, autoincrement=True)


def _id() -> sa.Column[str]:
    return sa.Column("id", sa.String(36), nullable=False, unique=True)


def _text(name: str, *, nullable: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _reference(column: str) -> sa.Column[str]:
    """Return a column that refers to the id of a row that must exist."""
    name = column.partition(".")[0].removesuffix("s") + "_id"
    return sa.Column(
        name,
        sa.String(36),
        sa.ForeignKey(column, ondelete="CASCADE"),
        nullable=False,
    )


def _annotations() -> list[sa.Column[object]]:
    """Return the columns that every annotated resource has."""
    return [
        _text("name", nullable=False),
        _text("description"),
        sa.Column("properties", sa.JSON, nullable=False),
        sa.Column("creator_id", sa.String(36), nullable=False),
        sa.Column("created", _BIG, nullable=False),
        sa.Column("modified", _BIG, nullable=False),
    ]


def _status() -> list[sa.Column[object]]:
    """Return the columns that a job and a job item share."""
    return [
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False, default=""),
        _text("error_detail"),
        sa.Column("cost", sa.Float),
        sa.Column("times", sa.JSON, nullable=False),
    ]


users = sa.Table(
    "users",
    metadata,
    _seq(),
    _id(),
    sa.Column("email", sa.Text, nullable=False, unique=True),
    _text("display_name"),
    _text("password_hash", nullable=False),
    # The code that a login by password needs beside it, if not null.
    _text("mfa_code"),
    # Administrators may see what belongs to others, by asking with a wider scope.
    sa.Column("admin", sa.Boolean, nullable=False),
    # HQC that the user may still spend; without limit if null.
    sa.Column("balance", sa.Float),
    sa.Column("created", _BIG, nullable=False),
)

teams = sa.Table(
    "teams",
    metadata,
    _seq(),
    _id(),
    _text("name", nullable=False),
    _text("display_name"),
    _text("description"),
)

team_members = sa.Table(
    "team_members",
    metadata,
    _seq(),
    _reference("teams.id"),
    _reference("users.id"),
)

assignments = sa.Table(
    "assignments",
    metadata,
    _seq(),
    _id(),
    sa.Column("resource_id", sa.String(36), nullable=False),
    sa.Column("role_id", sa.String(36), nullable=False),
    # Of the user or team; null for everybody.
    sa.Column("user_id", sa.String(36)),
    sa.Column("team_id", sa.String(36)),
    sa.Index("assignments_by_resource", "resource_id"),
    sa.Index("assignments_by_user", "user_id"),
)

quotas = sa.Table(
    "quotas",
    metadata,
    _seq(),
    _reference("users.id"),
    _text("name", nullable=False),
    sa.Column("limit", sa.Float, nullable=False),
)

credentials = sa.Table(
    "credentials",
    metadata,
    _seq(),
    _id(),
    _reference("users.id"),
    _text("name", nullable=False),
    _text("issuer", nullable=False),
    sa.Column("created", _BIG, nullable=False),
)

projects = sa.Table(
    "projects",
    metadata,
    _seq(),
    _id(),
    *_annotations(),
    sa.Column("contents_modified", _BIG, nullable=False),
    sa.Column("archived", sa.Boolean, nullable=False, default=False),
    sa.Index("projects_by_name", "name"),
    sa.Index("projects_by_creation", "created", "seq"),
)

property_definitions = sa.Table(
    "property_definitions",
    metadata,
    _seq(),
    _id(),
    _reference("projects.id"),
    *_annotations(),
    _text("property_type", nullable=False),
    sa.Column("required", sa.Boolean, nullable=False),
    _text("color"),
    sa.Index("property_definitions_by_project", "project_id", "name", unique=True),
)

uploads = sa.Table(
    "uploads",
    metadata,
    _seq(),
    _id(),
    sa.Column("kind", sa.Text, nullable=False),
    _reference("projects.id"),
    *_annotations(),
    sa.Column("contents", sa.LargeBinary, nullable=False),
    sa.Index("uploads_by_creation", "kind", "created", "seq"),
    sa.Index("uploads_by_change", "kind", "modified", "seq"),
    sa.Index("uploads_by_name", "kind", "name", "seq"),
    sa.Index("uploads_by_project", "project_id", "kind", "created", "seq"),
)

jobs = sa.Table(
    "jobs",
    metadata,
    _seq(),
    _id(),
    _reference("projects.id"),
    *_annotations(),
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
    _seq(),
    _id(),
    _reference("jobs.id"),
    sa.Column("item_id", sa.Integer, nullable=False),
    sa.Column("program_id", sa.String(36), nullable=False),
    sa.Column("program_type", sa.Text, nullable=False),
    sa.Column("options", sa.JSON, nullable=False),
    *_status(),
    sa.Column("queued_at", _BIG, nullable=False),
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

results = sa.Table(
    "results",
    metadata,
    _seq(),
    _id(),
    _reference("jobs.id"),
    sa.Column("program_id", sa.String(36), nullable=False),
    sa.Column("program_type", sa.Text, nullable=False),
    sa.Column("result_type", sa.Text, nullable=False),
    _text("contents"),
    _text("backend_info"),
    sa.Column("created", _BIG, nullable=False),
)

runtime_traces = sa.Table(
    "runtime_traces",
    metadata,
    _seq(),
    _id(),
    _reference("jobs.id"),
    # JSON text: one trace per shot.
    _text("shots", nullable=False),
)

compilations = sa.Table(
    "compilations",
    metadata,
    _seq(),
    _id(),
    _reference("projects.id"),
    _reference("jobs.id"),
    *_annotations(),
    sa.Column("original_circuit_id", sa.String(36), nullable=False),
    sa.Column("compiled_circuit_id", sa.String(36), nullable=False),
    sa.Index("compilations_by_job", "job_id"),
)

compilation_passes = sa.Table(
    "compilation_passes",
    metadata,
    _seq(),
    _id(),
    _reference("compilations.id"),
    sa.Column("created", _BIG, nullable=False),
    _text("pass_name", nullable=False),
    sa.Column("original_circuit_id", sa.String(36), nullable=False),
    sa.Column("compiled_circuit_id", sa.String(36), nullable=False),
    sa.Index("compilation_passes_by_compilation", "compilation_id"),
)
