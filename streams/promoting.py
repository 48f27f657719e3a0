"""Put a learnt model in force, or the one before it again: a publication in the log, by a person and with a reason.

What is promoted is noted in the data folder first, so that a start without a run's log knows it too; where the running
product refuses it, the note is as it was, and where a second person must approve it, until they have
(`streams.waiting_promotions`).
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

import msgspec

from alerts.triage_folder import TriageStoreError, promoted
from models.area.store import Stored
from models.promotion import Promotion
from models.triage import store as triage_store
from sensors.lookup import Registry
from sensors.site import Site
from streams import area_models, triage_models, waiting_promotions
from streams.area_models import FOLDER
from streams.difference import TRIAGE
from streams.model_shelf import ModelsError
from streams.waiting_promotions import Orders


class PromotionError(ValueError):
    """Raised when a model cannot be put in force, with a sentence that says why."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """Say what was put in force: of an area, or of `triage`; `publication` is empty where nothing runs yet."""

    of: str
    version: str  # empty: none is in force any more
    before: str  # the model that was in force; empty for none
    publication: str = ""
    waiting: bool = False  # it takes force once a second person approves it
    changed: bool = True


def promote(data: Path, site: Site, version: str, by: str, reason: str, now: float, *, wait: bool = True) -> Done:
    """Put a model in force, named by its version or the beginning of it. Raise `PromotionError`.

    With `wait` until all processes go by it, else until it is in the log.
    """
    found = take(data, version)
    if isinstance(found, Stored):
        return _promote_area(data, site, found, by, reason, now, wait)
    figures = found.facts.figures
    if not figures.helps:
        raise PromotionError(
            f"{found.version} foretells no better than always telling the same odds "
            f"(Brier {figures.brier:.3f}, constant {figures.brier_constant:.3f}): let more verdicts come in"
        )
    with _alone(data):
        order = _triage(data)
        before = order[-1].version if order else ""
        if before == found.version:
            return Done(of=TRIAGE, version=before, before=before, changed=False)
        why = reason or f"triage model {found.version}"
        done = Done(of=TRIAGE, version=found.version, before=before)
        orders = Orders(triage=[*order, Promotion(found.version, by, now, why)])
        before_it = Orders(triage=order) if triage_models.told(data) else Orders(untold=True)
        return _published(data, by, why, done, wait, orders, before_it)


def rollback(
    data: Path, site: Site, of: str, by: str, reason: str, present: str | None = None, *, wait: bool = True
) -> Done:
    """Put the model in force that was before the present one of an area, or of `triage`. Raise `PromotionError`.

    With `present` only if that is the one in force: who looked a while ago goes back no further than they saw.
    """
    with _alone(data):
        if of == TRIAGE and Registry(site).area(of) is None:
            order = _triage(data)
            before = order[-1].version if order else ""
            _require_present(before, present, of)
            why = reason or f"back from triage model {before}"
            done = Done(of=of, version=order[-2].version if len(order) > 1 else "", before=before)
            return _published(data, by, why, done, wait, Orders(triage=order[:-1]), Orders(triage=order))
        noted = _areas(data)
        listed = area_models.under_present_names(noted, site)
        area = Registry(site).area(of)
        name = of if area is None else area.id
        own = listed.get(name, [])
        before = own[-1].version if own else ""
        _require_present(before, present, name)
        why = reason or f"back from model {before} of {name}"
        done = Done(of=name, version=own[-2].version if len(own) > 1 else "", before=before)
        return _published(data, by, why, done, wait, Orders(areas=listed | {name: own[:-1]}), Orders(areas=noted))


def take(data: Path, version: str) -> Stored | triage_store.Stored:
    """Find a model of an area or of triage by its version or the beginning of it. Raise `PromotionError`."""
    try:
        areas = [one for one in area_models.listed(data)[0] if version and one.version.startswith(version)]
        triage = [one for one in triage_models.listed(data)[0] if version and one.version.startswith(version)]
    except ModelsError as error:
        raise PromotionError(str(error)) from error
    found: list[Stored | triage_store.Stored] = [*areas, *triage]
    if len(found) != 1:
        said = "no model" if not found else f"{len(found)} models"
        raise PromotionError(f"{said} of version {version!r}; `foreshock models list` lists those there are")
    return found[0]


def _promote_area(data: Path, site: Site, stored: Stored, by: str, reason: str, now: float, wait: bool) -> Done:
    gone = area_models.missing(stored, site)
    area = Registry(site).area(stored.area)
    if gone or area is None:
        raise PromotionError(f"{stored.version} is of another site: there is no {', '.join(gone)}")
    with _alone(data):
        noted = _areas(data)
        listed = area_models.under_present_names(noted, site)
        own = listed.get(area.id, [])
        before = own[-1].version if own else ""
        if before == stored.version:
            return Done(of=area.id, version=before, before=before, changed=False)
        why = reason or f"model {stored.version} of {area.id}"
        done = Done(of=area.id, version=stored.version, before=before)
        orders = Orders(areas=listed | {area.id: [*own, Promotion(stored.version, by, now, why)]})
        return _published(data, by, why, done, wait, orders, Orders(areas=noted))


def _published(data: Path, by: str, reason: str, done: Done, wait: bool, orders: Orders, before: Orders) -> Done:
    """Note what is promoted, and publish it in the Foreshock that runs.

    Where that is refused the note is as `before`, and this raises; where it waits for a second person it is so until
    they approve it.
    """
    from streams import reload, running  # here: what changes the site is loaded when it is changed
    from streams.supervisor import holder

    orders.note(data)
    if holder(data) is None:
        return done
    try:
        source = running.site_of(data) or data
        followers = reload.PROCESSES if wait else ()
        prepared, taken = reload.reload(source, data, by, reason, processes=followers, only_models=True)
    except reload.PendingError as error:  # there is no way back: it stays promoted
        raise PromotionError(str(error)) from error
    except (ValueError, OSError) as error:
        before.note(data)
        raise PromotionError(str(error)) from error
    except BaseException:  # who asked has gone: what nobody approved must not come in with the next change
        before.note(data)
        raise
    waiting = taken is not None and taken.waiting
    if waiting:
        waiting_promotions.keep(data, prepared.version, orders)
        before.note(data)
    return msgspec.structs.replace(done, publication=prepared.version, waiting=waiting)


def _require_present(before: str, present: str | None, of: str) -> None:
    if not before:
        what = "triage model" if of == TRIAGE else "model"
        raise PromotionError(f"no {what} is in force{'' if of == TRIAGE else f' for {of}'}")
    if present is not None and present != before:
        raise PromotionError(f"{before} is in force by now, not {present}: look again before you go back")


def _triage(data: Path) -> list[Promotion]:
    try:
        return promoted(data)
    except TriageStoreError as error:
        raise PromotionError(str(error)) from error


def _areas(data: Path) -> area_models.Promotions:
    try:
        return area_models.promoted(data)
    except ModelsError as error:
        raise PromotionError(str(error)) from error


@contextlib.contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Keep others from promoting meanwhile. Raise `PromotionError` when somebody does."""
    (data / FOLDER).mkdir(parents=True, exist_ok=True)
    with (data / FOLDER / "promoting.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise PromotionError("somebody else promotes a model just now; try again once that is done") from error
        yield
