"""Put a learnt model in force, or the one before it again: a publication in the log, by a person and with a reason.

What is promoted is noted in the data folder too, so that a start without a run's log knows it. Where Foreshock runs,
that is done as the publication takes force, by the worker that puts it in force, so whoever dies when: the note says
what is in force (`streams.waiting_promotions`).
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from alerts.triage_folder import TriageStoreError, promoted
from models.area.store import Stored
from models.promotion import Promotion
from models.triage import store as triage_store
from sensors.lookup import Registry
from sensors.site import Site
from streams import area_models, publication, triage_models, waiting_promotions
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
        return _published(data, by, why, done, wait, orders, lambda: _triage(data) == order)


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
            return _published(data, by, why, done, wait, Orders(triage=order[:-1]), lambda: _triage(data) == order)
        noted = _areas(data)
        listed = area_models.under_present_names(noted, site)
        area = Registry(site).area(of)
        name = of if area is None else area.id
        own = listed.get(name, [])
        before = own[-1].version if own else ""
        _require_present(before, present, name)
        why = reason or f"back from model {before} of {name}"
        done = Done(of=name, version=own[-2].version if len(own) > 1 else "", before=before)
        orders = Orders(areas=listed | {name: own[:-1]})
        return _published(data, by, why, done, wait, orders, lambda: _areas(data) == noted)


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
        return _published(data, by, why, done, wait, orders, lambda: _areas(data) == noted)


def _published(
    data: Path, by: str, reason: str, done: Done, wait: bool, orders: Orders, still: Callable[[], bool]
) -> Done:
    """Publish in the Foreshock that runs, and have noted what is promoted once that takes force.

    Where none runs it is noted at once. Where it is refused nothing is noted, and this raises; where it waits for a
    second person that is until they approve it. `still` says whether what is noted is what the orders were made of.
    """
    from streams import reload, running  # here: what changes the site is loaded when it is changed
    from streams.supervisor import holder

    if holder(data) is None:
        orders.note(data)
        return done
    laid_out = ""

    def prepare() -> reload.Prepared:
        """Say what to publish, while nobody else does, and what is to be noted with it."""
        nonlocal laid_out
        if publication.proposed(data) is not None or not still():  # one that took its time is about to be noted, or was
            raise reload.ReloadError("another reload is under way; try again once it is done")
        prepared = reload.with_models(data, orders.areas, orders.triage)
        if prepared.version == prepared.before:
            orders.note(data)
        else:
            laid_out = prepared.version
            waiting_promotions.keep(data, laid_out, orders)
        return prepared

    try:
        source = running.site_of(data) or data
        followers = reload.PROCESSES if wait else ()
        prepared, taken = reload.reload(source, data, by, reason, processes=followers, models=prepare)
    except reload.PendingError as error:  # there is no way back: it is noted once it is in force
        raise PromotionError(str(error)) from error
    except (ValueError, OSError) as error:
        if isinstance(error, reload.ReloadError):  # it was withdrawn; what else went wrong says nothing of that
            waiting_promotions.drop(data, laid_out)
        raise PromotionError(str(error)) from error
    waiting = taken is not None and taken.waiting
    if not waiting:
        waiting_promotions.settle(data, prepared.version, only=True)  # else the worker is about to
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
        if (data / publication.FILE).exists():  # by a worker that ended just as one took force
            waiting_promotions.settle(data, publication.version(data), only=True)
        yield
