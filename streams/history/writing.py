"""Writing to InfluxDB: the log is read in one thread, what is spooled is sent in another, beside the worker."""

from __future__ import annotations

import threading
import time
from typing import Any

from sensors.site import Site
from streams import logs
from streams.history.influx import Influx, InfluxError
from streams.history.influx_setup import buckets, sum_up
from streams.history.lines import Naming
from streams.history.spool import Spool
from streams.history.writer import Gatherer, LateHours, Sender
from streams.settings import Settings
from streams.trouble import Told, Trouble, said
from streams.vitals import INFLUXDB

LOOK = 1.0
"""Seconds between two looks at the log: of so much is a batch made while little comes."""

AGAIN = 10.0
"""Seconds between two tries to sum up an hour."""

FULL = "what waits for InfluxDB has reached its most; the rest stays in the log"

STOPPING = 1.0
"""Seconds for which the end of what is under way is waited for; what is cut off is done again."""


class Writing:
    """Read the log in one thread and send in another, until told to stop."""

    def __init__(self, found: Settings, site: Site, vitals: Told) -> None:
        folder = found.data_folder / "history" / "spool"
        names = buckets(found.influx_bucket)
        self._trouble = Trouble(vitals, INFLUXDB)
        self._influx = Influx(found)
        self.spool = Spool(folder, int(found.influx_spool_megabytes * 1e6))
        self._log = logs.reader(found.log)
        self.gatherer = Gatherer(self._log, self.spool, Naming(site))
        self._stop = threading.Event()
        self._late = LateHours(folder / "late.json")
        self.sender = Sender(
            self._influx,
            names["readings"],
            names["alarms"],
            self.spool,
            wait=lambda seconds: self._stop.wait(seconds),
            taken=lambda batch: self._late.note(batch.firsts, time.time()),
        )
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for name, work in (("gather", self._gather), ("send", self._send))
        ]

    def adopt(self, site: Site) -> None:
        """Call points as another version of the site does."""
        self.gatherer.naming = Naming(site)

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    @property
    def is_alive(self) -> bool:
        """Tell whether both threads are at work."""
        return all(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Stop; what is not sent stays on the disk."""
        self._stop.set()
        self.spool.wake()
        for thread in self._threads:  # a request may take its time, which a run that stops has not
            thread.join(STOPPING / len(self._threads))
        if not any(thread.is_alive() for thread in self._threads):
            self._influx.close()
            self._log.close()

    def figures(self) -> dict[str, Any]:
        """Say what was done and what waits."""
        missed = {name: count for name, count in self.gatherer.counts.items() if count}
        missed |= {"damaged": self.spool.damaged} if self.spool.damaged else {}
        missed |= {"refused": self.sender.counts["refused"]} if self.sender.counts["refused"] else {}
        return {
            "readings": self.sender.counts["readings"],
            "alarms": self.sender.counts["alarms"],
            "failures": self.sender.counts["failures"],
            "waiting": len(self.spool),
            "waiting_bytes": self.spool.bytes,
            "late_hours": len(self._late),
            "lost": missed,
            "trouble": self._trouble.text,
        }

    def _gather(self) -> None:
        while not self._stop.is_set():
            try:
                more = self.gatherer.step()
                full = self.spool.is_full
                self._trouble.note("gather", FULL if full else "")
            except Exception as error:  # whatever it is: a thread that ended would be missed by nobody
                more = False
                what = f"the log cannot be read, or the disk takes no more: {said(error)}"
                self._trouble.note("gather", what, error)
            if not more:
                self._stop.wait(LOOK)

    def _send(self) -> None:
        while not self._stop.is_set():
            try:
                sent = self.sender.step()
                self._trouble.note("send", f"InfluxDB {self.sender.trouble}" if self.sender.trouble else "")
                if sent is None and not self.sender.trouble and not self._sum_up():
                    self.spool.wait(LOOK)
            except Exception as error:  # as above
                self._trouble.note("send", f"the spool cannot be sent: {said(error)}", error)
                self._stop.wait(LOOK)

    def _sum_up(self) -> bool:
        hour = self._late.take()
        if hour is None:
            self._trouble.note("hours", "")
            return False
        try:
            sum_up(self._influx, hour)
        except InfluxError as error:
            self._trouble.note("hours", f"hour {hour} cannot be summed up yet: {error}", error)
            self._stop.wait(AGAIN)
            return True
        self._late.done(hour)
        self._trouble.note("hours", "")
        return True
