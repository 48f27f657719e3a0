"""Take InfluxDB away while readings flow, and kill the process that writes to it: all arrives once, in order.

A log gets scored readings at a rate, in real time, as an engine would write them; the history process of the product
reads it. InfluxDB is killed with -9 and comes back after `--away` seconds; meanwhile the history process is killed with
-9, too. At the end InfluxDB must have each reading, no more and no fewer, and nothing may wait. The log's own writing
must not have been held up: the longest time that it took is printed. Prints a JSON line; exit code 1 on any loss, 77
where no InfluxDB has been built. `--away 600` is the ten minutes of docs/reliability.md.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from scripts.drills import NOTHING_TO_RUN_ON
from scripts.influx_server import InfluxServer, influx
from scripts.provide_influx import InfluxMissing
from sensors.lookup import Registry
from streams import publication, settings
from streams.embedded.broker import die_with_parent
from streams.embedded.store import Log, TopicSpec
from streams.history import columns
from streams.history.columns import Scored
from streams.history.influx import Influx
from streams.history.influx_setup import Setup
from streams.settings import Settings
from streams.topics import OUTCOMES, SCORES

SITE = Path("examples/district")
PATIENCE = 180.0
TURN = 0.1
"""Seconds between two records of the log."""


class Source(threading.Thread):
    """Write scored readings into a log, `rate` a second of as many points, until told to stop."""

    def __init__(self, log: Log, points: list[int], partition: int, rate: int) -> None:
        super().__init__(name="source", daemon=True)
        self._log, self._partition, self._rate = log, partition, rate
        self._points = np.array(points, np.uint32)
        self._ended = threading.Event()
        self.written, self.slowest = 0, 0.0

    def stop(self) -> None:
        """End it, and wait for that."""
        self._ended.set()
        self.join()

    def run(self) -> None:
        """Write a record each turn."""
        begun, told = time.time(), 0
        while not self._ended.wait(TURN):
            due = int((time.time() - begun) * self._rate)
            at = np.arange(told, due)
            told = due
            if not len(at):
                continue
            point = self._points[at % len(self._points)]
            scored = Scored(point, begun + at / self._rate, np.sin(at / 50.0), np.full(len(at), 0.1, np.float32))
            before = time.monotonic()
            self._log.write([(SCORES, self._partition, None, columns.encode(scored))])
            self.slowest = max(self.slowest, time.monotonic() - before)
            self.written += len(at)


def _history(found: Settings, server: InfluxServer) -> subprocess.Popen[bytes]:
    """Start the history process; it ends with this one."""
    environment = {**os.environ, **server.environment(), "FORESHOCK_DATA": str(found.data_folder)}
    command = [sys.executable, "-m", "streams.processes.history"]
    return subprocess.Popen(command, env=environment, preexec_fn=partial(die_with_parent, os.getpid()))


def _count(found: Settings, field: str, bucket: str) -> int:
    influx_ = Influx(found)
    try:
        rows = influx_.query(
            f'from(bucket: "{bucket}") |> range(start: -1d) |> filter(fn: (r) => r._field == "{field}") |> group()'
            f" |> {'count' if field == 'value' else 'sum'}()"
        )
        return sum(int(row["_value"]) for row in rows)
    finally:
        influx_.close()


def _waiting(found: Settings) -> int:
    return len(list((found.data_folder / "history" / "spool").glob("*.gz")))


def main(
    away: Annotated[float, typer.Option(help="Seconds for which InfluxDB is away.")] = 15.0,
    rate: Annotated[int, typer.Option(help="Readings a second.")] = 2000,
    kills: Annotated[int, typer.Option(help="How often the history process is killed meanwhile.")] = 2,
) -> None:
    """Take InfluxDB away, and count."""
    try:
        with influx(build=False) as server, tempfile.TemporaryDirectory(prefix="foreshock-drill-") as folder:
            lines = _drill(server, Path(folder), away, rate, kills)
    except InfluxMissing as missing:
        print(missing, file=sys.stderr)
        raise typer.Exit(NOTHING_TO_RUN_ON) from None
    print(json.dumps(lines))
    raise typer.Exit(1 if lines["lost"] or lines["twice"] or lines["still_waiting"] else 0)


def _drill(server: InfluxServer, folder: Path, away: float, rate: int, kills: int) -> dict[str, float]:
    found = settings.load({**server.environment(), "FORESHOCK_DATA": str(folder)})
    (folder / "run").mkdir()
    content = publication.resolve(SITE, folder)
    registry = Registry(content.site)
    partition = registry.partition(content.site.points[0].areas[0])
    points = [one.index for one in content.site.points if registry.partition(one.areas[0]) == partition]
    influx_ = Influx(found)
    setup = Setup(influx_, found)
    setup.apply(setup.plan())
    influx_.close()
    topics = {name: TopicSpec(content.site.partitions) for name in (SCORES, OUTCOMES)}
    with Log(found.log_file, topics) as log:
        source = Source(log, points, partition, rate)
        history = _history(found, server)
        try:
            source.start()
            _until(lambda: _count(found, "value", found.influx_bucket) > 0, "the first readings")
            server.kill()
            most = 0
            for turn in range(kills + 1):
                time.sleep(away / (kills + 1))
                most = max(most, _waiting(found))
                if turn < kills:
                    history.send_signal(signal.SIGKILL)
                    history.wait(15)
                    history = _history(found, server)
            server.start()
            back = time.monotonic()
            _until(lambda: _waiting(found) <= 2, "what waited")
            drained = time.monotonic() - back
            source.stop()
            _until(lambda: _count(found, "value", found.influx_bucket) >= source.written, "all readings")
            _until(lambda: _waiting(found) == 0, "the last batch")
        finally:
            source.stop()
            history.terminate()
            history.wait(15)
    there = _count(found, "value", found.influx_bucket)
    return {
        "away": away,
        "kills": kills,
        "readings": source.written,
        "lost": max(0, source.written - there),
        "twice": max(0, there - source.written),
        "most_waiting": most,
        "still_waiting": _waiting(found),
        "drained_seconds": round(drained, 1),
        "slowest_write_ms": round(source.slowest * 1000.0, 1),
    }


def _until(done: Callable[[], bool], what: str) -> None:
    """Wait for something, and say what is missing when it does not come."""
    deadline = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > deadline:
            print(f"waited {PATIENCE:.0f} s for {what}", file=sys.stderr)
            return
        time.sleep(0.2)


if __name__ == "__main__":
    typer.run(main)
