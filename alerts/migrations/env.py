"""What Alembic runs for every command: it works on the connection that `alerts.layout` has opened."""

from __future__ import annotations

from alembic import context

from alerts.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters most of a table by copying it
    transactional_ddl=True,  # SQLite's too, in a transaction that was begun by hand: all steps or none
)
with context.begin_transaction():
    context.run_migrations()
