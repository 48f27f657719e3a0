"""Durations as people write them: `90`, `90 s`, `10 min`, `1.5 h`, `30 d`."""

from __future__ import annotations

import re

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"\s*([0-9]{1,40}(?:\.[0-9]{1,40})?)\s*(ms|s|m|min|h|d|w)\s*\Z")


def seconds(duration: float | str) -> float:
    """Turn a duration into seconds; a bare number is seconds. Raise `ValueError` with what is wrong."""
    if not isinstance(duration, str):
        return float(duration)
    match = _DURATION.match(duration)
    if not match:
        raise ValueError(f"'{duration[:60]}' is no duration; write a number of seconds, or 90 s, 10 min, 12 h, 30 d")
    return float(match[1]) * _SECONDS[match[2]]
