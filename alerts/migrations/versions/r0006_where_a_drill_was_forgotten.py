"""Keep with a drill in which of its areas nobody knows of it any more"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column: empty for all drills there are."""
    with op.batch_alter_table("exercises") as batch:
        batch.add_column(sa.Column("forgotten", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("exercises") as batch:
        batch.drop_column("forgotten")
