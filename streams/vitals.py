"""Tell the engine, through the log, when a part of the product fails and when it works again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from sensors import observation
from sensors.observation import SystemEvent
from sensors.site import SYSTEM_PARTITION
from streams.hub import HubClosedError, HubProducer
from streams.supervisor import ending
from streams.topics import OBSERVATIONS

logger = logging.getLogger(__name__)

INFLUXDB, HISTORY_FOLDER, ARCHIVE, DISK = "influxdb", "history-folder", "archive", "disk"
"""What is named when the history or the archive cannot be kept, or the disk is nearly full."""

COMPONENTS = (
    *("worker", "bridge", "broker", "console", "notifier", "camera", "history", "archiver"),
    *(HISTORY_FOLDER, ARCHIVE, DISK),
)
"""All parts that a run may have. One that an earlier run had and this one has not is not missed."""


class Vitals:
    """Turn what befalls the product itself into observations; they wait here while the worker is away."""

    def __init__(self, hub: Path, clock: Callable[[], float] = time.time, node: str = "") -> None:
        """`node` tells the parts of one run of a cluster from another's; without it they are the cluster's."""
        self._at = f"@{node}" if node else ""
        self._producer = HubProducer(hub)
        self._clock = clock

    def started(self, former: Iterable[str] = (), shared: Iterable[str] = ()) -> None:
        """Say that a run has begun: what was down in an earlier one is no longer.

        `former` are parts it had beside, `shared` those of the cluster that there are no more.
        """
        self._say((name, "") for name in (*(part + self._at for part in (*COMPONENTS, *former)), *shared))

    def lost(self, component: str, code: int, restarts: int) -> None:
        """Say that a process has ended."""
        self.down(component, f"{ending(code)}, restart {restarts}")

    def down(self, component: str, detail: str) -> None:
        """Say that a part fails."""
        self._say([(component + self._at, detail)], down=True)

    def returned(self, component: str) -> None:
        """Say that a process that had ended works again."""
        self.back(component)

    def back(self, component: str) -> None:
        """Say that a part works again."""
        self._say([(component + self._at, "")])

    def close(self) -> None:
        """Stop; nothing is waited for."""
        self._producer.close(0.0)

    def _say(self, said: Iterable[tuple[str, str]], *, down: bool = False) -> None:
        now = self._clock()
        events = [
            SystemEvent(component=component, state="down" if down else "up", detail=detail, time=now)
            for component, detail in said
        ]
        self._producer.produce(
            [(OBSERVATIONS, SYSTEM_PARTITION, observation.encode(event)) for event in events], _settled
        )


def _settled(error: Exception | None) -> None:
    if error is not None and not isinstance(error, HubClosedError):  # closed: the run is stopping
        logger.warning("the engine was not told of a process: %s", error)
