"""What the clock alone says of alarms: a shelf that ends, an alarm that went stale, one that chatters no more."""

from __future__ import annotations

from collections.abc import Iterator

from alerts import shelve
from alerts.alarm import Alarm
from alerts.casebook import Casebook
from alerts.flapping import calm_at
from alerts.grouping import rings_key
from alerts.outcome import AnyOutcome
from alerts.sending import ENGINE


def due_alarms(book: Casebook, clock: float) -> list[Alarm]:
    """List the alarms of which the clock has something to say."""
    found = []
    for alarm in book.cases.alarms.values():
        due = book.alarm_due(alarm)
        if due is not None and due <= clock:
            found.append(alarm)
    return found


def dues(book: Casebook) -> Iterator[float]:
    """Name every time at which the clock will have something to say of an alarm."""
    for alarm in book.cases.alarms.values():
        due = book.alarm_due(alarm)
        if due is not None:
            yield due
    for rings in book.cases.rings.values():
        yield calm_at(rings)


def lapse(book: Casebook, alarm: Alarm, clock: float, out: list[AnyOutcome]) -> None:
    """Say what is due of an alarm."""
    if alarm.shelf is not None:
        shelve.lapse(book, alarm, clock, out)
        return
    alarm.stale = True
    out.append(book.alarm_record(alarm, "stale", alarm.state, clock, actor=ENGINE))


def settle_chattering(book: Casebook, clock: float, out: list[AnyOutcome]) -> None:
    """Forget the rings of alarms that have been silent for long; say so of those that chattered."""
    calm = [key for key, rings in book.cases.rings.items() if calm_at(rings) <= clock]
    if not calm:
        return
    chattered = {key for key in calm if book.cases.rings.pop(key).chattering}
    if not chattered:
        return
    for alarm in list(book.cases.alarms.values()):
        if alarm.chattering and rings_key(alarm) in chattered:
            alarm.chattering = False
            out.append(book.alarm_record(alarm, "settle", alarm.state, clock, actor=ENGINE))
            alarm.folded = 0
