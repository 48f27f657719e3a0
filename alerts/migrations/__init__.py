"""The journal's layouts, one Alembic revision each. `alerts.layout` runs them; `scripts.new_revision` begins one."""
