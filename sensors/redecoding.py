"""A refused message decoded once more, with the site of today: what it brings now. No I/O; time is an argument.

What it brings is history: readings and events are flagged so, for nothing of it is to raise an alarm as if it were now.
States of devices and cameras are left out: they told how things stood then, and would be taken for how they stand now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from sensors import push
from sensors.dialects import values
from sensors.dialects.dialect import Decoded, nothing, without
from sensors.dialects.dialect import Refused as TurnedDown
from sensors.intake import Intake, Rejected
from sensors.observation import HISTORICAL, LATE, CameraEvent, Report, Said
from sensors.quarantine import Refused
from sensors.reader import Arrivals

Outcome = Literal["accepted", "refused", "taken_before", "cut", "no_message", "state_only"]
"""What became of one message: its readings are taken, it is refused once more, all of it was taken before, it was not
kept whole, there is no message, it only told a state of then.
"""

_pushed = msgspec.json.Decoder(push.Reading).decode

OUTCOMES: tuple[Outcome, ...] = ("accepted", "refused", "taken_before", "cut", "no_message", "state_only")


@dataclass(slots=True)
class Redecoded:
    """Hold what one message came to. `records` are (topic, partition, value) for the log, `taken` registry indices."""

    outcome: Outcome
    records: list[tuple[str, int, bytes]] = field(default_factory=list)
    readings: int = 0
    events: int = 0
    taken: frozenset[int] = frozenset()
    reasons: Counter[str] = field(default_factory=Counter)
    details: list[str] = field(default_factory=list)


def arrivals_of(intake: Intake, topic: str, payload: bytes, *, retained: bool = False) -> Arrivals:
    """Make the arrivals of one message, as the bridge's reader would."""
    name = topic.encode(errors="surrogateescape")
    route = intake.topics[name]
    arrivals = Arrivals(routes=[route], payloads=[payload], size=len(payload))
    if not route:
        arrivals.refused[0] = name
    if retained:
        arrivals.retained.append(0)
    return arrivals


def redecode(
    intake: Intake, refused: Refused, now: float, *, taken: Collection[int] = (), said: bool = False
) -> Redecoded:
    """Decode a refused message again as of its arrival. `taken` and `said`: what of it was taken in replays before.

    A message that brought several readings of a point, some of which were taken, brings none of that point.
    """
    if not refused.replayable:
        cut = bool(refused.topic) and len(refused.raw) != refused.size
        return Redecoded("cut" if cut else "no_message")
    found, rejected = _checked(intake, refused)
    reasons: Counter[str] = Counter()
    for one in rejected:
        reasons[one.reason] += one.readings
    details = [f"{one.reason}: {one.detail}" if one.detail else one.reason for one in rejected[:3]]
    before = np.union1d(np.frombuffer(refused.taken, "<u4"), np.fromiter(taken, np.uint32, len(taken)))
    decoded, dropped = _new(found, before, now - intake.registry.site.late_after)
    events = [(place, event) for place, event in decoded.events if isinstance(event, CameraEvent | Report)]
    states = len(decoded.events) - len(events)
    if refused.said or said:
        dropped += len(events)
        events = []
    late = LATE if refused.time < now - intake.registry.site.late_after else 0
    decoded.events = [(place, _as_history(event, late)) for place, event in events]
    made = Redecoded(
        "accepted",
        intake.pack(decoded, refused.time),
        len(decoded),
        len(events),
        frozenset(np.unique(decoded.point).tolist()),
        reasons,
        details,
    )
    if not made.records:
        made.outcome = "refused" if reasons else "taken_before" if dropped else "state_only" if states else "no_message"
    return made


def _checked(intake: Intake, refused: Refused) -> tuple[Decoded, Sequence[Rejected | TurnedDown]]:
    """Decode a message as of its arrival, by the way on which it came, and check it; what is kept is no flood any more.

    How often such messages came was judged when they arrived; one after the other, as fast as they are replayed but by
    their times of then, a stock of them would always be one.
    """
    if not refused.topic.startswith(f"{push.TOPIC} "):
        arrivals = arrivals_of(intake, refused.topic, refused.raw, retained=refused.retained)
        checked = intake.check(arrivals, refused.time, flood=False)
        return checked.decoded, checked.rejected
    try:
        reading = _pushed(refused.raw)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return nothing(), [TurnedDown(0, values.reason_of(refused.raw, error), str(error)[:200])]
    decoded = push.decode([reading], refused.time, intake.registry)
    passed = intake.checks.check(decoded, refused.time, flood=False)
    return passed.decoded, [*decoded.refused, *passed.refused]


def _new(decoded: Decoded, before: npt.NDArray[np.uint32], late: float) -> tuple[Decoded, int]:
    """Leave out readings of points taken before; flag the others. Give them, and how many were left out."""
    known = np.flatnonzero(np.isin(decoded.point, before)) if len(before) else np.empty(0, np.intp)
    if len(known):
        decoded = without(decoded, known.tolist())
    flags = np.where(decoded.time < late, HISTORICAL | LATE, HISTORICAL).astype(np.uint8)
    decoded.quality = decoded.quality | flags
    return decoded, len(known)


def _as_history(event: Said, late: int) -> Said:
    return msgspec.structs.replace(event, quality=event.quality | HISTORICAL | late)
