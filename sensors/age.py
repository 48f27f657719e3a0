"""How old a thing is, in words that people understand: `51 years`, `3 days`, `2.5 hours`, `40 s`."""

from __future__ import annotations

import math

_STEPS = ((365.25 * 86400.0, "year"), (86400.0, "day"), (3600.0, "hour"), (60.0, "minute"))


def span(seconds: float) -> str:
    """Write a span of time (seconds, its sign aside) in its largest fitting unit, two digits at least."""
    seconds = abs(seconds)
    if not math.isfinite(seconds):
        return "endlessly"
    for size, name in _STEPS:
        count = seconds / size
        if count >= (1.0 if name != "minute" else 2.0):
            if count >= 1e6:
                return f"{count:.0e} {name}s".replace("e+0", "e").replace("e+", "e")
            shown = f"{count:.1f}".removesuffix(".0") if count < 10 else f"{count:.0f}"
            return f"{shown} {name}" + ("" if shown == "1" else "s")
    return f"{seconds:.3g} s"


def against(ahead: float) -> str:
    """Say how a time stands against the clock: `51 years old` or `5 minutes ahead of our clock`."""
    return f"{span(ahead)} ahead of our clock" if ahead > 0 else f"{span(ahead)} old"
