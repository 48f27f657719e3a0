"""The triage models' folder of a data folder: what was promoted one after another, and the model in force."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from models.area.store import StoreError, version_of
from models.promotion import Promotion
from models.triage.store import MAX_BYTES, Stored, decode

FOLDER = Path("models") / "triage"
PROMOTED = "promoted.json"


class TriageStoreError(ValueError):
    """Raised when the promoted triage model cannot be had: says which, and what would help."""


def promoted(data: Path) -> list[Promotion]:
    """Return what was promoted one after another; the last is in force. Raise `TriageStoreError`."""
    file = data / FOLDER / PROMOTED
    try:
        found = msgspec.json.decode(file.read_bytes(), type=list[str | Promotion])
    except FileNotFoundError:
        return []
    except (msgspec.DecodeError, OSError) as error:
        raise TriageStoreError(f"{file} cannot be read: {error}") from error
    return [Promotion(one) if isinstance(one, str) else one for one in found]


def packed_in_force(data: Path, order: Sequence[Promotion] | None = None) -> bytes:
    """Read the promoted model, or the last of `order`, as bytes; none without one.

    Raise `TriageStoreError` where it is gone or damaged.
    """
    order = promoted(data) if order is None else order
    if not order:
        return b""
    file = data / FOLDER / f"{order[-1].version}.model"
    try:
        with file.open("rb") as source:
            packed = source.read(MAX_BYTES + 1)
    except OSError as error:
        raise TriageStoreError(f"{file} cannot be read: {error}") from error
    if version_of(packed) != order[-1].version:
        raise TriageStoreError(f"{file} is not what was promoted; `foreshock models triage promote` another")
    return packed


def in_force(data: Path) -> Stored | None:
    """Read the promoted model; None without one. Raise `TriageStoreError` where it is gone or damaged."""
    packed = packed_in_force(data)
    try:
        return decode(packed) if packed else None
    except StoreError as error:
        raise TriageStoreError(f"the promoted triage model cannot be read: {error}") from error
