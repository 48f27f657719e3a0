"""What became of everything in a drill: the log against its publisher, an unbroken run, the journal and who is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from alerts.outcome import AlarmTransition, DispatchChange
from scripts.backing import Journalled
from scripts.drill_kill import logged, outcomes, reading_of, repeats
from scripts.units import Telephone
from sensors.site import Site
from streams.readable import Reader
from streams.replay import compare
from streams.settings import Settings
from streams.topics import GROUP, OBSERVATIONS

FAILED = (
    "lost_to_publisher",
    "alarms_missed",
    "alarms_differing",
    "out_of_order",
    "dispatches_missed",
    "dispatches_repeated",
    "events_unheard",
    "events_never_told",
)
"""Figures that have to be 0."""


def counted(
    log: Reader, found: Settings, site: Site, acknowledged: Iterable[bytes], telephone: Telephone, owed: set[str]
) -> dict[str, Any]:
    """Count it; `acknowledged` are messages that were taken of their publisher, `owed` the events to be heard."""
    held = logged(log, {point.index: point.id for point in site.points})
    committed = {p: log.committed(GROUP, OBSERVATIONS, p) or 0 for p in range(log.topics()[OBSERVATIONS])}
    unbroken = compare(log, committed.__getitem__)
    recorded = list(outcomes(log))
    changes = [one for record in recorded for one in record.outcomes]
    alarms = [one.id for one in changes if isinstance(one, AlarmTransition)]
    issued = [one.id for one in changes if isinstance(one, DispatchChange) and one.edge == "issued"]
    journal = Journalled.of(found)
    published = {reading_of(message) for message in acknowledged}
    order: dict[int, list[int]] = {}
    for record in recorded:
        order.setdefault(record.partition, []).append(record.offset)
    return {
        "acknowledged_to_publisher": len(published),
        "lost_to_publisher": len(published - held.keys()),
        "stored_twice": sum(count - 1 for count in held.values()),
        "alarm_transitions": len(alarms),
        "alarms_missed": len(set(unbroken.added)) + len({*alarms} - {*journal.transitions}),
        "alarms_differing": len(unbroken.changed) + len(unbroken.missing),
        "out_of_order": sum(offsets != sorted(set(offsets)) for offsets in order.values()),
        "dispatches": len(set(issued)),
        "dispatches_missed": len({*issued} - {*journal.dispatches}),
        "dispatches_repeated": repeats(issued) + repeats(journal.dispatches) + repeats(journal.told),
        "events_told": len({*journal.told}),
        "events_unheard": len(owed - {*telephone.ids}),
        "events_never_told": len({*telephone.ids} - {*journal.told}) + telephone.altered,
        "events_again_at_webhook": telephone.repeats,
    }
