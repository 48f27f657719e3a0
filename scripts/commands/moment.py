"""Moments as people write them at the terminal: `2026-05-03 14:00`, `14:00`, `2 h` ago, or unix seconds."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sensors.duration import seconds

_UNIX = re.compile(r"[0-9]{9,11}(\.[0-9]{1,6})?\Z")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?\Z")


def moment(text: str, now: float, zone: str) -> float:
    """Turn a moment into unix seconds: ISO 8601 in the site's zone, a time of the last day, or how long ago.

    Raise `ValueError` with what would do.
    """
    text = text.strip()
    if _UNIX.match(text):
        return float(text)
    local = ZoneInfo(zone)
    if _CLOCK.match(text):
        here = datetime.fromtimestamp(now, local)
        hour, minute, *rest = map(int, text.split(":"))
        found = here.replace(hour=hour, minute=minute, second=rest[0] if rest else 0, microsecond=0)
        return (found if found <= here else found - timedelta(days=1)).timestamp()
    try:
        return now - seconds(text)
    except ValueError:
        pass
    try:
        stamp = datetime.fromisoformat(text)
        return (stamp if stamp.tzinfo else stamp.replace(tzinfo=local)).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f"'{text[:60]}' is no moment; write 2026-05-03 14:00, 14:00, or how long ago: 90 s, 20 min, 2 h, 3 d"
        ) from None
