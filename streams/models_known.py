"""All models that a data folder holds, of areas and of triage: where each comes from, how it did, who promoted it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from alerts.triage_folder import TriageStoreError, promoted
from models.area.store import Stored, Tried, version_of
from models.promotion import Promotion
from models.triage.fitting import Figures
from models.triage.store import Stored as TriageStored
from sensors.lookup import Registry
from sensors.site import Site
from streams import area_models, bundle, models_watch, publication, triage_models
from streams.model_shelf import ModelsError

MOST = 200
"""Models of a kind that are listed, the latest learnt."""


class AreaVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A model of an area; times are unix seconds, `area` and `points` by the names of now."""

    version: str
    area: str
    kind: str
    points: tuple[str, ...]
    interval: float  # seconds between rows
    begin: float  # of what it was learnt from
    end: float
    rows: int
    code: str
    source: str
    trained: float
    tried: tuple[Tried, ...]
    in_force: bool
    promoted: Promotion | None  # the latest time
    missing: tuple[str, ...]  # what it is of and the site has no more


class TriageVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A triage model; times are unix seconds."""

    version: str
    begin: float
    end: float
    code: str
    trained: float
    figures: Figures
    in_force: bool
    promoted: Promotion | None


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What there is, the latest learnt first; `problems` are files that are no models."""

    areas: tuple[AreaVersion, ...]
    triage: tuple[TriageVersion, ...]
    problems: tuple[str, ...]


def known(data: Path, site: Site) -> Known:
    """List the models of a data folder. Raise `ModelsError` when what is promoted cannot be read."""
    areas, wrong = area_models.listed(data)
    triage, also = triage_models.listed(data)
    current = {(one.area, one.version) for one in models_watch.watched(data, site)}
    order = area_models.under_present_names(area_models.promoted(data), site)
    try:
        history = promoted(data)
    except TriageStoreError as error:
        raise ModelsError(str(error)) from error
    in_force, registry = triage_in_force(data), Registry(site)
    return Known(
        areas=tuple(_area(one, registry, current, order) for one in areas[:MOST]),
        triage=tuple(_triage(one, in_force, history) for one in triage[:MOST]),
        problems=(*wrong, *also),
    )


def triage_in_force(data: Path) -> str:
    """Name the triage model in force: the publication's, or the folder's where none ever said one; empty for none."""
    try:
        packed = bundle.unpack(publication.read(data)).triage
    except (FileNotFoundError, bundle.BundleError):
        packed = None
    if packed is not None:
        return version_of(packed) if packed else ""
    try:
        return next((one.version for one in reversed(promoted(data))), "")
    except TriageStoreError as error:
        raise ModelsError(str(error)) from error


def _area(one: Stored, registry: Registry, current: set[tuple[str, str]], order: area_models.Promotions) -> AreaVersion:
    area = registry.area(one.area)
    name = one.area if area is None else area.id
    points = [(called, registry.point(called)) for called in one.model.names]
    facts = one.facts
    return AreaVersion(
        version=one.version,
        area=name,
        kind=one.model.kind,
        points=tuple(called if point is None else point.id for called, point in points),
        interval=one.model.interval,
        begin=facts.begin,
        end=facts.end,
        rows=facts.rows,
        code=facts.code,
        source=facts.source,
        trained=facts.trained,
        tried=facts.tried,
        in_force=(name, one.version) in current,
        promoted=_latest(one.version, order.get(name, ())),
        missing=(*((one.area,) if area is None else ()), *(called for called, point in points if point is None)),
    )


def _triage(one: TriageStored, in_force: str, history: Sequence[Promotion]) -> TriageVersion:
    return TriageVersion(
        version=one.version,
        begin=one.facts.begin,
        end=one.facts.end,
        code=one.facts.code,
        trained=one.facts.trained,
        figures=one.facts.figures,
        in_force=one.version == in_force,
        promoted=_latest(one.version, history),
    )


def _latest(version: str, history: Sequence[Promotion]) -> Promotion | None:
    return next((one for one in reversed(history) if one.version == version), None)
