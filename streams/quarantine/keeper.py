"""Refusals on their way into the log: held until it has them, whatever becomes of the worker meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence

from sensors.quarantine import PARTITION
from streams.hub import HubClient, HubError, HubFullError, HubRefusedError
from streams.topics import QUARANTINE

logger = logging.getLogger(__name__)

PART_BYTES = 4 << 20
"""Bytes of the records that are handed over at once; a hub takes no message of any size."""


class Keeper:
    """Write records of the quarantine, a part at a time, each once; use it from the hub's event loop.

    It never waits: call `look` now and then, and give it more to `keep` once nothing is `waiting`.
    """

    def __init__(self, hub: HubClient) -> None:
        self._hub = hub
        self._waiting: deque[bytes] = deque()
        self._part: list[bytes] = []  # the first of them, handed over and not yet answered
        self._answer: asyncio.Future[list[int]] | None = None
        self._most = PART_BYTES

    @property
    def waiting(self) -> int:
        """Count the records that the log does not have yet."""
        return len(self._part) + len(self._waiting)

    def keep(self, records: Sequence[bytes]) -> int:
        """Take encoded records to be written, and look."""
        self._waiting.extend(records)
        return self.look()

    def look(self) -> int:
        """Hand over what can be; return how many records were given up, since the log never takes them.

        A part that is refused for good is handed over again in smaller ones, in the end one by one.
        """
        lost = 0
        if self._answer is not None and self._answer.done():
            error = None if self._answer.cancelled() else self._answer.exception()
            self._answer = None
            lost = self._settle(error)
        while self._answer is None and self._waiting:
            self._take()
            try:
                self._answer = self._hub.hand_over([(QUARANTINE, PARTITION, None, one) for one in self._part])
            except HubError as error:
                lost += self._settle(error)
                if not isinstance(error, HubRefusedError):
                    break
        return lost

    def _take(self) -> None:
        size = 0
        while self._waiting and (not self._part or size + len(self._waiting[0]) <= self._most):
            self._part.append(self._waiting.popleft())
            size += len(self._part[-1])

    def _settle(self, error: BaseException | None) -> int:
        """Let a part go that is written or never will be, or take it back; return how many records were given up."""
        part, self._part = self._part, []
        if error is None:
            self._most = PART_BYTES
            return 0
        refused = isinstance(error, HubRefusedError)
        if refused and len(part) == 1:
            logger.error("the log never takes a refusal: %s", error)
            self._most = PART_BYTES
            return 1
        if refused:
            self._most = sum(map(len, part)) // 2
        elif not isinstance(error, HubFullError):
            logger.error("the log does not take refusals: %s", error)
        self._waiting.extendleft(reversed(part))
        return 0
