"""From messages that arrived to records of the log: decode, check, stamp, pack. No I/O; time is an argument."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from sensors import age, observation, packing, quarantine
from sensors.clocks import Clocks
from sensors.dialects.dialect import Decoded, Refused, Reply, join, nothing, without
from sensors.flood import Floods, teller
from sensors.lookup import Registry
from sensors.observation import HISTORICAL, LATE, CameraEvent, Said, SourceState
from sensors.packing import Packer
from sensors.quality import CHECKS, Inspector
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

    `surplus` counts readings and events of a flood of which nothing is kept.
    """

    decoded: Decoded
    rejected: list[Rejected]
    surplus: int = 0


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
        self._states: list[SourceState] = []  # of sources that this version binds anew, not yet told
        self._floods = Floods(registry)
        self._inspector = Inspector(registry)
        self._packer = Packer(registry, source, self.limits.record)
        self._most = {"reading": self.limits.single, "event": self.limits.event, "frame": self.limits.frame}

    def succeed(self, other: Intake) -> None:
        """Go on where the intake of an earlier version of the site stopped: its counts, its quarantine, its stamps."""
        self.quarantine = other.quarantine
        self.renamed = other.renamed
        self._floods.succeed(other._floods)
        self._inspector.succeed(other._inspector)
        filters, states = self.topics.succeed(other.topics)
        self._filters = other._filters | filters
        self._states = [*other._states, *states]

    def take(self, arrivals: Arrivals, received: float) -> Batch:
        """Make the batch of what arrived by `received` (unix seconds)."""
        checked = self.check(arrivals, received)
        decoded = checked.decoded
        batch = Batch(self.pack(decoded, received), len(decoded), len(decoded.events), decoded.replies, self._filters)
        self._filters = {}
        if self._states:
            told = [msgspec.structs.replace(one, time=received, received=received) for one in self._states]
            batch.records[:0] = [self._record(one) for one in told]
            batch.events += len(told)
            self._states = []
        if checked.rejected:
            self._put_away(arrivals, checked, received)
        if checked.surplus:
            self.quarantine.count("flood", checked.surplus)
        for detail in self.clocks.take_notes():
            self.quarantine.refuse(received, "", "skewed", detail=detail, readings=0)
            log.warning("%s", detail)
        if self.quarantine.pending:
            batch.records += [
                (quarantine.TOPIC, quarantine.PARTITION, record) for record in self.quarantine.take(received)
            ]
        return batch

    def check(self, arrivals: Arrivals, received: float) -> Checked:
        """Decode, stamp and check what arrived by `received` (unix seconds), and keep nothing of it."""
        rejected: list[Rejected] = []
        self._rejected = rejected
        surplus = 0
        decoded = self._decode(arrivals, received)
        for one in arrivals.oversized:
            self._reject(-1, one.topic, one.head, "oversized", f"{one.size} bytes", one.size)
        if arrivals.retained and len(decoded):
            decoded = self._without_retained(arrivals, decoded)
        if len(decoded):
            self._inspector.stamp(decoded, received)
            decoded, surplus = self._without_flood(arrivals, decoded, received)
        if len(decoded):
            bad = self._inspector.inspect(decoded, received)
            if bad is not None:
                decoded = self._without_bad(arrivals, decoded, bad, received)
        if decoded.events:
            stored = frozenset(arrivals.retained)
            passed = []
            for place, told in decoded.events:
                event = self._event(arrivals, place, told, received, place in stored)
                excess = self._floods.excess(event, received) if event is not None else ""
                if excess == "first" and event is not None:
                    self._refuse(
                        arrivals, place, "flood", f"{teller(event)} tells far too much; what follows is counted"
                    )
                elif excess:
                    surplus += 1
                elif event is not None:
                    passed.append((place, event))
            decoded.events = passed
        return Checked(decoded, rejected, surplus)

    def pack(self, decoded: Decoded, received: float) -> list[tuple[str, int, bytes]]:
        """Make the records (topic, partition, value) of what was checked."""
        records = self._packer.pack(decoded, received) if len(decoded) else []
        return records + [self._record(event) for _, event in decoded.events]

    def _record(self, event: Said) -> tuple[str, int, bytes]:
        return packing.TOPIC, self.registry.partition(event.area), observation.encode(event)

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

    def _without_retained(self, arrivals: Arrivals, decoded: Decoded) -> Decoded:
        """Leave out stored copies without a time of their own: stamped on arrival, an old value would look fresh."""
        undated = np.isnan(decoded.time)
        if decoded.relative:
            undated |= np.isin(decoded.message, decoded.relative)
        rows = np.flatnonzero(np.isin(decoded.message, arrivals.retained) & undated)
        if not len(rows):
            return decoded
        for place, count in zip(*np.unique(decoded.message[rows], return_counts=True), strict=True):
            self._refuse(arrivals, int(place), "retained", "a stored copy that has no time", int(count))
        return without(decoded, rows.tolist())

    def _without_bad(
        self, arrivals: Arrivals, decoded: Decoded, bad: npt.NDArray[np.uint8], received: float
    ) -> Decoded:
        rows = np.flatnonzero(bad)
        keys = decoded.message[rows] * (len(CHECKS) + 1) + bad[rows]
        for first, count in zip(*np.unique(keys, return_index=True, return_counts=True)[1:], strict=True):
            row = int(rows[first])
            reason = CHECKS[bad[row] - 1]
            point = self.registry.by_index[int(decoded.point[row])].id
            ahead = float(decoded.time[row]) - received
            what = f"value {decoded.value[row]}" if reason == "not_finite" else age.against(ahead)
            self._refuse(arrivals, int(decoded.message[row]), reason, f"{point}: {what}", int(count))
        return without(decoded, rows.tolist())

    def _without_flood(self, arrivals: Arrivals, decoded: Decoded, received: float) -> tuple[Decoded, int]:
        """Leave out what is too much of a point; one raw message of each point and window is kept, the rest counted."""
        surplus = self._floods.surplus(decoded, received)
        if surplus is None:
            return decoded, 0
        for row in surplus.first.tolist():
            point = self.registry.by_index[int(decoded.point[row])]
            detail = f"{point.id}: far more than a reading in {point.interval:g} s; what follows is counted"
            self._refuse(arrivals, int(decoded.message[row]), "flood", detail)
        return without(decoded, surplus.places.tolist()), len(surplus.places) - len(surplus.first)

    @property
    def clocks(self) -> Clocks:
        """Tell of the sources' clocks."""
        return self._inspector.clocks

    def _event(self, arrivals: Arrivals, place: int, event: Said, received: float, stored: bool) -> Said | None:
        """Check and stamp one observation.

        What a camera saw long ago and the broker has `stored` is history: it tells nothing about now, and must not
        raise an alarm because somebody has connected. A state (of a source, of a picture) holds until it changes.
        """
        site = self.registry.site
        if math.isnan(event.time):
            if stored:
                self._refuse(arrivals, place, "retained", "a stored copy that has no time")
                return None
            event = msgspec.structs.replace(event, time=received)
        ahead = event.time - received
        if not -site.accept_age <= ahead <= site.accept_ahead:
            self._refuse(arrivals, place, "future" if ahead > 0 else "ancient", age.against(ahead))
            return None
        if ahead < -site.late_after:
            bits = LATE | HISTORICAL if stored and isinstance(event, CameraEvent) else LATE
            return msgspec.structs.replace(event, quality=event.quality | bits)
        return event

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
