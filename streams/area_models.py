"""The areas' models of a data folder: what was learnt, which of it is promoted for each area, with those before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from models.area import drift
from models.area.store import MAX_BYTES, Stored, decode, version_of
from models.promotion import Promotion
from sensors.lookup import Registry
from sensors.site import Site
from streams.durable import replace
from streams.model_shelf import ModelsError, Shelf

FOLDER = "models"
PROMOTED = "promoted.json"
MOST = 50
"""Earlier promotions remembered of each area."""


SHELF = Shelf(Path(FOLDER), decode, MAX_BYTES, "model", "foreshock models list")
keep, listed, take = SHELF.keep, SHELF.listed, SHELF.take


Promotions = dict[str, list[Promotion]]
"""By area, promotions one after another; the last is in force."""


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Say how far an area has moved away from its model's history; see `models.area.drift`."""

    rows: float  # looked at
    independent: float  # rows that are as good as independent
    outside: float  # share of rows whose joint distance is unusual
    usual: float  # what it was in the history
    drifted: bool
    points: tuple[str, ...]  # those that have moved, by the names of now


def promoted(data: Path) -> Promotions:
    """Return, by area, what was promoted one after another; the last is in force. Raise `ModelsError`."""
    try:
        found = msgspec.json.decode((data / FOLDER / PROMOTED).read_bytes(), type=dict[str, list[str | Promotion]])
    except FileNotFoundError:
        return {}
    except msgspec.DecodeError as error:
        raise ModelsError(f"{data / FOLDER / PROMOTED} is damaged: {error}") from error
    return {
        area: [Promotion(one) if isinstance(one, str) else one for one in versions] for area, versions in found.items()
    }


def set_promoted(data: Path, order: Promotions) -> None:
    """Write which models are promoted."""
    kept = {area: versions[-MOST:] for area, versions in sorted(order.items()) if versions}
    replace(data / FOLDER / PROMOTED, msgspec.json.encode(kept))


def under_present_names(order: Promotions, site: Site) -> Promotions:
    """Put what was promoted for an area under a former name before what was since, under the name of now."""
    found: Promotions = {}
    for area in site.areas:
        former = [one for name in area.renamed_from if name != area.id for one in order.get(name, ())]
        if former or area.id in order:
            found[area.id] = [*former, *order.get(area.id, ())]
    names = {name for area in site.areas for name in (area.id, *area.renamed_from)}
    return found | {area: versions for area, versions in order.items() if area not in names}


def missing(stored: Stored, site: Site) -> list[str]:
    """Name what a model is of and the site has not, under no former name either: its area, and points."""
    registry = Registry(site)
    area = [] if registry.area(stored.area) is not None else [stored.area]
    return area + [name for name in stored.model.names if registry.point(name) is None]


def in_force(data: Path, order: Promotions | None = None) -> tuple[bytes, ...]:
    """Read the promoted models, or the last of `order`, by area. Raise `ModelsError` where one is gone or damaged."""
    found = []
    for _, versions in sorted((promoted(data) if order is None else order).items()):
        if not versions:
            continue
        version = versions[-1].version
        file = SHELF.file(data, version)
        packed = SHELF.read(file)
        if version_of(packed) != version:
            raise ModelsError(f"{file} is not what was promoted; promote another with `foreshock models promote`")
        found.append(packed)
    return tuple(found)


def moved(stored: Stored, counts: Mapping[str, Any], called: Callable[[str], str] = str) -> Moved | None:
    """Judge what the worker has counted of a model (`rules.together.Together.counts`); None where it cannot be told.

    `called` gives the present name of a point.
    """
    usual, outside = stored.model.usual, counts.get("outside")
    if usual is None or not isinstance(outside, list) or len(outside) != len(usual.low):
        return None
    found = drift.judge(usual, stored.model.names, float(counts.get("rows", 0.0)), np.array(outside, np.float64))
    return Moved(
        rows=found.rows,
        independent=found.independent,
        outside=found.outside,
        usual=found.usual,
        drifted=found.drifted,
        points=tuple(map(called, found.moved)),
    )


def said(model: Moved, version: str, area: str) -> dict[str, str]:
    """Say of a model in drift that it is, by language; nothing when it is not."""
    if not model.drifted:
        return {}
    points = ", ".join(model.points)
    share = f"{model.outside:.0%}"
    return {
        "en": f"model {version} of {area} is older than its data's drift: {share} of rows are as unusual as "
        f"{model.usual:.0%} were{f'; moved: {points}' if points else ''}; train another",
        "zh": f"{area} 的模型 {version} 已落后于数据漂移：{share} 的数据行超出其历史常态（原为 {model.usual:.0%}）"
        f"{f'；已偏移测点：{points}' if points else ''}；请重新训练",
    }
