"""Batches on their way to the log: offered again until it has them, and acknowledged in order once it does."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sensors import frame, observation, packing, quarantine
from sensors.quarantine import Quarantine

log = logging.getLogger(__name__)

Records = list[tuple[str, int, bytes]]

UNDER_WAY, DURABLE, FAILED, REFUSED = range(4)
"""States of a batch; REFUSED is for good."""


class Sink(Protocol):
    """Take records for the log. `produce` returns at once; `done` is called from any thread, with None once durable.

    An error whose attribute `permanent` is true says that these records will never be taken, none of them was, and
    that each may be offered alone.
    """

    def produce(self, records: Records, done: Callable[[Exception | None], None]) -> None:
        """Hand over records (topic, partition, value)."""
        ...


@dataclass(slots=True, eq=False)
class Flight:
    """A batch on its way: `acks` are the MQTT packets that answer for it, on the connection of that number."""

    records: Records
    readings: int
    size: int
    acks: bytes
    connection: int
    begun: float  # monotonic
    state: int = UNDER_WAY
    error: Exception | None = None
    pause: float = 0.25  # before it is offered again
    instead_of: Records | None = None  # its records are the quarantine's word on these, which were refused for good


class Flights:
    """Hold the batches that the log does not have yet, the oldest first. All but a sink's `done` is for one thread.

    `landed` is called when a batch has become durable or has failed, from any thread.
    """

    def __init__(
        self, sink: Sink, quarantine: Quarantine, *, source: str, retry_most: float, landed: Callable[[], None]
    ) -> None:
        self.readings = 0
        self.bytes = 0
        self.failed = 0
        self._sink, self._quarantine, self._landed = sink, quarantine, landed
        self._source, self._retry_most = source, retry_most
        self._flights: deque[Flight] = deque()

    def __len__(self) -> int:
        return len(self._flights)

    @property
    def begun(self) -> float:
        """Return when the oldest was last offered, monotonic; 0 when there is none."""
        try:
            return self._flights[0].begun
        except IndexError:  # asked from another thread, just as it landed
            return 0.0

    @property
    def under_way(self) -> bool:
        """Tell whether the oldest waits for the log, or for being offered again."""
        return bool(self._flights) and self._flights[0].state in (UNDER_WAY, FAILED)

    def due(self, now: float, until: float) -> float:
        """Return when there is next something to do about the oldest, `until` at the latest."""
        if not self._flights or not (first := self._flights[0]).state:
            return until
        return min(until, first.begun + first.pause) if first.state == FAILED else now

    def add(self, flight: Flight) -> None:
        """Send a batch on its way; one without records has arrived already."""
        self._flights.append(flight)
        self.readings += flight.readings
        self.bytes += flight.size
        if flight.records:
            self._produce(flight)
        else:
            flight.state = DURABLE

    def settle(self, now: float, connection: int) -> bytes:
        """Return the acknowledgements of what has become durable, in order; offer again what failed.

        What was refused for good is offered apart. A record that is refused even alone is replaced by the quarantine's
        word on it, which has to be durable before anything is acknowledged. A log that does not even take that is ill,
        and the record is kept for it.
        """
        if any(flight.state == REFUSED for flight in self._flights):
            self._flights = deque(part for flight in self._flights for part in self._parts(flight))
            for flight in self._flights:
                if flight.state == REFUSED:
                    flight.state = UNDER_WAY
                    self._produce(flight)
        acks = bytearray()
        while self._flights and self._flights[0].state == DURABLE:
            flight = self._flights.popleft()
            self.readings -= flight.readings
            self.bytes -= flight.size
            if flight.instead_of:
                self._quarantine.counts["log_refused"] += sum(map(_readings, flight.instead_of))
            if flight.connection == connection:
                acks += flight.acks
        for flight in self._flights:
            if flight.state == FAILED and now - flight.begun > flight.pause:
                self.failed += 1
                flight.state = UNDER_WAY
                flight.begun = now
                self._produce(flight)
        return bytes(acks)

    def _produce(self, flight: Flight) -> None:
        def done(error: Exception | None) -> None:
            flight.error = error
            flight.state = DURABLE if error is None else REFUSED if getattr(error, "permanent", False) else FAILED
            if error is not None:
                log.error("the log does not take a batch of %d records: %s", len(flight.records), error)
            self._landed()

        try:
            self._sink.produce(flight.records, done)
        except Exception as error:  # the sink's own refusal is a failure like any other: the batch is offered again
            done(error)

    def _parts(self, flight: Flight) -> list[Flight]:
        """Give what is to be offered instead of a batch that was refused for good; the last part has its acks."""
        if flight.state != REFUSED:
            return [flight]
        if flight.instead_of is not None:
            flight.records, flight.instead_of = flight.instead_of, None
            flight.state, flight.begun = FAILED, time.monotonic()
            flight.pause = min(self._retry_most, 2 * flight.pause)
            return [flight]
        if len(flight.records) == 1:
            flight.instead_of = flight.records
            flight.records = [self._word_on(flight.records[0], flight.error)]
            return [flight]
        apart = _apart(flight.records)
        if len(apart) == 1:
            apart = [[record] for record in flight.records]
        parts = [Flight(records, 0, 0, b"", flight.connection, flight.begun, state=REFUSED) for records in apart]
        parts[-1].readings, parts[-1].size, parts[-1].acks = flight.readings, flight.size, flight.acks
        return parts

    def _word_on(self, record: tuple[str, int, bytes], error: Exception | None) -> tuple[str, int, bytes]:
        topic, partition, value = record
        refused = quarantine.Refused(
            time=time.time(),
            source=self._source,
            topic=f"{topic}/{partition}",
            reason="log_refused",
            raw=value[: quarantine.RAW_LIMIT],
            size=len(value),
            detail=str(error)[:512],
            readings=_readings(record),
        )
        return quarantine.TOPIC, quarantine.PARTITION, quarantine.encode(refused)


def _apart(records: list[tuple[str, int, bytes]]) -> list[list[tuple[str, int, bytes]]]:
    """Part records one by one, but for a message's own in the quarantine, which are found by standing together."""
    parts: list[list[tuple[str, int, bytes]]] = []
    for record in records:
        if parts and record[0] == quarantine.TOPIC and quarantine.decode(record[2]).part > 0:
            parts[-1].append(record)
        else:
            parts.append([record])
    return parts


def _readings(record: tuple[str, int, bytes]) -> int:
    """Count the readings of a record of the log."""
    topic, _, value = record
    return len(frame.decode(value)) if topic == packing.TOPIC and value[0] == observation.FRAME else 1
