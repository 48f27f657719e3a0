"""The journal's tables, in types that SQLite and PostgreSQL share. `journal` writes them, `queries` reads them.

Every change has a `position` from one sequence over all kinds of change: what `GET /changes?since=` pages by. Current
rows carry `number`, the position at which they first appeared: what lists page by, newest first.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

counters = Table(
    "counters",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

positions = Table(  # the last observation of each partition whose outcomes are in the journal
    "positions",
    metadata,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, nullable=False),
)

logs = Table(  # which log the positions are in
    "logs",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("id", String(64), nullable=False),
)


def _changes(name: str, *columns: Column[object]) -> Table:
    """Make a table of changes: one row a change, its record whole beside the columns that are searched."""
    return Table(
        name,
        metadata,
        Column("position", BigInteger, primary_key=True, autoincrement=False),
        Column("id", String(96), nullable=False, unique=True),
        Column("time", Double, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("offset", BigInteger, nullable=False),
        *columns,
        Column("record", JSON, nullable=False),
    )


transitions = _changes("transitions", Column("alarm", String(64), nullable=False, index=True))
incident_changes = _changes("incident_changes", Column("incident", String(64), nullable=False, index=True))
Index("incident_changes_time", incident_changes.c.time, incident_changes.c.position)
dispatch_changes = _changes("dispatch_changes", Column("dispatch", String(64), nullable=False, index=True))
results = _changes("results", Column("target", String(96), nullable=False))

alarms = Table(
    "alarms",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("position", BigInteger, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("rule", String(128), nullable=False),
    Column("rule_version", String(128), nullable=False),
    Column("title", JSON, nullable=False),
    Column("rationale", JSON, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("area", String(128), nullable=False),
    Column("scope", String(128), nullable=False),
    Column("state", String(8), nullable=False),
    Column("level", String(8), nullable=False),
    Column("onset", Double, nullable=False),
    Column("opened", Double, nullable=False),
    Column("time", Double, nullable=False),
    Column("incident", String(64), index=True),
    Column("acknowledged_by", String(128)),
    Column("simulated", Boolean, nullable=False),
    Column("explanation", JSON),
    # since 0.2: empty in what an older version wrote
    Column("aside", JSON),
    Column("until", Double, index=True),
    Column("assignee", String(128)),
    Column("marks", JSON),
    Column("folded", Integer),
    Column("exercise", String(64)),
)
Index("alarms_open", alarms.c.open, alarms.c.number)
Index("alarms_area", alarms.c.area, alarms.c.open, alarms.c.number)
Index("alarms_state", alarms.c.state, alarms.c.number)
Index("alarms_of_area", alarms.c.area, alarms.c.number)
Index("alarms_time", alarms.c.time)
Index("alarms_area_time", alarms.c.area, alarms.c.time)

incidents = Table(
    "incidents",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("position", BigInteger, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("area", String(128), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("level", String(8), nullable=False),
    Column("peak", String(8), nullable=False),
    Column("cause", String(64), nullable=False),
    Column("alarms", JSON, nullable=False),
    Column("title", JSON, nullable=False),
    Column("opened", Double, nullable=False),
    Column("time", Double, nullable=False),
    Column("acknowledged_by", String(128)),
    Column("disposition", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("simulated", Boolean, nullable=False),
    # since 0.2: empty in what an older version wrote
    Column("plan", String(160)),
    Column("ticks", JSON),
    Column("exercise", String(64), index=True),
    Column("sort", String(16)),
    Column("subject", String(64), index=True),
)
Index("incidents_open", incidents.c.open, incidents.c.number)
Index("incidents_area", incidents.c.area, incidents.c.open, incidents.c.number)
Index("incidents_of_area", incidents.c.area, incidents.c.number)
Index("incidents_state", incidents.c.state, incidents.c.number)
Index("incidents_time", incidents.c.time)

dispatches = Table(
    "dispatches",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("position", BigInteger, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("incident", String(64), nullable=False, index=True),
    Column("area", String(128), nullable=False),
    Column("unit", String(128), nullable=False),
    Column("leg", String(16), nullable=False),
    Column("level", String(8), nullable=False),
    Column("deadline", Double),
    Column("overdue", Boolean, nullable=False),
    Column("issued", Double, nullable=False),
    Column("time", Double, nullable=False),
    Column("note", Text, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("lead", String(128)),  # since 0.2: empty in what an older version wrote
    Column("repair", JSON),  # the device that is to be mended, and its kind
)
Index("dispatches_open", dispatches.c.open, dispatches.c.number)
Index("dispatches_unit", dispatches.c.unit, dispatches.c.open, dispatches.c.number)
Index("dispatches_of_unit", dispatches.c.unit, dispatches.c.number)
Index("dispatches_leg", dispatches.c.leg, dispatches.c.number)
Index("dispatches_time", dispatches.c.time)
Index("dispatches_area", dispatches.c.area, dispatches.c.open, dispatches.c.number)
Index("dispatches_of_area", dispatches.c.area, dispatches.c.number)

plans = Table(  # prepared responses that incidents keep to, by id and version
    "plans",
    metadata,
    Column("key", String(160), primary_key=True),
    Column("content", JSON, nullable=False),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("id", String(96), primary_key=True),  # of the incident change that attached it
    Column("position", BigInteger, nullable=False),
    Column("incident", String(64), nullable=False, index=True),
    Column("area", String(128), nullable=False),
    Column("camera", String(128), nullable=False),
    Column("sha", String(64), nullable=False, index=True),
    Column("time", Double, nullable=False),
)

attachments = Table(  # files that people put with alarms; `sha` is the SHA-256 of one that is kept beside the journal
    "attachments",
    metadata,
    Column("id", String(96), primary_key=True),  # of the transition that attached it
    Column("alarm", String(64), nullable=False, index=True),
    Column("sha", String(64), nullable=False, index=True),
    Column("type", String(32), nullable=False),
    Column("name", String(160), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("time", Double, nullable=False),
    Column("by", String(256), nullable=False),
)

reports = Table(  # what people reported; `subject` is a keyed hash, `photo` the SHA-256 of a kept picture
    "reports",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("area", String(128), nullable=False),
    Column("category", String(48), nullable=False),
    Column("time", Double, nullable=False, index=True),
    Column("received", Double, nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("subject", String(64), index=True),
    Column("photo", String(64), index=True),
    Column("actor", String(256), nullable=False),
    Column("simulated", Boolean, nullable=False),
)
Index("reports_area", reports.c.area, reports.c.number)
Index("reports_category", reports.c.category, reports.c.number)

exercises = Table(  # drills; their incidents name them
    "exercises",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("title", JSON, nullable=False),
    Column("areas", JSON, nullable=False),
    Column("units", JSON, nullable=False),
    Column("objectives", JSON, nullable=False),
    Column("actor", String(256), nullable=False),
    Column("began", Double, nullable=False, index=True),
    Column("ended", Double),
    Column("forgotten", JSON),  # areas whose engine knows of it no more
)

handovers = Table(  # turns of duty that were taken over, with the sheet that was signed
    "handovers",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("turn", String(32), nullable=False),
    Column("shift", String(64), nullable=False),
    Column("begin", Double, nullable=False),
    Column("time", Double, nullable=False, index=True),
    Column("actor", String(256), nullable=False),
    Column("reason", Text, nullable=False),
    Column("people", JSON, nullable=False),
    Column("sheet", JSON, nullable=False),
)

shadows = Table(  # sets of shadow rules, one row a partition
    "shadows",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("began", Double),
    Column("ended", Double),
    Column("state", String(16), nullable=False),  # running | broken | ended | replaced | promoted
    Column("author", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Column("rules", Integer, nullable=False),
    Column("fault", Text, nullable=False),  # what could not be worked out, or why it never ran
    Column("ended_by", String(128), nullable=False),
    Column("ended_why", Text, nullable=False),
)

shadow_verdicts = Table(  # how alarms of shadow rules compare with those in force
    "shadow_verdicts",
    metadata,
    Column("pair", String(96), primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("shadow", String(64), nullable=False),
    Column("rule", String(128), nullable=False),
    Column("scope", String(128), nullable=False),
    Column("area", String(128), nullable=False),
    Column("how", String(16), nullable=False),
    Column("open", Boolean, nullable=False),
    Column("begun", Double, nullable=False),
    Column("time", Double, nullable=False),
    Column("seconds", Double),
    Column("before", String(8), nullable=False),
    Column("after", String(8), nullable=False),
)
Index("shadow_verdicts_of", shadow_verdicts.c.shadow, shadow_verdicts.c.number)

proposals = Table(  # publications that waited for a second person
    "proposals",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("version", String(32), nullable=False),
    Column("state", String(16), nullable=False),  # waiting | approved | rejected | replaced
    Column("author", String(128), nullable=False),
    Column("proposed", Double, nullable=False),
    Column("why", Text, nullable=False),
    Column("difference", JSON, nullable=False),
    Column("time", Double, nullable=False),
    Column("by", String(128), nullable=False),
    Column("reason", Text, nullable=False),
)

modes = Table(  # spells of modes of the site, one row an order, area and partition; `area` is empty for the whole site
    "modes",
    metadata,
    Column("order", String(64), primary_key=True),
    Column("area", String(128), primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("mode", String(64), nullable=False),
    Column("state", String(16), nullable=False),  # on | replaced | ended | over | refused
    Column("since", Double, nullable=False, index=True),
    Column("until", Double, nullable=False),
    Column("by", String(256), nullable=False),
    Column("reason", Text, nullable=False),
    Column("time", Double, nullable=False),
    Column("ended_by", String(256), nullable=False),
    Column("ended_why", Text, nullable=False),
)
Index("modes_state", modes.c.state)

candidates = Table(  # incidents that rose together and may be one matter
    "candidates",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("partition", Integer, nullable=False),
    Column("state", String(16), nullable=False, index=True),  # open | dropped | merged | over
    Column("place", String(128), nullable=False),
    Column("incidents", JSON, nullable=False),
    Column("areas", JSON, nullable=False),
    Column("since", Double, nullable=False),
    Column("time", Double, nullable=False),
    Column("by", String(256), nullable=False),
    Column("reason", Text, nullable=False),
    Column("simulated", Boolean, nullable=False),
)

silences = Table(  # what calls nobody for a time, one row a partition
    "silences",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),  # on | ended | over
    Column("since", Double, nullable=False, index=True),
    Column("until", Double, nullable=False),
    Column("level", String(8), nullable=False),
    Column("areas", JSON, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("rules", JSON, nullable=False),
    Column("by", String(256), nullable=False),
    Column("reason", Text, nullable=False),
    Column("time", Double, nullable=False),
    Column("ended_by", String(256), nullable=False),
    Column("ended_why", Text, nullable=False),
)
Index("silences_state", silences.c.state)

outbox = Table(  # what notifiers have to tell the world, in the order it happened
    "outbox",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String(96), nullable=False),
    Column("kind", String(16), nullable=False),  # dispatch: `payload` is a CloudEvent | area: its alarms changed
    Column("area", String(128), nullable=False),
    Column("unit", String(128), nullable=False),  # empty: it is about no unit, nobody is on the incident
    Column("simulated", Boolean, nullable=False),
    Column("time", Double, nullable=False, index=True),
    Column("payload", JSON),
)
