"""Index what lists ask for, and what is old: with ten million rows some pages took seconds"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INDICES = (
    ("alarms_of_area", "alarms", ["area", "number"]),
    ("alarms_time", "alarms", ["time"]),
    ("incidents_of_area", "incidents", ["area", "number"]),
    ("incidents_state", "incidents", ["state", "number"]),
    ("incidents_time", "incidents", ["time"]),
    ("dispatches_of_unit", "dispatches", ["unit", "number"]),
    ("dispatches_leg", "dispatches", ["leg", "number"]),
    ("dispatches_time", "dispatches", ["time"]),
)


def upgrade() -> None:
    """Make the indices: some seconds for a million alarms."""
    for name, table, columns in INDICES:
        op.create_index(name, table, columns)


def downgrade() -> None:
    """Drop them."""
    for name, table, _ in INDICES:
        op.drop_index(name, table)
