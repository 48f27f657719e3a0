"""The lag of a driver as an option of a command."""

from __future__ import annotations

from scripts.commands.terminal import fail
from sensors.duration import seconds
from sensors.relations import LONGEST, SHORTEST


def seconds_of(lag: str) -> float:
    """Return a lag in seconds; end the command where it is none."""
    try:
        found = seconds(lag)
    except ValueError as error:
        fail(f"--lag: {error}")
    if not SHORTEST <= found <= LONGEST:
        fail("--lag must be between 1 min and 14 d")
    return found
