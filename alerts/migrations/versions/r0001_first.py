"""The journal's layout when migrations began, and what brings a journal from before them to it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FIRST = sa.MetaData()
"""Every table as it was. Never changed: what comes later is a revision of its own."""

sa.Table(
    "alarms",
    FIRST,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("number", sa.BigInteger(), nullable=False, unique=True),
    sa.Column("position", sa.BigInteger(), nullable=False),
    sa.Column("sequence", sa.Integer(), nullable=False),
    sa.Column("open", sa.Boolean(), nullable=False),
    sa.Column("rule", sa.String(128), nullable=False),
    sa.Column("rule_version", sa.String(128), nullable=False),
    sa.Column("title", sa.JSON(), nullable=False),
    sa.Column("rationale", sa.JSON(), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("area", sa.String(128), nullable=False),
    sa.Column("scope", sa.String(128), nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("level", sa.String(8), nullable=False),
    sa.Column("onset", sa.Double(), nullable=False),
    sa.Column("opened", sa.Double(), nullable=False),
    sa.Column("time", sa.Double(), nullable=False),
    sa.Column("incident", sa.String(64), index=True),
    sa.Column("acknowledged_by", sa.String(128)),
    sa.Column("simulated", sa.Boolean(), nullable=False),
    sa.Column("explanation", sa.JSON()),
    sa.Column("aside", sa.JSON()),
    sa.Column("until", sa.Double(), index=True),
    sa.Column("assignee", sa.String(128)),
    sa.Column("marks", sa.JSON()),
    sa.Column("folded", sa.Integer()),
    sa.Column("exercise", sa.String(64)),
    sa.Index("alarms_area", "area", "open", "number"),
    sa.Index("alarms_open", "open", "number"),
    sa.Index("alarms_state", "state", "number"),
)
sa.Table(
    "counters",
    FIRST,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("value", sa.BigInteger(), nullable=False),
)
sa.Table(
    "dispatch_changes",
    FIRST,
    sa.Column("position", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("id", sa.String(96), nullable=False, unique=True),
    sa.Column("time", sa.Double(), nullable=False),
    sa.Column("partition", sa.Integer(), nullable=False),
    sa.Column("offset", sa.BigInteger(), nullable=False),
    sa.Column("dispatch", sa.String(64), nullable=False, index=True),
    sa.Column("record", sa.JSON(), nullable=False),
)
sa.Table(
    "dispatches",
    FIRST,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("number", sa.BigInteger(), nullable=False, unique=True),
    sa.Column("position", sa.BigInteger(), nullable=False),
    sa.Column("sequence", sa.Integer(), nullable=False),
    sa.Column("open", sa.Boolean(), nullable=False),
    sa.Column("incident", sa.String(64), nullable=False, index=True),
    sa.Column("area", sa.String(128), nullable=False),
    sa.Column("unit", sa.String(128), nullable=False),
    sa.Column("leg", sa.String(16), nullable=False),
    sa.Column("level", sa.String(8), nullable=False),
    sa.Column("deadline", sa.Double()),
    sa.Column("overdue", sa.Boolean(), nullable=False),
    sa.Column("issued", sa.Double(), nullable=False),
    sa.Column("time", sa.Double(), nullable=False),
    sa.Column("note", sa.Text(), nullable=False),
    sa.Column("simulated", sa.Boolean(), nullable=False),
    sa.Column("lead", sa.String(128)),
    sa.Index("dispatches_open", "open", "number"),
    sa.Index("dispatches_unit", "unit", "open", "number"),
)
sa.Table(
    "exercises",
    FIRST,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("title", sa.JSON(), nullable=False),
    sa.Column("areas", sa.JSON(), nullable=False),
    sa.Column("units", sa.JSON(), nullable=False),
    sa.Column("objectives", sa.JSON(), nullable=False),
    sa.Column("actor", sa.String(256), nullable=False),
    sa.Column("began", sa.Double(), nullable=False, index=True),
    sa.Column("ended", sa.Double()),
)
sa.Table(
    "handovers",
    FIRST,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("turn", sa.String(32), nullable=False),
    sa.Column("shift", sa.String(64), nullable=False),
    sa.Column("begin", sa.Double(), nullable=False),
    sa.Column("time", sa.Double(), nullable=False, index=True),
    sa.Column("actor", sa.String(256), nullable=False),
    sa.Column("reason", sa.Text(), nullable=False),
    sa.Column("people", sa.JSON(), nullable=False),
    sa.Column("sheet", sa.JSON(), nullable=False),
)
sa.Table(
    "incident_changes",
    FIRST,
    sa.Column("position", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("id", sa.String(96), nullable=False, unique=True),
    sa.Column("time", sa.Double(), nullable=False),
    sa.Column("partition", sa.Integer(), nullable=False),
    sa.Column("offset", sa.BigInteger(), nullable=False),
    sa.Column("incident", sa.String(64), nullable=False, index=True),
    sa.Column("record", sa.JSON(), nullable=False),
)
sa.Table(
    "incidents",
    FIRST,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("number", sa.BigInteger(), nullable=False, unique=True),
    sa.Column("position", sa.BigInteger(), nullable=False),
    sa.Column("sequence", sa.Integer(), nullable=False),
    sa.Column("open", sa.Boolean(), nullable=False),
    sa.Column("area", sa.String(128), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("level", sa.String(8), nullable=False),
    sa.Column("peak", sa.String(8), nullable=False),
    sa.Column("cause", sa.String(64), nullable=False),
    sa.Column("alarms", sa.JSON(), nullable=False),
    sa.Column("title", sa.JSON(), nullable=False),
    sa.Column("opened", sa.Double(), nullable=False),
    sa.Column("time", sa.Double(), nullable=False),
    sa.Column("acknowledged_by", sa.String(128)),
    sa.Column("disposition", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text(), nullable=False),
    sa.Column("simulated", sa.Boolean(), nullable=False),
    sa.Column("plan", sa.String(160)),
    sa.Column("ticks", sa.JSON()),
    sa.Column("exercise", sa.String(64), index=True),
    sa.Index("incidents_area", "area", "open", "number"),
    sa.Index("incidents_open", "open", "number"),
)
sa.Table(
    "logs",
    FIRST,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("id", sa.String(64), nullable=False),
)
sa.Table(
    "modes",
    FIRST,
    sa.Column("order", sa.String(64), primary_key=True),
    sa.Column("area", sa.String(128), primary_key=True),
    sa.Column("partition", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("mode", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("since", sa.Double(), nullable=False, index=True),
    sa.Column("until", sa.Double(), nullable=False),
    sa.Column("by", sa.String(256), nullable=False),
    sa.Column("reason", sa.Text(), nullable=False),
    sa.Column("time", sa.Double(), nullable=False),
    sa.Column("ended_by", sa.String(256), nullable=False),
    sa.Column("ended_why", sa.Text(), nullable=False),
    sa.Index("modes_state", "state"),
)
sa.Table(
    "outbox",
    FIRST,
    sa.Column("position", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("id", sa.String(96), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("area", sa.String(128), nullable=False),
    sa.Column("unit", sa.String(128), nullable=False),
    sa.Column("simulated", sa.Boolean(), nullable=False),
    sa.Column("time", sa.Double(), nullable=False, index=True),
    sa.Column("payload", sa.JSON()),
)
sa.Table(
    "plans",
    FIRST,
    sa.Column("key", sa.String(160), primary_key=True),
    sa.Column("content", sa.JSON(), nullable=False),
)
sa.Table(
    "positions",
    FIRST,
    sa.Column("partition", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("offset", sa.BigInteger(), nullable=False),
)
sa.Table(
    "proposals",
    FIRST,
    sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("version", sa.String(32), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("author", sa.String(128), nullable=False),
    sa.Column("proposed", sa.Double(), nullable=False),
    sa.Column("why", sa.Text(), nullable=False),
    sa.Column("difference", sa.JSON(), nullable=False),
    sa.Column("time", sa.Double(), nullable=False),
    sa.Column("by", sa.String(128), nullable=False),
    sa.Column("reason", sa.Text(), nullable=False),
)
sa.Table(
    "reports",
    FIRST,
    sa.Column("id", sa.String(128), primary_key=True),
    sa.Column("number", sa.BigInteger(), nullable=False, unique=True),
    sa.Column("area", sa.String(128), nullable=False),
    sa.Column("category", sa.String(48), nullable=False),
    sa.Column("time", sa.Double(), nullable=False, index=True),
    sa.Column("received", sa.Double(), nullable=False, index=True),
    sa.Column("text", sa.Text(), nullable=False),
    sa.Column("subject", sa.String(64), index=True),
    sa.Column("photo", sa.String(64), index=True),
    sa.Column("actor", sa.String(256), nullable=False),
    sa.Column("simulated", sa.Boolean(), nullable=False),
    sa.Index("reports_area", "area", "number"),
    sa.Index("reports_category", "category", "number"),
)
sa.Table(
    "results",
    FIRST,
    sa.Column("position", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("id", sa.String(96), nullable=False, unique=True),
    sa.Column("time", sa.Double(), nullable=False),
    sa.Column("partition", sa.Integer(), nullable=False),
    sa.Column("offset", sa.BigInteger(), nullable=False),
    sa.Column("target", sa.String(96), nullable=False),
    sa.Column("record", sa.JSON(), nullable=False),
)
sa.Table(
    "shadow_verdicts",
    FIRST,
    sa.Column("pair", sa.String(96), primary_key=True),
    sa.Column("number", sa.BigInteger(), nullable=False, unique=True),
    sa.Column("shadow", sa.String(64), nullable=False),
    sa.Column("rule", sa.String(128), nullable=False),
    sa.Column("scope", sa.String(128), nullable=False),
    sa.Column("area", sa.String(128), nullable=False),
    sa.Column("how", sa.String(16), nullable=False),
    sa.Column("open", sa.Boolean(), nullable=False),
    sa.Column("begun", sa.Double(), nullable=False),
    sa.Column("time", sa.Double(), nullable=False),
    sa.Column("seconds", sa.Double()),
    sa.Column("before", sa.String(8), nullable=False),
    sa.Column("after", sa.String(8), nullable=False),
    sa.Index("shadow_verdicts_of", "shadow", "number"),
)
sa.Table(
    "shadows",
    FIRST,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("partition", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("began", sa.Double()),
    sa.Column("ended", sa.Double()),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("author", sa.String(128), nullable=False),
    sa.Column("reason", sa.Text(), nullable=False),
    sa.Column("rules", sa.Integer(), nullable=False),
    sa.Column("fault", sa.Text(), nullable=False),
    sa.Column("ended_by", sa.String(128), nullable=False),
    sa.Column("ended_why", sa.Text(), nullable=False),
)
sa.Table(
    "snapshots",
    FIRST,
    sa.Column("id", sa.String(96), primary_key=True),
    sa.Column("position", sa.BigInteger(), nullable=False),
    sa.Column("incident", sa.String(64), nullable=False, index=True),
    sa.Column("area", sa.String(128), nullable=False),
    sa.Column("camera", sa.String(128), nullable=False),
    sa.Column("sha", sa.String(64), nullable=False),
    sa.Column("time", sa.Double(), nullable=False),
)
sa.Table(
    "transitions",
    FIRST,
    sa.Column("position", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("id", sa.String(96), nullable=False, unique=True),
    sa.Column("time", sa.Double(), nullable=False),
    sa.Column("partition", sa.Integer(), nullable=False),
    sa.Column("offset", sa.BigInteger(), nullable=False),
    sa.Column("alarm", sa.String(64), nullable=False, index=True),
    sa.Column("record", sa.JSON(), nullable=False),
)


def upgrade() -> None:
    """Make the tables; give those of an older journal the columns that came since, all of which may be empty."""
    connection = op.get_bind()
    FIRST.create_all(connection)
    there = sa.inspect(connection)
    for table in FIRST.sorted_tables:
        known = {column["name"] for column in there.get_columns(table.name)}
        missing = [column for column in table.columns if column.name not in known]
        for column in missing:
            op.add_column(table.name, sa.Column(column.name, column.type))
        indexed = {index["name"] for index in there.get_indexes(table.name)}
        for index in table.indexes:
            if index.name not in indexed:
                index.create(connection)


def downgrade() -> None:
    """Drop all tables, with what is in them."""
    FIRST.drop_all(op.get_bind())
