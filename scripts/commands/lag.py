"""The lag of a driver as an option of a command."""

from __future__ import annotations

from collections.abc import Sequence

from models.driver import LAG
from scripts.commands.terminal import fail
from sensors.duration import seconds
from sensors.relations import LONGEST, SHORTEST

USUAL = f"{LAG / 3600.0:g} h"


def seconds_of(lag: str | None, drivers: Sequence[str] | None) -> float:
    """Return the lag of drivers in seconds, the usual one where none is given; end the command where it is none."""
    if lag is None:
        return LAG
    if not drivers:
        fail("--lag is how long what a driver brings takes: give --driver too")
    try:
        found = seconds(lag)
    except ValueError as error:
        fail(f"--lag: {error}")
    if not SHORTEST <= found <= LONGEST:
        fail("--lag must be between 1 min and 14 d")
    return found
