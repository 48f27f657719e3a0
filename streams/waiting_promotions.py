"""Promotions under way: they are noted once their publication takes force, and never otherwise.

What is noted as promoted goes into every publication after it, so a note of what was refused, rejected or never
published would bring the model in by the next change of the rules. Who promotes, and the worker that puts what was
published in force, both write notes: each alone, so that neither undoes the other's.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec

from models.promotion import Promotion
from streams import area_models, triage_models
from streams.durable import replace

logger = logging.getLogger(__name__)

FILE = "waiting.json"
LOCK = "noting.lock"
MOST = 20
"""Publications remembered; no more wait at once (`streams.approval.MOST`)."""


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """Say what is to be noted: the promotions of areas, or those of triage, one after another; None: as they are."""

    areas: area_models.Promotions | None = None
    triage: list[Promotion] | None = None

    def note(self, data: Path) -> None:
        """Note it in a data folder, while nobody else writes notes."""
        with _alone(data):
            _note(data, self)


def keep(data: Path, publication: str, orders: Orders) -> None:
    """Remember what is to be noted once a publication takes force; called before it is laid out."""
    with _alone(data):
        kept = {version: one for version, one in _kept(data).items() if version != publication}
        _write(data, dict([*kept.items(), (publication, orders)][-MOST:]))


def drop(data: Path, publication: str) -> None:
    """Remember nothing of a publication that was refused."""
    with _alone(data):
        kept = _kept(data)
        if kept.pop(publication, None) is not None:
            _write(data, kept)


def settle(data: Path, publication: str, *, only: bool = False) -> None:
    """Note what waited with a publication that is in force now; what waited beside it was made of a former one.

    With `only` nothing happens where none waited with it: it took force a while ago, and was settled then.
    """
    if not (data / area_models.FOLDER / FILE).exists():
        return
    with _alone(data):
        kept = _kept(data)
        if not kept or (only and publication not in kept):
            return
        _note(data, kept.get(publication, Orders()))
        _write(data, {})


def _note(data: Path, orders: Orders) -> None:
    if orders.areas is not None:
        area_models.set_promoted(data, orders.areas)
    if orders.triage is not None:
        triage_models.set_promoted(data, orders.triage)


@contextlib.contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Wait until nobody else writes notes, and keep others from it."""
    (data / area_models.FOLDER).mkdir(parents=True, exist_ok=True)
    with (data / area_models.FOLDER / LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(data: Path, kept: dict[str, Orders]) -> None:
    replace(data / area_models.FOLDER / FILE, msgspec.json.encode(kept))


def _kept(data: Path) -> dict[str, Orders]:
    try:
        return msgspec.json.decode((data / area_models.FOLDER / FILE).read_bytes(), type=dict[str, Orders])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        logger.warning("promotions that wait for their publication cannot be read and are dropped: %s", error)
        return {}
