"""A mistake in a file that a person wrote: where it stands and what would fix it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import msgspec

Path = tuple[str | int, ...]
"""Where a value stands in a document: keys and list places, e.g. `("areas", 3, "type")`."""

_MAX_CANDIDATES = 2_000


class Problem(msgspec.Struct, frozen=True, order=True):
    """One mistake in a file a person wrote. `line` counts from 1; 0 is the file as a whole."""

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.field}: {self.message}" if self.field else f"{place}: {self.message}"


class DocumentError(ValueError):
    """Raised when files cannot be used; `problems` holds every mistake that was found, in reading order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))


def field_name(path: Path) -> str:
    """Write a path as people read it: `areas[3].type`."""
    name = ""
    for step in path:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else str(step)
    return name


def suggest(word: object, known: Iterable[str]) -> str:
    """Return ` (did you mean 'slope'?)` for the nearest known word, or nothing when none is near."""
    word = str(word)[:80]
    candidates = list(known)
    if len(candidates) > _MAX_CANDIDATES:  # too many to measure: keep those that begin alike
        candidates = [candidate for candidate in candidates if candidate[:2] == word[:2]][:_MAX_CANDIDATES]
    near = difflib.get_close_matches(word, candidates, 1, 0.6)
    return f" (did you mean '{near[0]}'?)" if near else ""
