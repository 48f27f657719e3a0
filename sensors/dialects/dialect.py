"""What every payload dialect offers: the same three functions, in the terms of this module.

A dialect is a module with

- `topics(config) -> tuple[str, ...]`: the MQTT filters it must be subscribed to;
- `resolve(topic, config, registry) -> Route | Refusal | None`: what a topic carries, asked only the first time that the
  topic is seen; `None` when the topic is not this dialect's;
- `decode(lane, points, payloads, received) -> Decoded`: payloads of one lane, decoded together.

A dialect whose topics say more than a point (a device, a camera, what kind of message it is) puts that into the route's
`subject`; `points` then holds, for each payload, the place of its subject in `lane.subjects`. A dialect that has to
answer (to ask for a birth certificate) puts what is to be published into `Decoded.replies`. A dialect that learns from
payloads which further topics carry its readings puts them into `Decoded.wanted`. One that remembers what payloads told
offers a fourth function, `succeed(lane, old) -> Inherited`: what they told a lane of an earlier version of the site
is taken over. Its configuration has a `prefix`, by which that lane is found where the rest has changed.

All three are pure but for `lane.cache`; a payload, however hostile, is refused with a reason and never raises.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, cast

import msgspec
import numpy as np
import numpy.typing as npt

from sensors.lookup import Registry
from sensors.observation import Said, SourceState

Kind = Literal["reading", "frame", "event"]
"""What one message carries: a single reading, many readings, an event. It decides how large a message may be."""

MISSING = -1
"""Point index of messages that carry no single point."""


class Route(NamedTuple):
    """Say what a topic carries; `point` is the registry index of a single reading's point, `subject` all else.

    A route has one of the two; topics of equal subjects share their place in `Lane.subjects`.
    """

    kind: Kind
    point: int = MISSING
    subject: Hashable = None


class Refusal(NamedTuple):
    """Say why a whole topic is refused."""

    reason: str
    detail: str = ""


class Refused(NamedTuple):
    """Say why one message (its place among the payloads), or some `readings` in it, were refused."""

    message: int
    reason: str
    detail: str = ""
    readings: int = 1


class Left(Exception):
    """Ends the decoding of one message with the reason why it says nothing."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


class Reply(NamedTuple):
    """Ask for a message to be published to the broker that sent; the bridge sends equal ones once in a while only."""

    topic: str
    payload: bytes


class Wanted(NamedTuple):
    """Ask for a topic (without wildcards) that a payload told of, to come to this lane as `subject`; None: no more.

    To ask again for what comes already changes nothing. A topic that a dialect's own `topics` cover stays with it.
    """

    topic: str
    subject: Hashable


class Inherited(NamedTuple):
    """What a lane has from that of an earlier version of the site: topics, and what is known of sources bound anew.

    The times of `states` are those of the change, which only who makes it knows: they are not set.
    """

    wanted: Sequence[Wanted] = ()
    states: Sequence[SourceState] = ()


@dataclass(slots=True)
class Lane:
    """Hold what the messages of one kind, dialect and configuration are decoded with.

    `cache` is the dialect's own scratch space; what it holds must follow from the payloads alone.
    """

    kind: Kind
    config: Any
    registry: Registry
    subjects: list[Any] = field(default_factory=list)
    cache: dict[Any, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Decoded:
    """Hold what payloads said: readings as columns of one length, other observations, and what was refused.

    `message` intp, the place of the payload that each reading came from, ascending; `point` intp registry index; `time`
    float64 unix seconds, NaN where the source gave none; `value` float64, possibly not finite; `quality` uint8. The
    time of one of `events` may be NaN in the same sense. `relative` are the payloads whose times were counted from
    arrival: of a stored copy they say nothing.
    """

    message: npt.NDArray[np.intp]
    point: npt.NDArray[np.intp]
    time: npt.NDArray[np.float64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint8]
    events: list[tuple[int, Said]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)
    relative: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.point)


class Dialect(Protocol):
    """Describe a dialect module to the type checker."""

    def topics(self, config: Any) -> tuple[str, ...]:
        """List the MQTT filters that carry this dialect."""
        ...

    def resolve(self, topic: str, config: Any, registry: Registry) -> Route | Refusal | None:
        """Say what a topic carries."""
        ...

    def decode(self, lane: Lane, points: npt.NDArray[np.intp], payloads: Sequence[bytes], received: float) -> Decoded:
        """Decode payloads of one lane."""
        ...


def nothing() -> Decoded:
    """Give a `Decoded` without any reading."""
    return Decoded(np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0), np.empty(0), np.empty(0, np.uint8))


def put_readings(decoded: Decoded, readings: Sequence[tuple[int, int, float, float]]) -> None:
    """Put good readings, (message, registry index, time, value) in order of their messages, where there were none."""
    if readings:
        message, point, time, value = zip(*readings, strict=True)
        decoded.message, decoded.point = np.array(message, np.intp), np.array(point, np.intp)
        decoded.time, decoded.value = np.array(time, np.float64), np.array(value, np.float64)
        decoded.quality = np.zeros(len(readings), np.uint8)


def join(parts: Sequence[Decoded]) -> Decoded:
    """Join decoded parts end to end; the caller keeps `message` ascending."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return nothing()
    return Decoded(
        np.concatenate([part.message for part in parts]),
        np.concatenate([part.point for part in parts]),
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.quality for part in parts]),
        [event for part in parts for event in part.events],
        [refused for part in parts for refused in part.refused],
        [reply for part in parts for reply in part.replies],
        [wanted for part in parts for wanted in part.wanted],
        [place for part in parts for place in part.relative],
    )


def without(decoded: Decoded, places: Sequence[int]) -> Decoded:
    """Leave out the readings at `places`; what was refused stays."""
    keep = np.ones(len(decoded), bool)
    keep[np.asarray(places, np.intp)] = False
    return Decoded(
        decoded.message[keep],
        decoded.point[keep],
        decoded.time[keep],
        decoded.value[keep],
        decoded.quality[keep],
        decoded.events,
        decoded.refused,
        decoded.replies,
        decoded.wanted,
        decoded.relative,
    )


def decode_each(decode: Callable[[bytes], Any], payloads: Sequence[bytes]) -> tuple[list[Any], dict[int, Exception]]:
    """Decode payloads one by one at C speed; give the results (None where it failed) and the errors by place.

    Joining payloads into lines is no faster (0.11 against 0.12 µs a reading) and lets hostile ones shift their
    neighbours: `msgspec` reads values across line ends, so an empty payload and `1 2` together pass any count.
    """
    results: list[Any] = []
    errors: dict[int, Exception] = {}
    rest = iter(payloads)
    while True:
        try:
            results.extend(map(decode, rest))
            return results, errors
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
            errors[len(results)] = error
            results.append(None)


def module(dialect: object) -> Dialect:
    """Give a dialect's module the type of what it offers."""
    return cast(Dialect, dialect)
