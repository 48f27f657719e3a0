"""What rules were measured to cost, kept in the data folder: `foreshock rules cost` writes it, the console shows it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from rules.metering import Cost

FILE = "rule-costs.json"
MAX_BYTES = 4_000_000
"""Bytes that are read: a few thousand rules."""


class Measured(msgspec.Struct, frozen=True):
    """What a version of a rule cost, and when that was measured, unix seconds."""

    version: int
    time: float
    cost: Cost


def keep(folder: Path, measured: Mapping[str, Measured]) -> None:
    """Keep what was measured beside what is known of other rules. Raise `OSError`."""
    file = folder / FILE
    fresh = file.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(msgspec.json.encode({**kept(folder), **measured}))
    fresh.replace(file)


def kept(folder: Path) -> dict[str, Measured]:
    """Read what is kept, by rule; nothing where there is none, or it cannot be read: it can be measured again."""
    try:
        with (folder / FILE).open("rb") as source:
            return msgspec.json.decode(source.read(MAX_BYTES), type=dict[str, Measured])
    except (OSError, msgspec.DecodeError):
        return {}
