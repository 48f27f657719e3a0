"""A dead-man's switch: signs of life by a second way, for as long as the main one works from end to end.

Whoever receives them raises the alarm when they stay out; and when only the main way stops, they are told so at once.
Neither goes through the log, the engine, the journal or the notifier: it is the parent of all of them that speaks.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from alerts import messages
from alerts.console.figures import BEHIND
from alerts.notifiers.notice import Failed, Notice, Rejected, Unavailable
from streams.figures import read_figures, write_figures

logger = logging.getLogger(__name__)

LOOK = 1.0

PATIENCE = 20.0
"""Seconds for which the main way may stand before it is told: a killed process is back sooner."""


class Sender(Protocol):
    """Where signs of life go."""

    async def open(self) -> None:
        """Make ready to send."""
        ...

    async def send(self, notice: Notice) -> None:
        """Send one. Raise `Failed`, `Rejected` or `Unavailable`."""
        ...


def standing(processes: Mapping[str, Mapping[str, Any]], wanted: frozenset[str]) -> str:
    """Say in a sentence what the main way lacks; empty when it works. `wanted`: the processes that it goes through."""
    silent = sorted(wanted - processes.keys())
    if silent:
        return f"{', '.join(silent)}: no sign of life"
    worker = processes.get("worker", {})
    if worker.get("trouble"):
        return f"worker: {worker['trouble']}"
    if worker.get("engine_lag", 0) > BEHIND:
        return f"worker: the engine is {worker['engine_lag']} records behind the log"
    bridge = processes.get("bridge")
    if bridge is not None and not bridge.get("connected", True) and bridge.get("holder", True):
        return f"bridge: {bridge.get('trouble') or 'no connection to the MQTT broker'}"
    return ""


class Way:
    """A way by which signs of life go: one every `every` seconds, and `pause` seconds between tries that fail.

    A way that hangs holds up no other.
    """

    def __init__(self, sender: Sender, every: float, pause: float = LOOK) -> None:
        self.sender, self.every, self.pause = sender, every, pause
        self.told = ""  # the state that was told last, where it is not up
        self.sent_at: float | None = None
        self.under_way: asyncio.Task[bool] | None = None

    def due(self, stands: bool, now: float) -> bool:
        """Tell whether something is to be said by it, of a main way that `stands` for too long or works."""
        since = None if self.sent_at is None else now - self.sent_at
        if self.under_way is not None and not self.under_way.done():
            return False
        if since is None:
            return True
        if stands:
            return self.told != "down" and since >= self.pause
        return since >= (self.pause if self.told else self.every)


class DeadMan:
    """Send signs of life by each way while the main way works, and what it lacks once when it does not.

    `clock`: seconds, never set back.
    """

    def __init__(
        self,
        folder: Path,
        site: str,
        wanted: frozenset[str],
        ways: Sequence[Way],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._site, self._wanted = folder, site, wanted
        self._ways, self._clock = ways, clock
        self._since: float | None = None  # when the present trouble began
        self._number = 0
        self.heartbeats = 0

    async def open(self) -> None:
        """Make ready to send."""
        for way in self._ways:
            await way.sender.open()

    async def watch(self) -> None:
        """Look once a second, until cancelled."""
        try:
            while True:
                try:
                    await self.look(await asyncio.to_thread(read_figures, self._folder))
                except Exception:  # the next look is made all the same: silence here would be taken for a death
                    logger.exception("the dead man's switch failed")
                await asyncio.sleep(LOOK)
        finally:
            (self._folder / "run" / "run.json").unlink(missing_ok=True)

    async def look(self, processes: Mapping[str, Mapping[str, Any]]) -> None:
        """Look once at what the processes say, and send what is due; who takes long is not waited for."""
        now, trouble = self._clock(), standing(processes, self._wanted)
        self._since = None if not trouble else now if self._since is None else self._since
        stands = self._since is not None and now - self._since >= PATIENCE
        if stands or not trouble:
            for way in self._ways:
                if way.due(stands, now):
                    way.sent_at = now
                    way.under_way = asyncio.create_task(self._tell(way, trouble))
        tasks = [way.under_way for way in self._ways if way.under_way is not None and not way.under_way.done()]
        if tasks:
            await asyncio.wait(tasks, timeout=LOOK)
        told = {"heartbeats": self.heartbeats, "trouble": int(bool(trouble))}
        try:
            await asyncio.to_thread(write_figures, self._folder, "run", told)
        except OSError:  # a full disk must not stop the signs of life: they are what tells of it
            logger.debug("no figures of the run")

    async def _tell(self, way: Way, trouble: str) -> bool:
        """Say by one way that the main way works, or what it lacks."""
        if not await self._send(way, "down" if trouble else "up", trouble):
            return False
        way.told = "down" if trouble else ""
        if trouble:
            logger.error("the main way stands, and it was told: %s", trouble)
        else:
            self.heartbeats += 1
        return True

    async def _send(self, way: Way, state: str, trouble: str) -> bool:
        self._number += 1
        id = f"heartbeat-{self._site}-{time.time():.3f}-{self._number}"
        event = {
            "specversion": "1.0",
            "id": id,
            "source": f"foreshock/{self._site}",
            "type": f"com.foreshock.heartbeat.{state}",
            "subject": self._site,
            "datacontenttype": "application/json",
            "data": {
                "site": self._site,
                "state": state,
                "detail": trouble,
                "every": way.every,
                "time": time.time(),
                "level": "red" if trouble else "blue",
                "title": messages.both(f"heartbeat.{state}", site=self._site),
                "why": trouble,
            },
        }
        notice = Notice(id=id, kind="heartbeat", area="", unit="", simulated=False, time=time.time(), payload=event)
        try:
            await way.sender.send(notice)
        except (Failed, Rejected, Unavailable) as error:
            logger.warning("a sign of life was not taken: %s", error)
            return False
        return True
