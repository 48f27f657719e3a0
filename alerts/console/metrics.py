"""Figures for Prometheus, in a registry of their own: the site's, the engine's, and the API's requests."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from alerts.console.stages import STAGES, Stages, Told

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,60}")

_MEANINGS = {
    "readings_per_second": "Readings the engine took in the last second.",
    "points_total": "Points of the site.",
    "points_live": "Points that reported within three of their intervals.",
    "cameras_total": "Cameras of the site.",
    "cameras_live": "Cameras seen lately.",
    "engine_lag": "Records that the engine has not taken yet.",
    "journal_position": "Position of the last change in the journal.",
}


class Metrics:
    """Count requests; read `status()` (figures of /status), `pulse()` (the engine's own), `flagged()` when asked.

    `processes()` is what each process says of itself.
    """

    def __init__(
        self,
        status: Callable[[], Mapping[str, Any]],
        pulse: Callable[[], Mapping[str, Any]],
        flagged: Callable[[], Mapping[str, int]] = dict,
        processes: Callable[[], Mapping[str, Told | None]] = dict,
    ) -> None:
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "foreshock_api_request_seconds",
            "Time an HTTP request took.",
            ("method", "route", "status"),
            registry=self._registry,
            buckets=_BUCKETS,
        )
        self._refused = Counter(
            "foreshock_attachments_refused",
            "Files that were not put with an alarm.",
            ("reason",),
            registry=self._registry,
        )
        self._registry.register(_Figures(status, pulse, flagged))
        self._registry.register(Stages(processes))

    def measure(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        known = method if method in ("GET", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS") else "other"
        self._requests.labels(known, route, f"{status // 100}xx").observe(seconds)

    def refuse(self, reason: str) -> None:
        """Count a file that cannot be put with an alarm."""
        self._refused.labels(reason).inc()

    def text(self) -> bytes:
        """Write all figures in Prometheus's text format."""
        return generate_latest(self._registry)


class _Figures(Collector):
    def __init__(
        self,
        status: Callable[[], Mapping[str, Any]],
        pulse: Callable[[], Mapping[str, Any]],
        flagged: Callable[[], Mapping[str, int]],
    ) -> None:
        self._status, self._pulse, self._flagged = status, pulse, flagged

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        status = self._status()
        for name, meaning in _MEANINGS.items():
            yield GaugeMetricFamily(f"foreshock_{name}", meaning, value=float(status[name]))
        for name, label, meaning in _BY_LABEL:
            family = GaugeMetricFamily(f"foreshock_{name}", meaning, labels=(label,))
            for key, value in status[name].items():
                family.add_metric((str(key),), float(value))
            yield family
        readings = GaugeMetricFamily("foreshock_flagged_readings", "Readings of each flag.", labels=("flag",))
        for flag, count in self._flagged().items():
            readings.add_metric((flag,), float(count))
        yield readings
        pulse = self._pulse()
        yield from _of_brokers(pulse.get("brokers", {}))
        for name, value in pulse.items():
            number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            if number and name not in status and _NAME.fullmatch(name):
                yield GaugeMetricFamily(f"foreshock_engine_{name}", "As the engine says.", value=float(value))


def names() -> set[str]:
    """Name all metrics, as queries do."""
    found = set(re.findall(r"^\| `(foreshock_\w+)`", reference(), re.MULTILINE))
    histogram = "foreshock_api_request_seconds"
    return found | {histogram + part for part in ("_bucket", "_count", "_sum")}


def reference() -> str:
    """Write the page of all metrics as Markdown."""
    rows = [f"| `foreshock_{one.name}` | {', '.join(one.labels)} | {one.meaning} |" for one in STAGES]
    rows += [f"| `foreshock_{name}` | | {meaning} |" for name, meaning in _MEANINGS.items()]
    rows += [f"| `foreshock_{name}` | {label} | {meaning} |" for name, label, meaning in _BY_LABEL]
    rows += [f"| `foreshock_broker_{name}` | broker | {meaning} |" for name, meaning in _OF_BROKERS.items()]
    rows += [
        "| `foreshock_broker_refused` | broker, reason | Inputs that a bridge refused. |",
        "| `foreshock_flagged_readings` | flag | Readings of each flag. |",
        "| `foreshock_api_request_seconds` | method, route, status | Time an HTTP request took (a histogram). |",
    ]
    return "\n".join(
        [
            "# Metrics",
            "",
            "`GET /metrics` gives them in Prometheus's text format, of this run alone; in a cluster ask each run.",
            "Names are `foreshock_<stage>_<what>`, with `_total` on what only rises; `foreshock_engine_…` has what",
            "else the engine says of itself. [Dashboard and alert rules](../how-to/monitoring.md) are there, too.",
            "Generated; a test keeps it true.",
            "",
            "| metric | labels | meaning |",
            "|---|---|---|",
            *sorted(rows),
            "",
        ]
    )


_BY_LABEL = (
    ("open", "level", "Open incidents that still have an active alarm."),
    ("quarantine", "reason", "Inputs refused since the start."),
)
_OF_BROKERS = {
    "connected": "Whether the bridge has the broker and every subscription.",
    "connects": "Connections that the broker accepted, since the bridge started.",
    "lost": "Connections that were lost, or came to nothing.",
    "messages": "Messages that came.",
    "readings": "Readings that were taken.",
    "redelivered": "Messages that the broker sent once more.",
    "unlogged": "Readings that the log does not have yet.",
    "lag": "Seconds that the oldest batch waits for the log.",
    "clocks_wrong": "Points and cameras whose clock is wrong.",
}


def _of_brokers(brokers: Mapping[str, Mapping[str, Any]]) -> Iterator[Metric]:
    """Yield what the bridges say, by the name of their broker."""
    for figure, meaning in _OF_BROKERS.items():
        family = GaugeMetricFamily(f"foreshock_broker_{figure}", meaning, labels=("broker",))
        for name, told in brokers.items():
            family.add_metric((name,), float(told.get(figure, 0)))
        yield family
    refused = GaugeMetricFamily(
        "foreshock_broker_refused", "Inputs that a bridge refused.", labels=("broker", "reason")
    )
    for name, told in brokers.items():
        for reason, count in told.get("refused", {}).items():
            refused.add_metric((name, str(reason)), float(count))
    yield refused
