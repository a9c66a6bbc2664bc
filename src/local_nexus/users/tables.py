"""The tables of users, teams and roles."""

import sqlalchemy as sa

from local_cloud.store.columns import BIG, reference, seq, text, uuid
from local_nexus.api.tables import metadata

users = sa.Table(
    "users",
    metadata,
    seq(),
    uuid(),
    sa.Column("email", sa.Text, nullable=False, unique=True),
    text("display_name"),
    text("password_hash", nullable=False),
    # The code that a login by password needs beside it, if not null.
    text("mfa_code"),
    # Administrators may see what belongs to others, by asking with a wider scope.
    sa.Column("admin", sa.Boolean, nullable=False),
    # HQC that the user may still spend; without limit if null.
    sa.Column("balance", sa.Float),
    sa.Column("created", BIG, nullable=False),
)

teams = sa.Table(
    "teams",
    metadata,
    seq(),
    uuid(),
    text("name", nullable=False),
    text("display_name"),
    text("description"),
)

team_members = sa.Table(
    "team_members",
    metadata,
    seq(),
    reference("teams.id"),
    reference("users.id"),
)

assignments = sa.Table(
    "assignments",
    metadata,
    seq(),
    uuid(),
    sa.Column("resource_id", sa.String(36), nullable=False),
    sa.Column("role_id", sa.String(36), nullable=False),
    # Of the user or team; null for everybody.
    sa.Column("user_id", sa.String(36)),
    sa.Column("team_id", sa.String(36)),
    sa.Index("assignments_by_resource", "resource_id"),
    sa.Index("assignments_by_user", "user_id"),
)
