"""The triage models of a data folder: what was learnt of verdicts, and which of it is in force, with those before."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import msgspec

from alerts.triage_folder import FOLDER, PROMOTED, TriageStoreError, packed_in_force
from models.promotion import Promotion
from models.triage.store import MAX_BYTES, decode
from streams.area_models import MOST
from streams.durable import replace
from streams.model_shelf import Shelf

logger = logging.getLogger(__name__)

SHELF = Shelf(FOLDER, decode, MAX_BYTES, "triage model", "foreshock models triage list")
keep, listed, take = SHELF.keep, SHELF.listed, SHELF.take


def set_promoted(data: Path, order: Sequence[Promotion]) -> None:
    """Write which models were promoted one after another."""
    (data / FOLDER).mkdir(parents=True, exist_ok=True)
    replace(data / FOLDER / PROMOTED, msgspec.json.encode(list(order[-MOST:])))


def told(data: Path) -> bool:
    """Return whether a model was ever promoted."""
    return (data / FOLDER / PROMOTED).exists()


def published(data: Path, last: bytes | None = None, order: Sequence[Promotion] | None = None) -> bytes | None:
    """Give what a publication says of triage: the promoted model, empty for none, None where none ever was promoted.

    `order` is what is to be promoted; without it, what is.
    What cannot be read must not keep a site from its alarms: then it stays as in the publication before, `last`.
    """
    if order is None and not told(data):
        return last
    try:
        return packed_in_force(data, order)
    except TriageStoreError as error:
        logger.warning("the triage model in force stays as it was: %s", error)
        return last
