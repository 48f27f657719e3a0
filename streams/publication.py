"""Resolve a site folder into the bundle that a run publishes, and keep the points' indices for ever."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from streams import area_models, bundle, shelf, triage_models, waiting_promotions
from streams.bundle import Bundle, version_of
from streams.durable import replace

logger = logging.getLogger(__name__)

FILE = "site.bundle"
INDICES = "points.json"
PROPOSED = "site.proposed"
"""What the worker is to put in force next; see `streams.reload`."""
PUBLISHING = "site.publishing"
"""What the worker is writing to the log: should it die before the data folder has it, the next start takes it in."""


class _Resolved(msgspec.Struct, frozen=True, array_like=True):
    """The file that children read: what it was made from, and the packed bundle."""

    source: str
    packed: bytes
    author: str = "foreshock run"
    reason: str = "site at start"
    time: float = 0.0


class IndicesError(RuntimeError):
    """Raised when the points' indices are lost: with others, the log's readings would be other points'."""


def resolve(folder: Path, data: Path, console: str = "") -> Bundle:
    """Load and check a site with its rules, assign indices, and write the bundle into the data folder.

    An unchanged site is taken from the last resolution. `console` is where the console is served, for a site that does
    not say. Raise `sensors.document.DocumentError` with every problem, `IndicesError` when the indices are lost.
    """
    from rules.rule import load_rules  # here: processes that only read what was resolved need not load so much
    from sensors.registry import indices, load_site
    from streams import settings

    finish(data)
    last = _last(data)
    before = _content(last)
    _settle_left(data, last, before)
    (data / PROPOSED).unlink(missing_ok=True)  # left by a run that ended before it was taken up
    models = area_models.in_force(data)
    triage = triage_models.published(data, None if before is None else before.triage)
    source = fingerprint(folder, console, models, triage)
    given = known(data)
    if last is not None and before is not None and last.source == source and (data / INDICES).exists():
        return before
    site = load_site(folder, given)
    if not site.console:
        site = msgspec.structs.replace(site, console=console)
    if before is not None and before.site.approval == "two":  # a restart is no way around a second person
        logger.warning("the site in force takes two persons to change: it stays; propose the folder with `reload`")
        return before
    rules = load_rules(folder / "rules", site, folder, kept=settings.load().kept)
    content = Bundle(site=site, rules=rules, models=models, triage=triage)
    write_indices(data, indices(site, given))
    packed = bundle.pack(content)
    write(data, packed, source)
    _shelve(data, _Resolved(source, packed), last)
    return content


def _settle_left(data: Path, last: _Resolved | None, before: Bundle | None) -> None:
    """Note the promotion that a run left which ended just as it took force, or before it was taken up."""
    if last is not None:
        waiting_promotions.settle(data, version_of(last.packed), only=True)
    left = proposed(data)
    if left is not None and before is not None and before.site.approval != "two":
        waiting_promotions.settle(data, version_of(left.packed), only=True)


def _content(last: _Resolved | None) -> Bundle | None:
    """Read what was in force; None where other code wrote it: there is nothing else to go by than the folder then."""
    try:
        return None if last is None else bundle.unpack(last.packed)
    except bundle.BundleError:
        return None


def known(data: Path) -> dict[str, int]:
    """Read the indices given out before: from their file, else from the last resolution. Raise `IndicesError`."""
    last = _last(data)
    try:
        return msgspec.json.decode((data / INDICES).read_bytes(), type=dict[str, int])
    except FileNotFoundError:
        pass
    except msgspec.DecodeError as error:
        raise IndicesError(
            f"{data / INDICES} is damaged ({error}): restore it from a backup; without it the log's readings would "
            "be taken for other points'"
        ) from error
    if last is not None:
        return {point.id: point.index for point in bundle.unpack(last.packed).site.points}
    if (data / "journal.sqlite").exists():
        raise IndicesError(
            f"{data / INDICES} is missing beside a journal: restore it from a backup, "
            "or choose another folder with --data"
        )
    return {}


def write(data: Path, packed: bytes, source: str = "") -> None:
    """Write a packed bundle as the data folder's resolution; `source` names what it was made from."""
    replace(data / FILE, msgspec.msgpack.encode(_Resolved(source, packed)))


def write_indices(data: Path, given: dict[str, int]) -> None:
    """Write the indices given out, before anything goes by them."""
    replace(data / INDICES, msgspec.json.format(msgspec.json.encode(given), indent=0))


class Proposal(msgspec.Struct, frozen=True):
    """What is to be put in force, by whom and why."""

    packed: bytes
    source: str
    author: str
    reason: str
    time: float


def propose(data: Path, packed: bytes, source: str, author: str, reason: str, now: float) -> Proposal:
    """Lay a packed bundle out for the worker to put in force; return what is proposed by that."""
    proposal = Proposal(packed, source, author, reason, now)
    replace(data / PROPOSED, _written(proposal))
    return proposal


def begin(data: Path, proposal: Proposal) -> None:
    """Note that a proposal, which may take force, is about to be written to the log."""
    replace(data / PUBLISHING, _written(proposal))


def give_up(data: Path) -> None:
    """Note that the log has not taken what was about to be written to it."""
    (data / PUBLISHING).unlink(missing_ok=True)


def finish(data: Path) -> None:
    """Adopt what a worker that died may have had in the log: there it is in force."""
    with contextlib.suppress(FileNotFoundError):
        left = _proposal((data / PUBLISHING).read_bytes())
        try:
            if left is not None:
                adopt(data, left)
        except bundle.BundleError as error:  # written by other code: this one reads it from no log either
            logger.error("what a worker was publishing when it died cannot be read and is dropped: %s", error)
        give_up(data)


def proposed(data: Path) -> Proposal | None:
    """Read what is proposed; None when nothing is, or what is cannot be read."""
    try:
        return _proposal((data / PROPOSED).read_bytes())
    except FileNotFoundError:
        return None


def proposal_in(file: BinaryIO) -> Proposal | None:
    """Read what is proposed from its file, as `held` gives it; None when it cannot be read."""
    return _proposal(file.read())


def _resolved(one: Proposal) -> _Resolved:
    return _Resolved(one.source, one.packed, one.author, one.reason, one.time)


def _written(one: Proposal) -> bytes:
    return msgspec.msgpack.encode(_resolved(one))


def _proposal(written: bytes) -> Proposal | None:
    try:
        found = msgspec.msgpack.decode(written, type=_Resolved)
    except msgspec.DecodeError:
        return None
    return Proposal(found.packed, found.source, found.author, found.reason, found.time)


@contextlib.contextmanager
def held(data: Path) -> Iterator[BinaryIO | None]:
    """Hold the file of what is proposed, so that nobody withdraws it meanwhile.

    None when nothing is proposed, or somebody else holds it. Who holds it and dies lets go of it.
    """
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context((data / PROPOSED).open("rb"))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            there = os.fstat(file.fileno()).st_nlink > 0  # else withdrawn, or replaced, since it was opened
        except (FileNotFoundError, BlockingIOError):
            there = False
        yield file if there else None


def withdraw(data: Path, proposal: Proposal) -> bool | None:
    """Take back a proposal: True when that is done, None where it is not proposed any more; a newer one stays.

    False when the worker has it in hand: it is no longer ours to take back.
    """
    with held(data) as file:
        if file is not None and proposal_in(file) == proposal:
            (data / PROPOSED).unlink(missing_ok=True)
            return True
    return False if proposed(data) == proposal else None


def drop(data: Path, proposal: Proposal) -> None:
    """Lay a proposal aside that the log has; a newer one that was laid out meanwhile stays."""
    if proposed(data) == proposal:
        (data / PROPOSED).unlink(missing_ok=True)


class Told(msgspec.Struct, frozen=True):
    """What a publication is, as whoever has both bundles at hand found it: `before` is the version it follows."""

    before: str
    site: str
    difference: tuple[str, ...]


def adopt(data: Path, proposal: Proposal, told: Told | None = None) -> None:
    """Make a proposal the data folder's resolution; a newer one that is laid out meanwhile stays.

    What is `told` of it spares decoding it, and the one in force.
    """
    last = _last(data)
    taken = _resolved(proposal)
    if last != taken:  # else an earlier try came as far
        if last is not None and not shelf.has(data, version_of(last.packed)):
            _shelve(data, last, None)
        _shelve(data, taken, last, told)
        replace(data / FILE, msgspec.msgpack.encode(taken))
    waiting_promotions.settle(data, version_of(proposal.packed))
    drop(data, proposal)
    give_up(data)


def _shelve(data: Path, what: _Resolved, last: _Resolved | None, told: Told | None = None) -> None:
    if told is None or last is None or version_of(last.packed) != told.before:
        told = _told(what, last)
    kept = shelf.Kept(
        version=version_of(what.packed),
        time=what.time or time.time(),
        author=what.author,
        reason=what.reason,
        site=told.site,
        difference=told.difference,
    )
    shelf.keep(data, kept, what.packed)


def _told(what: _Resolved, last: _Resolved | None) -> Told:
    content = bundle.unpack(what.packed)
    said: list[str] = []
    if last is not None:
        with contextlib.suppress(bundle.BundleError):  # written by other code: it cannot be told what differs
            from streams.difference import difference, lines

            said = lines(difference(bundle.unpack(last.packed), content))
    return Told("", content.site.version, tuple(said))


def version(data: Path) -> str:
    """Name the bundle of the last resolution."""
    return version_of(read(data))


def read(data: Path) -> bytes:
    """Read the packed bundle of the last resolution. Raise FileNotFoundError when there is none."""
    return msgspec.msgpack.decode((data / FILE).read_bytes(), type=_Resolved).packed


def _last(data: Path) -> _Resolved | None:
    try:
        return msgspec.msgpack.decode((data / FILE).read_bytes(), type=_Resolved)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def fingerprint(folder: Path, console: str, models: Sequence[bytes] = (), triage: bytes | None = None) -> str:
    """Hash the site's files, and the code that reads them, by name and content, where the console is served, models."""
    digest = hashlib.blake2b(digest_size=16)
    for packed in models:
        digest.update(hashlib.blake2b(packed, digest_size=16).digest())
    if triage is not None:
        digest.update(b"triage" + hashlib.blake2b(triage, digest_size=16).digest())
    code = Path(__file__).resolve().parent.parent
    for source in (*sorted((code / "sensors").glob("*.py")), *sorted((code / "rules").glob("*.py"))):
        digest.update(f"{source.name}\0{source.stat().st_mtime_ns}\0".encode())
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix in (".yaml", ".yml", ".csv", ".ics"):
            digest.update(f"{file.relative_to(folder)}\0".encode())
            digest.update(file.read_bytes())
            digest.update(b"\0")
    return digest.hexdigest() + console
