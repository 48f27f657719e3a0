"""When people may be told: at most so much a minute, the rest together; quiet hours for all but red."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from alerts.notifiers.deliveries import Deliveries
from alerts.notifiers.notice import Notice
from alerts.notifiers.wording import LANGUAGES, title_of
from sensors.site import LEVELS, RANK

MINUTE = 60.0
MOST = 1000
"""Notices of one digest; further ones go into the next."""

_QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class Quiet(msgspec.Struct, frozen=True):
    """Hours of the day in which only red is told, as minutes from midnight; they may go over midnight."""

    start: int
    end: int
    zone: str

    def holds(self, time: float) -> bool:
        """Tell whether a unix time is within them."""
        local = datetime.fromtimestamp(time, ZoneInfo(self.zone))
        minute = local.hour * 60 + local.minute
        if self.start <= self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


def read_quiet(text: str, zone: str) -> Quiet | None:
    """Read `HH:MM-HH:MM`; None when it is empty. Raise `ValueError` on anything else."""
    if not text:
        return None
    found = _QUIET.fullmatch(text)
    if found is None:
        raise ValueError("quiet hours are HH:MM-HH:MM, such as 22:00-06:00")
    hours, minutes, until_hours, until_minutes = map(int, found.groups())
    return Quiet(hours * 60 + minutes, until_hours * 60 + until_minutes, zone)


class Pacing:
    """Decide for one target what waits and when that is told. What was sent is remembered in its `Deliveries`.

    A flood begins with the notice that would be one too many a minute. While it lasts, all of it waits and goes out as
    one digest a minute; it is over once a minute has brought nothing.
    """

    def __init__(self, target: str, per_minute: int, quiet: Quiet | None, deliveries: Deliveries) -> None:
        self._target, self._most, self._quiet = target, per_minute, quiet
        self._deliveries = deliveries

    def is_flood(self, now: float) -> bool:
        """Tell whether more is told than the target is to have."""
        if not self._most:
            return False
        sent = self._deliveries.sent_since(self._target, now - MINUTE)
        waits = self._deliveries.holds_back(self._target) or self._deliveries.has_digest(self._target)
        return waits or len(sent) >= self._most or any(digest for _, digest in sent)

    def keep(self, notice: Notice, now: float) -> bool:
        """Keep a notice for later if it has to wait; tell whether it does."""
        quiet = self._quiet is not None and notice.level != LEVELS[-1] and self._quiet.holds(now)
        if not quiet and not self.is_flood(now):
            return False
        self._deliveries.hold(self._target, notice, now, quiet=quiet)
        return True

    def due(self, now: float) -> float | None:
        """Return when the next digest is to be made; None when nothing waits, or only for the quiet hours' end."""
        flooded, quiet = self._deliveries.count_held(self._target)
        if self._quiet is not None and quiet and self._quiet.holds(now):
            quiet = 0
        if not flooded + quiet or self._deliveries.has_digest(self._target):
            return None
        sent = self._deliveries.sent_since(self._target, now - MINUTE)
        return sent[-1][0] + MINUTE if sent and self._most else now

    def gather(self, now: float, out: Callable[[Notice], bool] = lambda _: False) -> None:
        """Make one letter of what waits, when that is due; a single notice goes as it is. What is `out` is left out."""
        due = self.due(now)
        if due is None or due > now:
            return
        hushed = self._quiet is not None and self._quiet.holds(now)
        waiting = [one for one in self._deliveries.held(self._target, MOST, quiet=not hushed) if not out(one)]
        if waiting:
            one = waiting[0] if len(waiting) == 1 else digest(waiting)
            self._deliveries.gather(self._target, one, [notice.id for notice in waiting], now)


def digest(notices: list[Notice]) -> Notice:
    """Put notices together, the most severe first. Its id is made from theirs."""
    name = blake2b("\n".join(sorted(notice.id for notice in notices)).encode(), digest_size=10).hexdigest()
    items: list[dict[str, Any]] = [
        {
            "id": notice.id,
            "time": notice.time,
            "level": notice.level,
            "edge": notice.edge,
            "incident": not notice.unit,
            "title": {language: title_of(notice, language) for language in LANGUAGES},
            "area": notice.area,
            "simulated": notice.simulated,
        }
        for notice in notices
    ]
    items.sort(key=lambda item: (-RANK[item["level"]], item["time"]))
    return Notice(
        id=f"digest-{name}",
        kind="digest",
        area="",
        unit="",
        simulated=all(notice.simulated for notice in notices),
        time=max(notice.time for notice in notices),
        payload={"items": items, "data": {"level": items[0]["level"]}},
    )
