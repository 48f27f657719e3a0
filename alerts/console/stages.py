"""What each process says of itself, for Prometheus: `foreshock_<stage>_<what>`, with `_total` on what only rises."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

Told = Mapping[str, Any]
Value = tuple[Sequence[str], float]


class Figure(NamedTuple):
    """One metric: its labels, and how to read it from what the processes say, by process (None: it is silent)."""

    name: str
    meaning: str
    labels: Sequence[str]
    read: Callable[[Mapping[str, Told | None]], Iterator[Value]]


def _of(process: str, field: str, part: str = "") -> Callable[[Mapping[str, Told | None]], Iterator[Value]]:
    """Read a number that a process says, or one of a part that it tells of."""

    def read(processes: Mapping[str, Told | None]) -> Iterator[Value]:
        told = processes.get(process) or {}
        found = told.get(part, {}).get(field) if part else told.get(field)
        if isinstance(found, int | float) and math.isfinite(found):
            yield (), float(found)

    return read


def _told(process: str, field: str) -> Callable[[Mapping[str, Told | None]], Iterator[Value]]:
    """Read whether a process has something to say."""

    def read(processes: Mapping[str, Told | None]) -> Iterator[Value]:
        told = processes.get(process)
        if told is not None and field in told:
            yield (), float(bool(told[field]))

    return read


def _each(process: str, field: str) -> Callable[[Mapping[str, Told | None]], Iterator[Value]]:
    """Read numbers that a process says by name."""

    def read(processes: Mapping[str, Told | None]) -> Iterator[Value]:
        for name, count in (processes.get(process) or {}).get(field, {}).items():
            yield (str(name),), float(count)

    return read


def _named(process: str, *fields: str) -> Callable[[Mapping[str, Told | None]], Iterator[Value]]:
    """Read some numbers that a process says, each under its name."""

    def read(processes: Mapping[str, Told | None]) -> Iterator[Value]:
        told = processes.get(process) or {}
        for field in fields:
            if isinstance(told.get(field), int | float):
                yield (field,), float(told[field])

    return read


def _targets(ending: str) -> Callable[[Mapping[str, Told | None]], Iterator[Value]]:
    """Read what the notifier says of each target."""

    def read(processes: Mapping[str, Told | None]) -> Iterator[Value]:
        for name, count in (processes.get("notifier") or {}).items():
            target, _, of = name.rpartition("_")
            if of == ending:
                yield (target,), float(count)

    return read


def _up(processes: Mapping[str, Told | None]) -> Iterator[Value]:
    for name, told in processes.items():
        yield (name,), float(told is not None)


def _pieces(processes: Mapping[str, Told | None]) -> Iterator[Value]:
    told = processes.get("worker") or {}
    if "partitions" in told:
        yield (), float(len(told["partitions"]))


STAGES = (
    Figure("process_up", "Whether a process has said something in the last ten seconds.", ("process",), _up),
    Figure("mqtt_received_total", "Messages that the embedded broker received.", (), _of("broker", "received")),
    Figure("mqtt_sent_total", "Messages that the embedded broker sent.", (), _of("broker", "sent")),
    Figure("mqtt_connections", "Connections of the embedded broker.", (), _of("broker", "connections")),
    Figure("mqtt_queued", "Messages that wait in the embedded broker's sessions.", (), _of("broker", "unacknowledged")),
    Figure("mqtt_refused_total", "Messages that the embedded broker refused.", ("reason",), _each("broker", "refused")),
    Figure("mqtt_dropped_total", "Messages that the embedded broker dropped.", ("reason",), _each("broker", "dropped")),
    Figure("log_transactions_total", "Transactions of the log.", (), _of("worker", "transactions", "log")),
    Figure("log_failures_total", "Transactions of the log that failed.", (), _of("worker", "failures", "log")),
    Figure("log_gaps_total", "Holes in what was fetched, read again.", (), _of("worker", "gaps", "log")),
    Figure("log_bytes", "Bytes of the embedded log's file.", (), _of("worker", "file_bytes", "log")),
    Figure("engine_held_partitions", "Partitions that this run's engine has.", (), _pieces),
    Figure("engine_taken_total", "Readings that the engine has taken.", (), _of("worker", "readings")),
    Figure("engine_busy_seconds_total", "Seconds of work in the engine.", (), _of("worker", "engine_seconds")),
    Figure("engine_lag_records", "Records that the engine has not taken yet.", (), _of("worker", "engine_lag")),
    Figure("engine_refused_total", "Readings that the engine refused.", ("reason",), _each("worker", "refused")),
    Figure("notifier_holder", "Whether this run tells people; 1 without a cluster.", (), _of("notifier", "holder")),
    Figure("notifier_delivered_total", "Deliveries that a target took.", ("target",), _targets("delivered")),
    Figure("notifier_failed_total", "Tries that a target did not take.", ("target",), _targets("failed")),
    Figure("notifier_waiting", "Deliveries that are tried again.", ("target",), _targets("waiting")),
    Figure("notifier_dead", "Deliveries that are tried no more.", ("target",), _targets("dead")),
    Figure(
        "notifier_answered_total",
        "Reminders that were left out: somebody had acted before they were told.",
        ("target",),
        _targets("answered"),
    ),
    Figure("camera_frames_total", "Frames that were read of cameras.", (), _of("camera", "frames")),
    Figure("camera_pictures_total", "Pictures of alarms that were kept.", (), _of("camera", "pictures")),
    Figure("camera_clips_total", "Moving clips of alarms that were kept.", (), _of("camera", "clips")),
    Figure("camera_refused_total", "What cameras sent and was refused.", ("reason",), _each("camera", "refused")),
    Figure("archive_observations_total", "Observations that were archived.", (), _of("archiver", "observations")),
    Figure("archive_segments_total", "Segments that were archived.", (), _of("archiver", "segments")),
    Figure("archive_bytes_total", "Bytes that were written to the archive.", (), _of("archiver", "bytes")),
    Figure("archive_lost_total", "Observations that were gone before.", (), _of("archiver", "lost")),
    Figure(
        "archive_damaged_total", "Objects that could not be read and were put aside.", (), _of("archiver", "damaged")
    ),
    Figure("archive_lag", "Seconds that the archive is behind the log.", (), _of("archiver", "lag")),
    Figure("archive_trouble", "Whether nothing can be archived now.", (), _told("archiver", "trouble")),
    Figure("history_written_total", "Lines that InfluxDB took.", ("of",), _named("history", "readings", "alarms")),
    Figure("history_failures_total", "Tries that InfluxDB did not take.", (), _of("history", "failures")),
    Figure("history_waiting_batches", "Batches that wait on the disk for InfluxDB.", (), _of("history", "waiting")),
    Figure("history_waiting_bytes", "Bytes that wait on the disk for it.", (), _of("history", "waiting_bytes")),
    Figure("history_late_hours", "Hours that are to be summed up anew.", (), _of("history", "late_hours")),
    Figure("history_lost_total", "Lines and records that the history lacks.", ("reason",), _each("history", "lost")),
    Figure("heartbeat_sent_total", "Signs of life that were taken elsewhere.", (), _of("run", "heartbeats")),
    Figure("heartbeat_trouble", "Whether the main path stands, as the run sees it.", (), _of("run", "trouble")),
)
"""All that the processes say of their stage."""


class Stages(Collector):
    """Give the figures of all stages, as they are when asked."""

    def __init__(self, processes: Callable[[], Mapping[str, Told | None]]) -> None:
        self._processes = processes

    def describe(self) -> list[Metric]:
        """Name nothing: no other collector has names of this kind."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield each metric that some process says something of."""
        processes = self._processes()
        for figure in STAGES:
            values = list(figure.read(processes))
            if not values:
                continue
            rises = figure.name.endswith("_total")
            kind = CounterMetricFamily if rises else GaugeMetricFamily
            family = kind(f"foreshock_{figure.name.removesuffix('_total')}", figure.meaning, labels=figure.labels)
            for labels, value in values:
                family.add_metric(labels, value)
            yield family
