"""Change the site of a running product: check the changed folder, tell what differs, and propose it to the worker.

A proposal is a file that the worker takes up, publishes in the log and, once the log has it, makes the data folder's
resolution, which the other processes follow (`streams.following`). So what is in force is in the log before anything
else goes by it, and a worker that dies in between takes the proposal up again.
"""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from models.promotion import Promotion
from rules.compiler import CompileError, compile_rules
from rules.rule import Rule, load_rules
from sensors.document import DocumentError, Problem
from sensors.lookup import Registry
from sensors.registry import indices, load_site
from streams import area_models, brokers, bundle, publication, running, settings, shelf, triage_models
from streams.bundle import Bundle, version_of
from streams.difference import Difference, difference
from streams.figures import read_figures
from streams.publication import Proposal
from streams.settings import SettingsError

PROCESSES = ("worker", "bridge", "console", "notifier", "camera")
SECONDS = 60.0
"""Seconds in which the worker has to take a proposal up; 10 000 rules take it ten."""


TURN = 5.0
"""Seconds for which a reload waits for another one's end."""

PAUSE = 0.01
"""Seconds between two looks at what is waited for."""


class ReloadError(ValueError):
    """Raised when a site cannot take the place of the one in force, with a sentence that says why."""


class PendingError(ReloadError):
    """Raised when the worker has a proposal in hand and is not done: it takes force later."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A checked site that may be proposed."""

    content: Bundle
    packed: bytes
    version: str
    source: str
    known: dict[str, int]  # indices, with those of the new points
    difference: Difference
    before: str  # the version in force


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """How a proposal went: seconds until the log had it, and until each process went by it."""

    version: str
    in_force: float
    followed: dict[str, float]
    behind: tuple[str, ...] = ()  # processes that did not say in time that they follow
    waiting: bool = False  # it takes force once a second person approves it


@contextlib.contextmanager
def alone(data: Path) -> Iterator[None]:
    """Keep others from changing the site meanwhile. Raise `ReloadError` when somebody does for longer than `TURN`."""
    until = time.monotonic() + TURN
    with (data / "run" / "reload.lock").open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if time.monotonic() > until:
                    raise ReloadError("another reload is under way; try again once it is done") from error
                time.sleep(PAUSE)
        yield


def prepare(folder: Path, data: Path) -> Prepared:
    """Load and check a changed site folder against what is in force.

    Raise `sensors.document.DocumentError` with every mistake, `ReloadError` when it takes a restart.
    """
    current = bundle.unpack(publication.read(data))
    known = publication.known(data)
    site = load_site(folder, known)
    if not site.console:
        site = msgspec.structs.replace(site, console=current.site.console)
    models, triage = area_models.in_force(data), triage_models.published(data, current.triage)
    rules = load_rules(folder / "rules", site, folder, kept=settings.load().kept)
    content = Bundle(site=site, rules=rules, models=models, triage=triage)
    return _prepared(data, current, content, known, publication.fingerprint(folder, site.console, models, triage))


def earlier(version: str, data: Path) -> Prepared:
    """Take a former publication from the shelf, to put it in force again. Raise `ReloadError` when it cannot be.

    Where people open the console is the machine's own, as its port and its proxy are, and stays as it is: a publication
    that was made elsewhere, or while nothing was served, has another address, or none. What is put in force is of a new
    version then.
    """
    packed = shelf.take(data, version)
    if packed is None:
        raise ReloadError(f"there is no publication {version}; `foreshock publications` lists those there are")
    current = bundle.unpack(publication.read(data))
    content = bundle.unpack(packed)
    if content.site.console != current.site.console:
        content = msgspec.structs.replace(
            content, site=msgspec.structs.replace(content.site, console=current.site.console)
        )
        return _prepared(data, current, content, publication.known(data), "")
    return _prepared(data, current, content, publication.known(data), "", packed)


def with_models(
    data: Path, areas: area_models.Promotions | None = None, triage_order: Sequence[Promotion] | None = None
) -> Prepared:
    """Take what is in force with the models that are promoted now, or are to be. Raise `ReloadError` if that cannot be.

    `areas` and `triage_order` are what is to be promoted of either; None: as it is.
    """
    current = bundle.unpack(publication.read(data))
    models = area_models.in_force(data, areas)
    triage = triage_models.published(data, current.triage, triage_order)
    content = msgspec.structs.replace(current, models=models, triage=triage)
    return _prepared(data, current, content, publication.known(data), "")


def with_rules(data: Path, rules: Sequence[Rule]) -> Prepared:
    """Take what is in force with other rules. Raise `ReloadError` when that cannot be."""
    current = bundle.unpack(publication.read(data))
    content = msgspec.structs.replace(current, rules=tuple(rules))
    return _prepared(data, current, content, publication.known(data), "")


def _prepared(
    data: Path, current: Bundle, content: Bundle, known: dict[str, int], source: str, packed: bytes | None = None
) -> Prepared:
    site = content.site
    if packed is None:
        packed = bundle.pack(content)
    _require_no_restart(current, content)
    _require_shareable(data, content)
    _require_compiled(content)
    return Prepared(
        content=content,
        packed=packed,
        version=version_of(packed),
        source=source,
        known=indices(site, known),
        difference=difference(current, content),
        before=version_of(publication.read(data)),
    )


def _require_no_restart(current: Bundle, content: Bundle) -> None:
    """Raise `ReloadError` for what a running product cannot follow."""
    before, after = current.site, content.site
    for name in ("id", "partitions"):
        if getattr(before, name) != getattr(after, name):
            raise ReloadError(
                f"`{name}` of site.yaml cannot change while it runs: it is {getattr(before, name)!r} in force and "
                f"{getattr(after, name)!r} in the folder"
            )
    if before.signals.native != after.signals.native:
        raise ReloadError(
            f"`signals.native` of site.yaml takes a restart: the broker knows what the product publishes by "
            f"{before.signals.native!r}"
        )
    then, now = Registry(before), Registry(after)
    for area in after.areas:
        for id in (area.id, *area.renamed_from):
            if id in then.areas and then.partition(id) != now.partition(area.id):
                raise ReloadError(
                    f"area {area.id} would move to another partition, away from its open alarms and its points' "
                    f"state: keep it in its group with `group: {then.areas[id].group}`"
                )


def _require_shareable(data: Path, content: Bundle) -> None:
    """Raise `ReloadError` when a broker's subscriptions, which the run shares, must not be shared with this site."""
    try:
        brokers.require_shareable(running.brokers_of(data), content.site.signals)
    except SettingsError as error:
        raise ReloadError(str(error)) from error


def _require_compiled(content: Bundle) -> None:
    """Raise `DocumentError` when a partition could not compile the rules: it would stay with those of before."""
    registry = Registry(content.site)
    for partition in range(content.site.partitions):
        areas = {area.id for area in content.site.areas if registry.partition(area.id) == partition}
        points = [point for point in content.site.points if partition in registry.partitions_of(point.id)]
        try:
            compile_rules(content.rules, content.site, points, areas)
        except CompileError as error:
            raise DocumentError([Problem("rules", 0, "", str(error))]) from error


def propose(data: Path, prepared: Prepared, author: str, reason: str = "", now: float | None = None) -> Proposal:
    """Lay a checked site out for the worker to put in force; return what to wait for."""
    publication.write_indices(data, prepared.known)
    at = time.time() if now is None else now
    return publication.propose(data, prepared.packed, prepared.source, author, reason, at)


def await_in_force(data: Path, proposal: Proposal, begun: float, seconds: float = SECONDS) -> float:
    """Wait until a proposal is in force; return the seconds since `begun` (monotonic).

    Raise `ReloadError` when the worker does not take it up, and the proposal is withdrawn then; also when it has taken
    it up and is not done, or a newer one was laid out over it, and then it may be in force later.
    """
    version = version_of(proposal.packed)
    while publication.version(data) != version:
        if time.monotonic() - begun > seconds:
            withdrawn = publication.withdraw(data, proposal)
            if withdrawn is False:
                raise PendingError(
                    f"the worker has taken it up and is not done after {seconds:g} s: it takes force once it is; "
                    "`foreshock publications` tells, and run/worker.log what holds it up"
                )
            if publication.version(data) == version:  # it was done while we looked
                break
            if withdrawn is None:
                _require_last(data)
            raise ReloadError(f"the worker did not take it up within {seconds:g} s; what was in force stays")
        time.sleep(PAUSE)
    return time.monotonic() - begun


def await_waiting(data: Path, proposal: Proposal, begun: float, seconds: float = SECONDS) -> float:
    """Wait until a proposal waits in the log for a second person; return the seconds since `begun` (monotonic).

    Raise `ReloadError` when the worker does not take it up, and the proposal is withdrawn then; also when a newer one
    was laid out over it, and then it may wait all the same.
    """
    while (data / publication.PROPOSED).exists():  # and is gone once the worker has put it into the log
        if time.monotonic() - begun > seconds:
            withdrawn = publication.withdraw(data, proposal)
            if withdrawn:
                raise ReloadError(f"the worker did not take it up within {seconds:g} s; what was in force stays")
            if withdrawn is None:
                _require_last(data)
        time.sleep(PAUSE)
    return time.monotonic() - begun


def _require_last(data: Path) -> None:
    """Raise `ReloadError` where somebody else's proposal is laid out: nobody can tell what became of ours."""
    newer = publication.proposed(data)
    if newer is not None:
        raise ReloadError(
            f"{newer.author} has laid out another publication meanwhile; `foreshock publications` tells what takes "
            "force, propose yours again if it does not"
        )


def await_followed(
    data: Path, version: str, begun: float, processes: Sequence[str], seconds: float = SECONDS
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Wait until those of the processes that run go by a version; return when each did, and who did not in time."""
    followed: dict[str, float] = {}
    until = time.monotonic() + seconds
    while True:
        figures = read_figures(data)
        running = [name for name in processes if name in figures]
        for name in running:
            if figures[name].get("following") == version:
                followed.setdefault(name, time.monotonic() - begun)
        behind = set(running) - followed.keys()
        if not behind or time.monotonic() > until:
            return followed, tuple(sorted(behind))
        time.sleep(PAUSE)


def reload(
    folder: Path,
    data: Path,
    author: str,
    reason: str = "",
    version: str = "",
    processes: Sequence[str] = PROCESSES,
    models: Callable[[], Prepared] | None = None,
    rules: Sequence[Rule] | Callable[[Bundle], Sequence[Rule]] | None = None,
) -> tuple[Prepared, Taken | None]:
    """Prepare, propose and wait, alone until it is in force; with `version` that publication instead of the folder.

    With `models` that is what it makes of what is in force, where site and rules stay as they are; with
    `rules` these, or what they make of what is in force, take the place of those in force, and the rest stays.
    Where the site in force takes two persons, it waits for the second (`Taken.waiting`).

    Nothing is proposed, and None comes back, when nothing differs.
    """
    with alone(data):
        if rules is not None:
            fresh = rules(bundle.unpack(publication.read(data))) if callable(rules) else rules
            prepared = with_rules(data, fresh)
        elif version:
            prepared = earlier(version, data)
        else:
            prepared = models() if models is not None else prepare(folder, data)
        if prepared.version == prepared.before:
            return prepared, None
        begun = time.monotonic()
        two = bundle.unpack(publication.read(data)).site.approval == "two"
        proposal = propose(data, prepared, author, reason)
        if two:
            waited = await_waiting(data, proposal, begun)
            return prepared, Taken(version=prepared.version, in_force=waited, followed={}, waiting=True)
        in_force = await_in_force(data, proposal, begun)
    followed, behind = await_followed(data, prepared.version, begun, processes)
    return prepared, Taken(version=prepared.version, in_force=in_force, followed=followed, behind=behind)
