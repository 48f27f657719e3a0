"""The history process: what the log tells goes to InfluxDB. It reads beside the worker and holds up nobody."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from typing import Any

from streams import bundle, logs, publication, settings
from streams.bundle import Bundle, version_of
from streams.embedded.schema import LogError
from streams.figures import keep_writing
from streams.following import Following
from streams.history.influx import Influx, InfluxError
from streams.history.influx_setup import buckets, sum_up
from streams.history.lines import Naming
from streams.history.spool import Spool
from streams.history.writer import Gatherer, LateHours, Sender
from streams.processes import child
from streams.processes.holder import HISTORY, Holder
from streams.settings import Settings
from streams.vitals import Vitals

logger = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between two looks at the log: of so much is a batch made while little comes."""

MISSED_AFTER = 60.0
"""Seconds for which InfluxDB may be away before an alarm of the system says so."""

INFLUXDB = "influxdb"
"""The component that it names."""


class Writing:
    """Read the log in one thread and send in another, until told to stop."""

    def __init__(self, found: Settings, content: Bundle, vitals: Vitals) -> None:
        folder = found.data_folder / "history" / "spool"
        names = buckets(found.influx_bucket)
        self._found, self._vitals = found, vitals
        self._influx = Influx(found)
        self.spool = Spool(folder, int(found.influx_spool_megabytes * 1e6))
        self._log = logs.reader(found.log)
        self.gatherer = Gatherer(self._log, self.spool, Naming(content.site))
        self._stop = threading.Event()
        self.sender = Sender(
            self._influx, names["readings"], names["alarms"], self.spool, wait=lambda seconds: self._stop.wait(seconds)
        )
        self._late = LateHours(folder / "late.json")
        self._told = False
        self._trouble = ""
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for name, work in (("gather", self._gather), ("send", self._send))
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop; what is not sent stays on the disk."""
        self._stop.set()
        self.spool.wake()
        for thread in self._threads:
            thread.join(3)
        self._influx.close()
        self._log.close()

    def figures(self) -> dict[str, Any]:
        """Say what was done and what waits."""
        missed = {name: count for name, count in self.gatherer.counts.items() if count}
        missed |= {"refused": self.sender.counts["refused"]} if self.sender.counts["refused"] else {}
        return {
            "readings": self.sender.counts["readings"],
            "alarms": self.sender.counts["alarms"],
            "failures": self.sender.counts["failures"],
            "waiting": len(self.spool),
            "waiting_bytes": self.spool.bytes,
            "late_hours": len(self._late),
            "lost": missed,
            "trouble": self._trouble or (f"InfluxDB {self.sender.trouble}" if self.sender.trouble else ""),
        }

    def _gather(self) -> None:
        while not self._stop.is_set():
            try:
                more = self.gatherer.step()
                full = self.spool.is_full
                self._say("what waits for InfluxDB has reached its most; the rest stays in the log" if full else "")
            except (LogError, OSError) as error:
                more = False
                self._say(f"the log cannot be read, or the disk takes no more: {error}")
            if not more:
                self._stop.wait(LOOK)

    def _say(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            logger.error("%s", trouble)
        self._trouble = trouble

    def _send(self) -> None:
        while not self._stop.is_set():
            try:
                sent = self.sender.step()
                self._tell()
                if sent is not None:
                    self._late.note(sent.firsts, time.time())
                elif not self.sender.trouble and not self._sum_up():
                    self.spool.wait(LOOK)
            except OSError as error:
                logger.error("the spool cannot be kept: %s", error)
                self._stop.wait(LOOK)

    def _sum_up(self) -> bool:
        hour = self._late.take()
        if hour is None:
            return False
        try:
            sum_up(self._influx, hour)
        except InfluxError as error:
            logger.error("hour %d cannot be summed up yet: %s", hour, error)
            self._stop.wait(10.0)
            return True
        self._late.done(hour)
        return True

    def _tell(self) -> None:
        """Have an alarm of the system raised when InfluxDB is away for long, and returned when it is back."""
        long = bool(self.sender.trouble) and time.time() - self.sender.since > MISSED_AFTER
        if long and not self._told:
            self._vitals.down(INFLUXDB, self.sender.trouble)
        elif self._told and not self.sender.trouble:
            self._vitals.back(INFLUXDB)
        self._told = long or (self._told and bool(self.sender.trouble))


async def _run(found: Settings) -> None:
    child.await_site()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    child.ready()  # nobody waits for what it does
    if not found.cluster:
        await _serve(found, stop)
        return
    while not stop.is_set():  # one run of the cluster writes; the others stand by
        async with Holder(found.journal_url, HISTORY, stop) as holder:
            writing = keep_writing(found.data_folder, "history", lambda: {"holder": False}, child.parent().alive)
            standing_by = asyncio.create_task(writing)
            try:
                held = await holder.take()
            finally:
                standing_by.cancel()
                await asyncio.gather(standing_by, return_exceptions=True)
            if held:
                logger.info("this run writes the history from now on")
                await _serve(found, holder.ended)


async def _serve(found: Settings, stop: asyncio.Event) -> None:
    """Write until `stop`."""
    packed = publication.read(found.data_folder)
    vitals = Vitals(found.hub_path)
    alive = asyncio.create_task(child.parent().keep_alive())
    writing = None
    while writing is None and not stop.is_set():
        try:
            writing = await asyncio.to_thread(Writing, found, bundle.unpack(packed), vitals)
        except LogError:  # the worker has not made it yet, or Kafka is away
            await asyncio.sleep(0.2)
    alive.cancel()
    if writing is None:
        return
    vitals.back(INFLUXDB)

    def adopt(content: Bundle) -> None:
        writing.gatherer.naming = Naming(content.site)

    following = Following(found.data_folder, version_of(packed), adopt)
    following.start()
    writing.start()
    figures = keep_writing(
        found.data_folder,
        "history",
        lambda: {**writing.figures(), "following": following.version},
        child.parent().alive,
    )
    task = asyncio.create_task(figures)
    try:
        await stop.wait()
    finally:
        following.stop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.to_thread(writing.stop)
        await asyncio.to_thread(vitals.close)


def main() -> None:
    """Run until SIGTERM."""
    found = settings.load()
    child.begin("history", found)
    asyncio.run(_run(found))


if __name__ == "__main__":
    main()
