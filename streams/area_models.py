"""The areas' models of a data folder: what was learnt, and which of it is promoted for each area, with those before."""

from __future__ import annotations

from pathlib import Path

import msgspec

from models.area.store import MAX_BYTES, Stored, StoreError, decode, version_of
from streams.durable import replace

FOLDER = "models"
PROMOTED = "promoted.json"
MOST = 50
"""Earlier promotions remembered of each area."""


class ModelsError(ValueError):
    """Raised when a model cannot be had: says which, and what would help."""


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
            found.append(decode(_read(file)))
        except ModelsError as error:
            wrong.append(str(error))
        except StoreError as error:
            wrong.append(f"{file.name}: {error}")
    return sorted(found, key=lambda one: (-one.facts.trained, one.version)), wrong


def take(data: Path, version: str) -> Stored:
    """Find one model by its version or the beginning of it. Raise `ModelsError`."""
    found = [one for one in listed(data)[0] if version and one.version.startswith(version)]
    if len(found) != 1:
        said = "no model" if not found else f"{len(found)} models"
        raise ModelsError(f"{said} of version {version!r}; `foreshock models list` lists those there are")
    return found[0]


def promoted(data: Path) -> dict[str, list[str]]:
    """Return, by area, the versions promoted one after another; the last is in force. Raise `ModelsError`."""
    try:
        return msgspec.json.decode((data / FOLDER / PROMOTED).read_bytes(), type=dict[str, list[str]])
    except FileNotFoundError:
        return {}
    except msgspec.DecodeError as error:
        raise ModelsError(f"{data / FOLDER / PROMOTED} is damaged: {error}") from error


def set_promoted(data: Path, order: dict[str, list[str]]) -> None:
    """Write which models are promoted."""
    kept = {area: versions[-MOST:] for area, versions in sorted(order.items()) if versions}
    replace(data / FOLDER / PROMOTED, msgspec.json.encode(kept))


def in_force(data: Path) -> tuple[bytes, ...]:
    """Read the promoted models, by area. Raise `ModelsError` where one is gone or damaged."""
    found = []
    for _, versions in sorted(promoted(data).items()):
        file = data / FOLDER / f"{versions[-1]}.model"
        packed = _read(file)
        if version_of(packed) != versions[-1]:
            raise ModelsError(f"{file} is not what was promoted; promote another with `foreshock models promote`")
        found.append(packed)
    return tuple(found)


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ModelsError(f"{file} is larger than a model may be")
        return file.read_bytes()
    except OSError as error:
        raise ModelsError(f"{file} cannot be read: {error.strerror}") from error
