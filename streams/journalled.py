"""Whether the journal has what the log says was decided: the last link between a replay and what people are shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from alerts.journal import plain
from alerts.outcome import AlarmTransition, AnyOutcome, CommandResult, DispatchChange, IncidentChange
from alerts.queries import Reader
from alerts.redaction import redact
from streams.readable import Readable
from streams.replay import Difference, First, outcomes
from streams.stretch import Stretch

KEPT = AlarmTransition | IncidentChange | DispatchChange | CommandResult
AT_ONCE = 500


def journalled(log: Readable, journal: Reader, where: Stretch) -> Difference:
    """Compare a stretch's recorded outcomes with the journal, as far as that has come.

    `recorded` are those of the log, `replayed` those of the journal, under whose id anything else is `changed`.
    """
    found = Difference()
    reached = journal.positions().get(where.partition, -1)
    for some in _batches(log, where, reached):
        records = journal.records([one.id for _, one in some])
        for offset, one in some:
            found.recorded += 1
            found.transitions += isinstance(one, AlarmTransition)
            row = records.get(one.id)
            found.replayed += row is not None
            if row is None:
                found.missing.append(one.id)
            elif _same(one, row):
                found.same += 1
                continue
            else:
                found.changed.append(one.id)
            if found.first is None:
                full = {"type": type(one).__struct_config__.tag, **plain(one)}
                found.first = First(partition=where.partition, offset=offset, id=one.id, recorded=full, replayed=row)
    return found


def _batches(log: Readable, where: Stretch, reached: int) -> Iterator[list[tuple[int, AnyOutcome]]]:
    some: list[tuple[int, AnyOutcome]] = []
    for record in outcomes(log, where.partition, where.first):
        if where.first <= record.offset < min(where.stop, reached + 1):
            some += [(record.offset, one) for one in record.outcomes if isinstance(one, KEPT)]
        if len(some) >= AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _same(one: AnyOutcome, row: dict[str, object]) -> bool:
    """Tell whether a row of the journal is an outcome; JSON knows no NaN, which it has as null.

    A row that was redacted is held against the outcome redacted.
    """
    there = _struct(row)
    if there is None:
        return False
    # every field, also those at their default: which of these are left out depends on how the value was made
    both: list[Any] = [plain(one), plain(there)]
    if row.get("redacted"):  # of one person, perhaps: what is left of the others is not compared either
        both = [redact(msgspec.json.decode(msgspec.json.encode(each))) for each in both]
    wanted, found = map(msgspec.json.encode, both)
    return wanted == found


def _struct(row: dict[str, object]) -> AnyOutcome | None:
    try:
        found: AnyOutcome = msgspec.convert(row, AnyOutcome)
        return found
    except msgspec.ValidationError:
        return None
