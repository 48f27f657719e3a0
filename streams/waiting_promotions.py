"""Promotions that wait for a second person: they are noted once their publication takes force, and never otherwise.

What is noted as promoted goes into every publication after it, so a note of what was rejected would bring the model in
by the next change of the rules.
"""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from models.promotion import Promotion
from streams import area_models, triage_models
from streams.durable import replace

logger = logging.getLogger(__name__)

FILE = "waiting.json"
MOST = 20
"""Publications remembered; no more wait at once (`streams.approval.MOST`)."""


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """Say what is to be noted: the promotions of areas, or those of triage, one after another; None: as they are.

    `untold`: no triage model was ever promoted, which is not the same as none is in force (`triage_models.published`).
    """

    areas: area_models.Promotions | None = None
    triage: list[Promotion] | None = None
    untold: bool = False

    def note(self, data: Path) -> None:
        """Note it in a data folder."""
        if self.areas is not None:
            area_models.set_promoted(data, self.areas)
        if self.triage is not None:
            triage_models.set_promoted(data, self.triage)
        if self.untold:
            triage_models.forget(data)


def keep(data: Path, publication: str, orders: Orders) -> None:
    """Remember what is to be noted once a publication takes force."""
    kept = {version: one for version, one in _kept(data).items() if version != publication} | {publication: orders}
    _write(data, dict(list(kept.items())[-MOST:]))


def settle(data: Path, publication: str) -> None:
    """Note what waited with a publication that is in force now; what waited beside it was made of a former one."""
    if not (kept := _kept(data)):
        return
    kept.get(publication, Orders()).note(data)
    _write(data, {})


def _write(data: Path, kept: dict[str, Orders]) -> None:
    (data / area_models.FOLDER).mkdir(parents=True, exist_ok=True)
    replace(data / area_models.FOLDER / FILE, msgspec.json.encode(kept))


def _kept(data: Path) -> dict[str, Orders]:
    try:
        return msgspec.json.decode((data / area_models.FOLDER / FILE).read_bytes(), type=dict[str, Orders])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        logger.warning("promotions that wait for a second person cannot be read and are dropped: %s", error)
        return {}
