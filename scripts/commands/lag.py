"""The lag of a driver as an option of a command."""

from __future__ import annotations

from collections.abc import Sequence

from models.driver import LAG
from scripts.commands import score_words
from scripts.commands.speaking import sentence
from scripts.commands.terminal import fail
from scripts.commands.words import Language, Words
from sensors.duration import seconds
from sensors.relations import LONGEST, SHORTEST

USUAL = f"{LAG / 3600.0:g} h"


def seconds_of(lag: str | None, drivers: Sequence[str] | None, language: Language) -> float:
    """Return the lag of drivers in seconds, the usual one where none is given; end the command where it is none."""
    if lag is None:
        return LAG
    words = Words(language, "UTC", score_words.WORDS)
    if not drivers:
        fail(words("lag_alone"))
    try:
        found = seconds(lag)
    except ValueError as error:
        fail(f"--lag: {sentence(error, words)}")
    if not SHORTEST <= found <= LONGEST:
        fail(words("lag_range"))
    return found
