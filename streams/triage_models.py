"""The triage models of a data folder: what was learnt of verdicts, and which of it is in force, with those before."""

from __future__ import annotations

from pathlib import Path

import msgspec

from alerts.triage import FOLDER, PROMOTED
from models.triage.store import MAX_BYTES, decode
from streams.area_models import MOST
from streams.durable import replace
from streams.model_shelf import Shelf

SHELF = Shelf(FOLDER, decode, MAX_BYTES, "triage model", "foreshock models triage list")
keep, listed, take = SHELF.keep, SHELF.listed, SHELF.take


def set_promoted(data: Path, order: list[str]) -> None:
    """Write which models were promoted one after another."""
    (data / FOLDER).mkdir(parents=True, exist_ok=True)
    replace(data / FOLDER / PROMOTED, msgspec.json.encode(order[-MOST:]))
