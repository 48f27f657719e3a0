"""What is known of the models in force while they run: who promoted them, and whether their areas have moved on."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

import msgspec

from models.promotion import Promotion
from sensors.lookup import Registry
from sensors.site import Site
from streams import area_models
from streams.area_models import Moved
from streams.figures import STALE

FIGURES = "run/worker.json"

ENOUGH = 30.0
"""Rows as good as independent from which `no drift` means something."""


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """Say of a model in force what is known of it. `warning` is by language, empty when all is well."""

    area: str
    version: str
    kind: str
    points: tuple[str, ...]
    begin: float  # of what it was learnt from, unix seconds
    end: float
    rows: int
    trained: float
    promoted: Promotion | None
    drift: Moved | None  # None: not counted yet
    warning: dict[str, str]


def watched(data: Path, site: Site) -> list[Watched]:
    """List the models in force by area: those that the worker tells of, and those promoted where none runs.

    Raise `ModelsError` when what is promoted cannot be read.
    """
    registry = Registry(site)
    stored = {one.version: one for one in area_models.listed(data)[0]}
    order = area_models.under_present_names(area_models.promoted(data), site)
    counts, live = counted(data)
    if not live:
        known = {(one.get("area"), one.get("version")): one for one in counts}
        current = [(area, versions[-1].version) for area, versions in order.items() if versions]
        counts = [known.get(pair, {"area": pair[0], "version": pair[1]}) for pair in current]
    found = []
    for told in sorted(counts, key=lambda one: str(one.get("area"))):
        area, model = str(told.get("area")), stored.get(str(told.get("version")))
        if model is None:
            continue

        def called(name: str) -> str:
            point = registry.point(name)
            return name if point is None else point.id

        moved = area_models.moved(model, told, called)
        promotions = [one for one in order.get(area, ()) if one.version == model.version]
        found.append(
            Watched(
                area=area,
                version=model.version,
                kind=model.model.kind,
                points=tuple(map(called, model.model.names)),
                begin=model.facts.begin,
                end=model.facts.end,
                rows=model.facts.rows,
                trained=model.facts.trained,
                promoted=promotions[-1] if promotions else None,
                drift=moved,
                warning={} if moved is None else area_models.said(moved, model.version, area),
            )
        )
    return found


def counted(data: Path) -> tuple[list[dict[str, Any]], bool]:
    """Read what the worker told last of its models, and whether it was just now."""
    with contextlib.suppress(OSError, msgspec.DecodeError):
        figures = msgspec.json.decode((data / FIGURES).read_bytes(), type=dict[str, Any])
        told = figures.get("models")
        if isinstance(told, list):
            live = time.time() - float(figures.get("time", 0.0)) < STALE
            return [one for one in told if isinstance(one, dict)], live
    return [], False


def as_plain(one: Watched, now: float | None = None) -> dict[str, Any]:
    """Turn into plain data, with the days since what it was learnt from ended."""
    plain: dict[str, Any] = msgspec.to_builtins(one)
    return {**plain, "age_days": round(((time.time() if now is None else now) - one.end) / 86400.0, 2)}
