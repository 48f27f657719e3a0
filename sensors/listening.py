"""What the bridge would make of a message, looked at without taking it: for eyes, and for programs that help them."""

from __future__ import annotations

import codecs
from typing import Literal

import msgspec

from sensors.intake import Intake
from sensors.lookup import Registry
from sensors.observation import (
    GOOD,
    LATE,
    OUT_OF_RANGE,
    QUALITY_NAMES,
    CameraEvent,
    CameraHealth,
    Report,
    Said,
    SourceState,
)
from sensors.redecoding import arrivals_of
from sensors.tap import Message
from sensors.topics import covers

Verdict = Literal["taken", "partly", "refused", "nothing", "unheard"]
"""Whether the bridge would take a message: whole, in part, not at all; it says nothing to take in; or the bridge does
not even subscribe to its topic.
"""

NAMED = 5
"""Points, cameras and zones of one event that are named."""

BEGINNING = 120
"""Bytes of a payload that are shown."""

SHOWN = 50
"""Readings of one message that are listed; all are counted."""

_QUALITIES = {bit: name for name, bit in QUALITY_NAMES.items() if bit != GOOD} | {
    LATE: "late",
    OUT_OF_RANGE: "out_of_range",
}


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A reading as it would be taken: `value` in `unit`, `time` in unix seconds."""

    point: str
    value: float
    unit: str
    time: float
    quality: tuple[str, ...] = ()


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says beside readings: an event, how a source or a camera is, a report.

    `what` is the sort of observation, `kind` what it says (debris, offline, black), `subject` of whom: a camera, a
    source, the keyed hash of a report's subject. `fields` are the others that were decoded, as text.
    """

    what: str
    kind: str
    subject: str
    area: str
    time: float
    fields: dict[str, str] = {}


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why so many `readings`, or the whole message, would be refused."""

    reason: str
    detail: str = ""
    readings: int = 1


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """One message and what becomes of it. `count` is how many readings would be taken, of which some are listed."""

    time: float
    topic: str
    size: int
    retained: bool
    verdict: Verdict
    count: int = 0
    readings: tuple[Reading, ...] = ()
    events: tuple[Event, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    beginning: str = ""


class Listener:
    """Decode messages as the bridge of this site would, one by one; keeps nothing but what dialects need."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._intake = Intake(registry, source="listen")
        self._filters = self._intake.topics.filters()

    def hear(self, message: Message) -> Heard:
        """Say what becomes of a message."""
        heard = Heard(
            time=message.time,
            topic=message.topic,
            size=len(message.payload),
            retained=message.retained,
            verdict="unheard",
            beginning=_beginning(message.payload),
        )
        learnt = self._intake.topics.has_learnt(message.topic)
        if not learnt and not any(covers(one, message.topic) for one in self._filters):
            return heard
        arrivals = arrivals_of(self._intake, message.topic, message.payload, retained=message.retained)
        checked = self._intake.check(arrivals, message.time)
        decoded = checked.decoded
        found = len(decoded) + len(decoded.events)
        verdict: Verdict = "nothing" if not found else "taken"
        troubles = [
            Trouble(reason=one.reason, detail=one.detail[:300], readings=one.readings) for one in checked.rejected
        ]
        if checked.surplus:
            detail = "far too much of its point, camera or source; counted, and not kept"
            troubles.append(Trouble(reason="flood", detail=detail, readings=checked.surplus))
        if troubles:
            verdict = "partly" if found else "refused"
        readings = []
        columns = (decoded.point[:SHOWN], decoded.value[:SHOWN], decoded.time[:SHOWN], decoded.quality[:SHOWN])
        for point, value, time, quality in zip(*(column.tolist() for column in columns), strict=True):
            known = self._registry.by_index[point]
            flags = tuple(name for bit, name in _QUALITIES.items() if quality & bit)
            readings.append(Reading(point=known.id, value=value, unit=known.unit, time=time, quality=flags))
        return msgspec.structs.replace(
            heard,
            verdict=verdict,
            count=len(decoded),
            readings=tuple(readings),
            events=tuple(event_of(event, self._registry) for _, event in decoded.events[:SHOWN]),
            troubles=tuple(troubles),
        )


def event_of(said: Said, registry: Registry) -> Event:
    """Say in short what a message says beside readings."""
    fields: dict[str, str] = {}
    match said:
        case CameraEvent():
            what, kind, subject = "camera event", said.kind, said.camera
            confidence = "" if said.confidence is None else f"{said.confidence:g}"
            fields = {"phase": said.phase, "confidence": confidence, "zones": ", ".join(said.zones[:NAMED])}
            fields |= {"level": said.level, "detail": said.detail[:120], "id": said.event[:64]}
        case SourceState():
            what, kind, subject = "source", said.state, said.source
            points = [registry.by_index[index].id for index in said.points[:NAMED]]
            fields = {"points": _named(points, len(said.points))}
            fields["cameras"] = _named(list(said.cameras[:NAMED]), len(said.cameras))
        case CameraHealth():
            told = [f"{name} {confidence:g}" for name, confidence in said.faults.items()]
            good = "in order" if said.judged else "cannot be judged"
            what, kind, subject = "camera health", ", ".join(told) or good, said.camera
            fields = {"by": said.source}
        case Report():
            what, kind, subject = "report", said.category, said.subject or ""
            fields = {"text": said.text[:120], "photo": "yes" if said.photo else "", "by": said.actor}
    fields["quality"] = ", ".join(name for bit, name in _QUALITIES.items() if said.quality & bit)
    return Event(
        what=what,
        kind=kind,
        subject=subject,
        area=said.area,
        time=said.time,
        fields={name: text for name, text in fields.items() if text},
    )


def _named(names: list[str], count: int) -> str:
    more = f" and {count - len(names)} more" if count > len(names) else ""
    return ", ".join(names) + more


def _beginning(payload: bytes) -> str:
    """Give the first characters of a payload as text, the last of them whole; bytes that are none are escaped."""
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    return decoder.decode(payload[:BEGINNING], final=len(payload) <= BEGINNING)
