"""Index what is asked for by areas, by a picture and by the time of a change: an account's places, a handover"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INDICES = (
    ("alarms_area_time", "alarms", ["area", "time"]),
    ("dispatches_area", "dispatches", ["area", "open", "number"]),
    ("dispatches_of_area", "dispatches", ["area", "number"]),
    ("incident_changes_time", "incident_changes", ["time", "position"]),
    ("ix_snapshots_sha", "snapshots", ["sha"]),
)


def upgrade() -> None:
    """Make the indices: some seconds for a million alarms."""
    for name, table, columns in INDICES:
        op.create_index(name, table, columns)


def downgrade() -> None:
    """Drop them."""
    for name, table, _ in INDICES:
        op.drop_index(name, table)
