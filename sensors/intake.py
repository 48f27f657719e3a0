"""From messages that arrived to records of the log: decode, check, stamp, pack. No I/O; time is an argument."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from sensors import observation, packing, quarantine
from sensors.checks import Checks
from sensors.dialects.dialect import Decoded, Refused, Reply, join, nothing
from sensors.lookup import Registry
from sensors.observation import Said, SourceState
from sensors.packing import Packer
from sensors.quarantine import Quarantine
from sensors.reader import Arrivals
from sensors.topics import Topics

log = logging.getLogger(__name__)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Limit the bytes of a single reading, of a camera event and of a frame, and the readings of a record."""

    single: int = 4_096
    event: int = 65_536
    frame: int = 1_048_576
    record: int = 20_000


@dataclass(slots=True)
class Batch:
    """Hold the records of one batch: (topic, partition, value)."""

    records: list[tuple[str, int, bytes]] = field(default_factory=list)
    readings: int = 0
    events: int = 0
    replies: list[Reply] = field(default_factory=list)
    filters: dict[str, bool] = field(default_factory=dict)  # topic that was learnt → subscribe or unsubscribe

    @property
    def size(self) -> int:
        """Count the bytes of all records."""
        return sum(len(value) for _, _, value in self.records)


_NO_MESSAGE = -2
"""Place of what no message of the arrival has told; -1 is what was too large to be taken in."""


class Rejected(NamedTuple):
    """Say what of one arrival was refused and why; `place` is -1 for what was too large to be taken in."""

    place: int
    topic: bytes
    raw: bytes
    reason: str
    detail: str
    size: int
    readings: int


@dataclass(slots=True)
class Checked:
    """Hold what arrivals came to: `decoded` passed every check, readings are stamped; the rest was `rejected`.

    `surplus` counts readings and events of a flood of which nothing is kept; `overdue` are states held back by one.
    """

    decoded: Decoded
    rejected: list[Rejected]
    surplus: int = 0
    overdue: list[Said] = field(default_factory=list)


class Intake:
    """Turn arrivals into batches for one site; count everything."""

    def __init__(self, registry: Registry, *, source: str = "bridge", limits: Limits | None = None) -> None:
        self.registry = registry
        self.limits = limits or Limits()
        self.topics = Topics(registry)
        self.quarantine = Quarantine(source)
        self._rejected: list[Rejected] = []
        self.renamed = 0  # messages under a topic of before a rename
        self._broken: set[int] = set()  # lanes whose decoder has raised
        self._filters: dict[str, bool] = {}
        self.checks = Checks(registry)
        self._states: list[SourceState] = []  # of sources that this version binds anew, not yet told
        self._packer = Packer(registry, source, self.limits.record)
        self._most = {"reading": self.limits.single, "event": self.limits.event, "frame": self.limits.frame}

    def succeed(self, other: Intake) -> None:
        """Go on where the intake of an earlier version of the site stopped: its counts, its quarantine, its stamps."""
        self.quarantine = other.quarantine
        self.renamed = other.renamed
        self.checks.succeed(other.checks)
        filters, states = self.topics.succeed(other.topics)
        self._filters = other._filters | filters
        self._states = [one for one in other._states if self.registry.area(one.area) is not None] + states

    def take(self, arrivals: Arrivals, received: float) -> Batch:
        """Make the batch of what arrived by `received` (unix seconds)."""
        checked = self.check(arrivals, received)
        decoded = checked.decoded
        decoded.events = [*self._due(checked, received), *decoded.events]
        batch = Batch(self.pack(decoded, received), len(decoded), len(decoded.events), decoded.replies, self._filters)
        self._filters = {}
        if checked.rejected:
            self._put_away(arrivals, checked, received)
        if checked.surplus:
            self.quarantine.count("flood", checked.surplus)
        for detail in self.checks.take_notes():
            self.quarantine.refuse(received, "", "skewed", detail=detail, readings=0)
            log.warning("%s", detail)
        if self.quarantine.pending:
            batch.records += [
                (quarantine.TOPIC, quarantine.PARTITION, record) for record in self.quarantine.take(received)
            ]
        return batch

    def check(self, arrivals: Arrivals, received: float, *, flood: bool = True) -> Checked:
        """Decode, stamp and check what arrived by `received` (unix seconds), and keep nothing of it.

        Without `flood` nothing is too much: of messages of another time, one by one.
        """
        rejected: list[Rejected] = []
        self._rejected = rejected
        decoded = self._decode(arrivals, received)
        for one in arrivals.oversized:
            self._reject(-1, one.topic, one.head, "oversized", f"{one.size} bytes", one.size)
        passed = self.checks.check(decoded, received, stored=arrivals.retained, flood=flood)
        for refused in passed.refused:
            self._refuse(arrivals, *refused)
        return Checked(passed.decoded, rejected, len(passed.surplus), passed.overdue)

    def pack(self, decoded: Decoded, received: float) -> list[tuple[str, int, bytes]]:
        """Make the records (topic, partition, value) of what was checked."""
        records = self._packer.pack(decoded, received) if len(decoded) else []
        for _, event in decoded.events:
            records.append((packing.TOPIC, self.registry.partition(event.area), observation.encode(event)))
        return records

    def _due(self, checked: Checked, received: float) -> list[tuple[int, Said]]:
        """Take what is to be told beside what has arrived: states held back, states of sources bound anew."""
        states, self._states = self._states, []
        now = [msgspec.structs.replace(one, time=received, received=received) for one in states]
        return [(_NO_MESSAGE, one) for one in (*checked.overdue, *now)]

    def pending(self, received: float) -> bool:
        """Tell whether `take` has, or will have, something to give without any arrival."""
        return self.quarantine.pending or bool(self._states) or self.checks.is_due(received)

    def _put_away(self, arrivals: Arrivals, checked: Checked, received: float) -> None:
        """Quarantine what was rejected, message by message, with what else of it was taken."""
        rejected = sorted(checked.rejected, key=attrgetter("place"))  # stable
        message = checked.decoded.message
        said = {place for place, _ in checked.decoded.events}
        retained = set(arrivals.retained)
        for place, group in groupby(rejected, key=attrgetter("place")):
            taken = b""
            if len(message) and place >= 0:
                start, stop = np.searchsorted(message, (place, place + 1)).tolist()
                if stop > start:
                    taken = np.unique(checked.decoded.point[start:stop]).astype("<u4").tobytes()
            part = 0
            for one in group:
                part = 0 if place < 0 else part  # what was too large to be taken in is a message each
                part += self.quarantine.refuse(
                    received,
                    one.topic.decode(errors="backslashreplace"),
                    one.reason,
                    one.raw,
                    one.detail,
                    one.readings,
                    one.size,
                    retained=place in retained,
                    part=part,
                    taken=taken,
                    said=place in said,
                )

    def _decode(self, arrivals: Arrivals, received: float) -> Decoded:
        """Decode lane by lane; readings come back in the order of their messages."""
        payloads = arrivals.payloads
        if not payloads:
            return join([])
        routes = np.array(arrivals.routes, np.intp)
        if self.topics.former:
            self.renamed += sum(route in self.topics.former for route in arrivals.routes)
        lane_of = self.topics.lane_of[routes]
        points = self.topics.point_of[routes]
        first = int(lane_of[0])
        if first >= 0 and (lane_of == first).all():
            return self._lane(arrivals, first, None, points, payloads, received)
        parts = []
        for lane in np.unique(lane_of).tolist():
            places = np.flatnonzero(lane_of == lane)
            if lane < 0:
                self._refuse_unrouted(arrivals, places)
                continue
            chosen = [payloads[place] for place in places.tolist()]
            parts.append(self._lane(arrivals, lane, places, points[places], chosen, received))
        decoded = join(parts)
        if len(parts) > 1:
            order = np.argsort(decoded.message, kind="stable")
            decoded.events.sort(key=itemgetter(0))
            decoded = Decoded(
                decoded.message[order],
                decoded.point[order],
                decoded.time[order],
                decoded.value[order],
                decoded.quality[order],
                decoded.events,
                replies=decoded.replies,
                relative=decoded.relative,
            )
        return decoded

    def _lane(
        self,
        arrivals: Arrivals,
        number: int,
        places: npt.NDArray[np.intp] | None,
        points: npt.NDArray[np.intp],
        payloads: list[bytes],
        received: float,
    ) -> Decoded:
        lane = self.topics.lanes[number]
        most = self._most[lane.kind]
        if max(map(len, payloads)) > most:
            fits = [len(payload) <= most for payload in payloads]
            kept = np.flatnonzero(fits)
            where = np.arange(len(payloads)) if places is None else places
            for place in np.flatnonzero(~np.asarray(fits)).tolist():
                size = len(payloads[place])
                self._refuse(arrivals, int(where[place]), "oversized", f"{size} bytes, at most {most} allowed")
            payloads = [payloads[place] for place in kept.tolist()]
            points, places = points[kept], where[kept]
        decoded = self._decode_lane(number, points, payloads, received)
        for wanted in decoded.wanted:
            if self.topics.learn(number, wanted):
                self._filters.pop(wanted.topic, None)
                self._filters[wanted.topic] = wanted.subject is not None
        if places is not None:
            decoded.message = places[decoded.message]
            decoded.events = [(int(places[place]), event) for place, event in decoded.events]
            decoded.relative = [int(places[place]) for place in decoded.relative]
        for one in decoded.refused:
            place = one.message if places is None else int(places[one.message])
            self._refuse(arrivals, place, one.reason, one.detail, one.readings)
        return decoded

    def _decode_lane(
        self, number: int, points: npt.NDArray[np.intp], payloads: list[bytes], received: float
    ) -> Decoded:
        """Decode a lane; where its dialect breaks, one message at a time, so that only the culprit is refused.

        A dialect never raises. Should one do, its message would stay unacknowledged, come again, and stop the bridge.
        """
        lane, decode = self.topics.lanes[number], self.topics.dialects[number].decode
        try:
            return decode(lane, points, payloads, received)
        except Exception:
            if number not in self._broken:  # the rest of them are told by the quarantine
                log.exception("the decoder of %s readings broke; trying one message at a time", lane.kind)
                self._broken.add(number)
        parts = []
        for place, payload in enumerate(payloads):
            try:
                one = decode(lane, points[place : place + 1], [payload], received)
            except Exception as error:
                one = nothing()
                one.refused.append(Refused(0, "malformed", f"{type(error).__name__}: {error}"[:200]))
            one.message = one.message + place
            one.events = [(place, event) for _, event in one.events]
            one.refused = [refused._replace(message=place) for refused in one.refused]
            one.relative = [place] * bool(one.relative)
            parts.append(one)
        return join(parts)

    def _refuse_unrouted(self, arrivals: Arrivals, places: npt.NDArray[np.intp]) -> None:
        for place in places.tolist():
            topic = arrivals.refused[place]
            reason, detail = self.topics.refusal(topic)
            self._reject(place, topic, arrivals.payloads[place], reason, detail)

    def _refuse(self, arrivals: Arrivals, place: int, reason: str, detail: str = "", readings: int = 1) -> None:
        topic = self.topics.topics[arrivals.routes[place]]
        self._reject(place, topic, arrivals.payloads[place], reason, detail, readings=readings)

    def _reject(
        self, place: int, topic: bytes, raw: bytes, reason: str, detail: str, size: int = -1, readings: int = 1
    ) -> None:
        self._rejected.append(Rejected(place, topic, raw, reason, detail, size, readings))
