"""Whose archive a place is: of one log and no other, with so many partitions."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from streams.archive.place import ASIDE, ArchiveDamaged, ArchiveError
from streams.archive.store import Store

logger = logging.getLogger(__name__)

NAME = "archive.json"
FORMAT = 1


class Marker(msgspec.Struct, frozen=True):
    """What lies at the top of an archive. `identity` is the log's."""

    identity: str
    partitions: int
    format: int = FORMAT


def read(store: Store) -> Marker | None:
    """Read the marker; None where nothing is archived yet. Raise `ArchiveError` for one of another version."""
    content = store.get(NAME, 1 << 16)
    if content is None:
        return None
    try:
        found = msgspec.json.decode(content, type=Marker)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ArchiveDamaged(f"{NAME} of {store.name} cannot be read: {error}") from error
    if found.format != FORMAT:
        raise ArchiveError(f"the archive in {store.name} has the format {found.format}; this version knows {FORMAT}")
    return found


def claim(
    store: Store, identity: str, partitions: int, *, is_mine: Callable[[], bool] = lambda: False
) -> tuple[Marker, str]:
    """Make a place the archive of a log, or see that it is; also say what was mended, "" where nothing was.

    A marker that cannot be read is put aside and written anew where `is_mine` finds that what is archived is this
    log's. Raise `ArchiveDamaged` when it does not, `ArchiveError` when the place is another's.
    """
    mine = Marker(identity, partitions)
    try:
        found = read(store)
    except ArchiveDamaged as error:
        if not is_mine():
            raise ArchiveDamaged(
                f"{error}. Nothing else shows whose archive it is: put {NAME} back from a copy, or name a new place in "
                "FORESHOCK_ARCHIVE; nothing is archived until then"
            ) from error
        store.keep_aside(NAME)
        store.put(NAME, msgspec.json.encode(mine))
        said = f"{NAME} could not be read: it is kept as {NAME}{ASIDE} and was written anew"
        logger.error("%s of %s", said, store.name)
        return mine, said
    if found is None:
        store.put_new(NAME, msgspec.json.encode(mine))
        found = read(store)
    if found != mine:
        raise ArchiveError(f"{store.name} is the archive of another log: name a place of its own in FORESHOCK_ARCHIVE")
    return mine, ""


def hand_over(store: Store, before: str, after: str) -> None:
    """Have the archive of a log go on as that of another, to which the site was moved with all its offsets.

    Raise `ArchiveError` when it is the archive of neither.
    """
    found = read(store)
    if found is None or found.identity == after:
        return
    if found.identity != before:
        raise ArchiveError(f"{store.name} is the archive of another log: name a place of its own in FORESHOCK_ARCHIVE")
    store.put(NAME, msgspec.json.encode(Marker(after, found.partitions)))
