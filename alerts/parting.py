"""A merge that a log has lost: what had been over by then belongs to the incident of before again."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy import Connection

from alerts.tables import alarms, dispatch_changes, dispatches, incident_changes, snapshots, transitions

_TOLD_BY = ((alarms, transitions), (dispatches, dispatch_changes), (snapshots, incident_changes))


def part_again(connection: Connection, into: Collection[str]) -> None:
    """Have alarms, orders and pictures that now stand with some incidents stand where their last change left them.

    A change says of which incident it was then; from there on by the merges that the log still has. Call it once the
    lost changes have other ids, and what they were about stands as the kept ones leave it.
    """
    ends: dict[str, str] = {}
    for table, changes in _TOLD_BY:
        told = sa.select(table.c.id, table.c.incident, changes.c.record).join(
            changes, changes.c.position == table.c.position
        )
        for row in connection.execute(told.where(table.c.incident.in_(into))).all():
            before = _end(connection, str(row.record["incident"]), ends)
            if before != row.incident:
                connection.execute(sa.update(table).where(table.c.id == row.id).values(incident=before))


def _end(connection: Connection, incident: str, ends: dict[str, str]) -> str:
    """Name the incident that another ended in, itself where it was not merged."""
    way = [incident]
    while way[-1] not in ends:
        last = (
            sa.select(incident_changes.c.id, incident_changes.c.record)
            .where(incident_changes.c.incident == way[-1], incident_changes.c.id.not_like("%.lost-%"))
            .order_by(incident_changes.c.position.desc())
            .limit(1)
        )
        row = connection.execute(last).first()
        if row is None or row.record["edge"] != "merged" or row.record["args"]["into"] in way:
            break
        way.append(str(row.record["args"]["into"]))
    end = ends.get(way[-1], way[-1])
    ends.update(dict.fromkeys(way, end))
    return end
