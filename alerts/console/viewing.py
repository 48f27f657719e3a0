"""Who looks at cameras: how often a still may be asked for, and how many live pictures may be open."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

from limits import RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

Newest = Callable[[str], Awaitable["tuple[float, bytes] | str"]]
"""Give a camera's newest picture (unix time, JPEG), or the key of a message that says why there is none."""

MOST_STILLS = 10
"""Stills a second of one account or token."""

MOST_OF_ALL = 100
"""Stills a second of all together."""

MOST_LIVE = 20
"""Live pictures that may be open at once."""

MOST_LIVE_EACH = 4
"""Live pictures of one account or token."""

LONGEST_LIVE = 1800.0
"""Seconds after which a live picture ends: somebody may have forgotten it."""

EVERY = 0.5
"""Seconds between two looks for a new picture of a live one."""

RECHECK = 5.0
"""Seconds between two looks at whether a viewer may still look."""

NOTE_AGAIN = 10
"""Minutes after which one who goes on asking for stills of a camera is noted in the audit again."""

BOUNDARY = "foreshock-picture"


class TooManyLive(Exception):
    """Raised when no more live pictures may be opened; `own`: because of those of who asks."""

    def __init__(self, *, own: bool) -> None:
        super().__init__("too many live pictures")
        self.own = own


class Viewing:
    """Keep the limits of all who look. For one event loop."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._open: Counter[str] = Counter()

    def may_ask(self, actor: str) -> bool:
        """Count a still that is asked for; tell whether it may be given."""
        own, all_ = RateLimitItemPerSecond(MOST_STILLS), RateLimitItemPerSecond(MOST_OF_ALL)
        return bool(self._limiter.hit(own, "still", actor) and self._limiter.hit(all_, "stills"))

    def new(self, actor: str, camera: str) -> bool:
        """Tell whether this look at a camera's stills begins one that the audit does not know of yet."""
        return bool(self._limiter.hit(RateLimitItemPerMinute(1, NOTE_AGAIN), "audit", actor, camera))

    def open(self, actor: str) -> None:
        """Count a live picture in. Raise `TooManyLive`."""
        if self._open[actor] >= MOST_LIVE_EACH:
            raise TooManyLive(own=True)
        if self._open.total() >= MOST_LIVE:
            raise TooManyLive(own=False)
        self._open[actor] += 1

    def leave(self, actor: str) -> None:
        """Count a live picture out."""
        self._open[actor] -= 1
        if not self._open[actor]:
            del self._open[actor]


async def frames(newest: Newest, camera: str, may: Callable[[], Awaitable[bool]]) -> AsyncIterator[bytes]:
    """Yield parts of multipart/x-mixed-replace, one for each new picture, at most two a second.

    It ends when there are no pictures any more, when the viewer `may` look no longer, or after `LONGEST_LIVE`.
    """
    begun = checked = time.monotonic()
    last = 0.0
    while time.monotonic() - begun < LONGEST_LIVE:
        if time.monotonic() - checked > RECHECK:
            checked = time.monotonic()
            if not await may():
                return
        found = await newest(camera)
        if isinstance(found, str):
            return
        if found[0] != last:
            last, picture = found
            head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
            yield head.encode() + picture + b"\r\n"
        await asyncio.sleep(EVERY)
