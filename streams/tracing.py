"""Traces: the way of one observation, from its publication until people are told, for a collector of OpenTelemetry.

Nothing is traced while the engine works. What the records say of themselves and what the worker's own clock read at
each step is kept until an observation's outcomes are in the journal, and made into spans then. Trace and spans are
named after the observation's place in the log, so that worker and notifier need not tell each other of them, and
saying one again after a crash changes nothing.

Source: OpenTelemetry specification, trace SDK and OTLP/HTTP.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
import numpy as np
import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanContext, TraceFlags

from alerts import outcome
from alerts.notifiers.notice import Notice
from alerts.outcome import AlarmTransition, AnyOutcome, DispatchChange, IncidentChange
from sensors import frame, observation
from sensors.observation import FRAME
from streams.batches import Output
from streams.settings import Settings
from streams.topics import OUTCOMES

logger = logging.getLogger(__name__)

TIMEOUT = 2.0
"""Seconds that the collector may take for one request, and a process to send the last of its spans."""

WAITING = 2_000
"""Spans that wait for the collector, and observations for the journal; what comes beyond is dropped."""

ROOT = "observation"
TELLING = AlarmTransition | IncidentChange | DispatchChange
"""Outcomes whose observations are traced whatever the share."""

Step = tuple[str, float, float]
"""A step's name, and its begin and end in unix seconds."""


class Tracer:
    """Send spans to a collector from a thread of its own. One that is away costs spans, and nothing else."""

    def __init__(self, settings: Settings, process: str, processor: BatchSpanProcessor | None = None) -> None:
        self._resource = Resource.create({"service.name": "foreshock", "service.instance.id": process})
        self.share = settings.traces_share
        self._processor = processor or BatchSpanProcessor(
            _exporter(settings), max_queue_size=WAITING, schedule_delay_millis=1000, max_export_batch_size=500
        )

    def samples(self, log: str, partition: int, offset: int) -> bool:
        """Tell whether an observation is traced though nothing came of it: the same in every process."""
        return int.from_bytes(_trace(log, partition, offset)[:8], "big") < self.share * 2.0**64

    def root(self, log: str, partition: int, offset: int, steps: Sequence[Step], told: dict[str, Any]) -> None:
        """Send an observation's own span, from the first step's begin to the last one's end, and one of each step."""
        whole = (ROOT, steps[0][1], steps[-1][2])
        self._send(log, partition, offset, whole, ROOT, told | {"foreshock.observation": f"{partition}-{offset}"})
        for one in steps:
            self._send(log, partition, offset, one, one[0], {}, ROOT)

    def dispatched(
        self, log: str, place: tuple[int, int], notice: Notice, target: str, span: tuple[float, float]
    ) -> None:
        """Send the span of a notice that a target took."""
        told = {"foreshock.target": target, "foreshock.notice": notice.id, "foreshock.area": notice.area}
        self._send(log, *place, ("dispatch", *span), f"{target} {notice.id}", told, ROOT)

    def _send(
        self, log: str, partition: int, offset: int, step: Step, key: str, told: Mapping[str, Any], parent: str = ""
    ) -> None:
        trace = _trace(log, partition, offset)
        name, begun, ended = step
        self._processor.on_end(
            ReadableSpan(
                name,
                _context(trace, key),
                _context(trace, parent) if parent else None,
                self._resource,
                told,
                start_time=int(begun * 1e9),
                end_time=int(max(begun, ended) * 1e9),
            )
        )

    def close(self) -> None:
        """Send what waits, for as long as `TIMEOUT` allows."""
        last = threading.Thread(target=self._processor.shutdown, daemon=True)
        last.start()
        last.join(TIMEOUT)


def _exporter(settings: Settings) -> OTLPSpanExporter:
    session = requests.Session()
    session.trust_env = False  # no proxy and no password that the settings do not name
    session.max_redirects = 0
    token = settings.traces_token
    return OTLPSpanExporter(
        settings.traces_url,
        certificate_file=settings.traces_ca_file or None,
        headers={"Authorization": f"Bearer {token}"} if token else None,
        timeout=TIMEOUT,
        session=session,
    )


def _trace(log: str, partition: int, offset: int) -> bytes:
    return blake2b(f"{log} {partition} {offset}".encode(), digest_size=16).digest()


def _context(trace: bytes, key: str) -> SpanContext:
    span = blake2b(trace + key.encode(), digest_size=8).digest()
    return SpanContext(int.from_bytes(trace, "big"), int.from_bytes(span, "big"), False, TraceFlags(TraceFlags.SAMPLED))


class _Waiting(msgspec.Struct):
    """An observation whose outcomes are on their way. Times are unix seconds; `None` has not happened yet."""

    record: bytes | None  # as it is in the log
    points: Collection[int]  # registry indices of the alarms' evidence
    told: dict[str, Any]
    begun: float
    decided: float
    committed: float | None = None
    journalled: float | None = None


class Batch(NamedTuple):
    """What of one batch of observations is traced."""

    partition: int
    kept: dict[int, _Waiting]  # by offset: an outcome is to be journalled
    sampled: dict[int, _Waiting]


class Following:
    """Follow observations through the worker. `index` gives a point's registry index, or None; `log` its identity."""

    def __init__(self, tracer: Tracer, log: Callable[[], str], index: Callable[[str], int | None]) -> None:
        self._tracer, self._log, self._index = tracer, log, index
        self._waiting: dict[tuple[int, int], _Waiting] = {}

    def decided(
        self,
        partition: int,
        records: Sequence[tuple[int, bytes]],
        outputs: Sequence[Output],
        begun: float,
        decided: float,
    ) -> Batch:
        """Note what the engine made of a batch, before that is in the log."""
        bytes_of = dict(records)
        kept = {}
        for topic, _, _, value in outputs:
            if topic == OUTCOMES:
                found = outcome.decode(value)
                if told := _told(found.outcomes):
                    points = {at for id in _evidence(found.outcomes) if (at := self._index(id)) is not None}
                    kept[found.offset] = _Waiting(
                        bytes_of.get(found.offset),
                        points,
                        told,
                        begun,
                        decided,
                    )
        sampled = {}
        if self._tracer.share:
            log = self._log()
            for offset, record in records:
                if offset not in kept and self._tracer.samples(log, partition, offset):
                    sampled[offset] = _Waiting(record, (), {}, begun, decided)
        for offset, one in kept.items():
            self._waiting[partition, offset] = one
        while len(self._waiting) > WAITING:
            self._waiting.pop(next(iter(self._waiting)))
        return Batch(partition, kept, sampled)

    def committed(self, batch: Batch, now: float) -> None:
        """Note that a batch is done: what is to be journalled waits for that."""
        for offset, one in batch.sampled.items():
            one.committed = now
            self._tell(batch.partition, offset, one)

    def dropped(self, batch: Batch) -> None:
        """Forget a batch that the log did not take: it comes again."""
        for offset in batch.kept:
            self._waiting.pop((batch.partition, offset), None)

    def journalled(self, records: Sequence[outcome.Record], begun: float, now: float) -> None:
        """Note that the journal has outcomes, which the log gave it, and so had, at `begun`."""
        for record in records:
            one = self._waiting.pop((record.partition, record.offset), None)
            if one is not None:
                one.committed, one.journalled = begun, now
                self._tell(record.partition, record.offset, one)

    def _tell(self, partition: int, offset: int, one: _Waiting) -> None:
        try:
            kind, published, received = _times(one)
            self._tracer.root(
                self._log(),
                partition,
                offset,
                list(_steps(one, published, received)),
                {"foreshock.type": kind, **one.told},
            )
        except Exception:  # alarms do not wait for their traces
            logger.exception("an observation is not traced, partition=%d offset=%d", partition, offset)


def _told(outcomes: Sequence[AnyOutcome]) -> dict[str, Any]:
    """Say what came of an observation; empty when it told nobody anything."""
    found = [one for one in outcomes if isinstance(one, TELLING)]
    alarms = [one for one in found if isinstance(one, AlarmTransition)]
    if not found:
        return {}
    return {
        "foreshock.area": sorted({one.area for one in found}),
        "foreshock.simulated": any(one.simulated for one in found),
        "foreshock.alarm": [one.alarm for one in alarms],
        "foreshock.rule": sorted({one.rule for one in alarms}),
        "foreshock.edge": [one.edge for one in alarms],
        "foreshock.incident": sorted({one.incident for one in found if one.incident}),
        "foreshock.order": [one.dispatch for one in found if isinstance(one, DispatchChange)],
    }


def _evidence(outcomes: Sequence[AnyOutcome]) -> Iterator[str]:
    for one in outcomes:
        if isinstance(one, AlarmTransition):
            yield one.scope
            yield from one.explanation.points if one.explanation is not None else ()


def _times(one: _Waiting) -> tuple[str, float | None, float | None]:
    """Name an observation's type, when its source says that it was, and when it arrived; unknown times are None."""
    if one.record is None:
        return "unknown", None, None
    if one.record[0] == FRAME:
        readings = frame.decode(one.record)
        mine = readings.time[np.isin(readings.point, list(one.points))] if one.points else readings.time
        return "frame", float(mine.min()) if len(mine) else None, readings.header.received
    what = observation.decode(one.record)
    return type(what).__struct_config__.tag, getattr(what, "time", None), getattr(what, "received", None)  # type: ignore[return-value]


def _steps(one: _Waiting, published: float | None, received: float | None) -> Iterator[Step]:
    """Yield the steps whose begin and end are known, in order; each begins where the last one ended."""
    at = published if published is not None else received if received is not None else one.begun
    for name, end in (
        ("bridge", received),
        ("log", one.begun),
        ("engine", one.decided),
        ("commit", one.committed),
        ("journal", one.journalled),
    ):
        if end is None:
            continue
        begin = one.begun if name == "engine" else min(at, end)
        if name != "bridge" or published is not None:
            yield name, begin, end
        at = end
