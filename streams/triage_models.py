"""The triage models of a data folder: what was learnt of verdicts, and which of it is in force, with those before."""

from __future__ import annotations

from pathlib import Path

import msgspec

from alerts.triage import FOLDER, PROMOTED
from models.triage.store import MAX_BYTES, Stored, StoreError, decode
from streams.area_models import MOST, ModelsError
from streams.durable import replace


def keep(data: Path, packed: bytes) -> Stored:
    """Put a model into the folder."""
    stored = decode(packed)
    (data / FOLDER).mkdir(parents=True, exist_ok=True)
    replace(data / FOLDER / f"{stored.version}.model", packed)
    return stored


def listed(data: Path) -> tuple[list[Stored], list[str]]:
    """List the folder's models, the latest learnt first, and say what is wrong with files that are none."""
    found, wrong = [], []
    for file in sorted((data / FOLDER).glob("*.model")):
        try:
            with file.open("rb") as source:
                found.append(decode(source.read(MAX_BYTES + 1)))
        except (OSError, StoreError) as error:
            wrong.append(f"{file.name}: {error}")
    return sorted(found, key=lambda one: (-one.facts.trained, one.version)), wrong


def take(data: Path, version: str) -> Stored:
    """Find one model by its version or the beginning of it. Raise `ModelsError`."""
    found = [one for one in listed(data)[0] if version and one.version.startswith(version)]
    if len(found) != 1:
        said = "no triage model" if not found else f"{len(found)} triage models"
        raise ModelsError(f"{said} of version {version!r}; `foreshock models triage list` lists those there are")
    return found[0]


def set_promoted(data: Path, order: list[str]) -> None:
    """Write which models were promoted one after another."""
    (data / FOLDER).mkdir(parents=True, exist_ok=True)
    replace(data / FOLDER / PROMOTED, msgspec.json.encode(order[-MOST:]))
