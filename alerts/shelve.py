"""Setting alarms aside for a time: shelved by an operator, suppressed by design, or out of service.

Who does so gives a reason and an end. The alarm goes on following its process: each time it would have rung is recorded
and counted. One that was shelved or suppressed rings at once when it rises above the level that it had then: that is
what the person had judged. One that is out of service does not, for its signal is not to be believed. When the time is
over it is active and unacknowledged, or normal, by what the process says then.
"""

from __future__ import annotations

import math
from typing import Literal

from alerts.alarm import Alarm, Edge, Refusal, Shelf, step
from alerts.casebook import Casebook
from alerts.grouping import note_member, settle, standing, take_edge
from alerts.outcome import AlarmState, AnyOutcome
from alerts.sending import ENGINE, attend

Way = Literal["shelve", "suppress", "out_of_service"]

ENDS: dict[AlarmState, Edge] = {"SHLVD": "unshelve", "DSUPR": "unsuppress", "OOSRV": "in_service"}
"""The edge that brings an alarm back, by the state in which it is set aside."""


def set_aside(
    book: Casebook,
    alarm: Alarm,
    way: Way,
    seconds: object,
    clock: float,
    out: list[AnyOutcome],
    *,
    actor: str,
    reason: str,
) -> None:
    """Set an alarm aside for `seconds`. Raise `Refusal` when its state, the time or the reason does not allow it."""
    after = step(alarm.state, way)
    if not reason:
        raise Refusal("reason_needed")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise Refusal("bad_argument")
    if not (math.isfinite(seconds) and seconds > 0):
        raise Refusal("bad_argument")
    if seconds > (book.site.shelve_longest if way == "shelve" else book.settings.aside_longest):
        raise Refusal("alarm.aside_too_long")
    incident = book.cases.incidents.get(alarm.incident)
    was = standing(incident) if incident is not None else None
    level_before, alarm.level = alarm.level, alarm.asked or alarm.level
    alarm.shelf = Shelf(by=actor, reason=reason, since=clock, until=clock + seconds, level=alarm.level)
    out.append(book.alarm_record(alarm, way, after, clock, actor=actor, reason=reason, level_before=level_before))
    if incident is not None and was is not None:
        note_member(book, incident, alarm)
        attend(incident)
        settle(book, incident, was, clock, out, actor=actor, edge="set_aside", reason=reason)


def bring_back(
    book: Casebook, alarm: Alarm, edge: Edge, clock: float, out: list[AnyOutcome], *, actor: str, reason: str = ""
) -> None:
    """End the time for which an alarm was set aside. Raise `Refusal` when it is not, or not in this way."""
    step(alarm.state, edge)
    take_edge(book, alarm, edge, alarm.asked, clock, out, actor=actor, reason=reason)


def lapse(book: Casebook, alarm: Alarm, clock: float, out: list[AnyOutcome]) -> None:
    """Do what is due by the clock: say that the time is nearly over, then bring the alarm back."""
    shelf = alarm.shelf
    if shelf is None:
        return
    if shelf.until <= clock:
        bring_back(book, alarm, ENDS[alarm.state], clock, out, actor=ENGINE, reason="alarm.aside_over")
    elif not shelf.warned:
        shelf.warned = True
        out.append(book.alarm_record(alarm, "warn", alarm.state, clock, actor=ENGINE, reason="alarm.aside_ends"))
