"""Where each chain ended when this data folder last saw it: so that an archive cut short from behind is noticed."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from streams.archive.chain import Chain, Fault, Link
from streams.archive.place import ASIDE, ArchiveDamaged
from streams.durable import replace

logger = logging.getLogger(__name__)

FILE = "archive.json"


class Witness(msgspec.Struct, frozen=True):
    """The archive's place, and by partition up to which offset it went and the SHA-256 of its newest segment."""

    where: str
    heads: dict[str, tuple[int, str]]


def note(data: Path, where: str, heads: Mapping[int, Link]) -> None:
    """Note where the chains end now; what is known of others stays. Raise `OSError`.

    What cannot be read is put aside, and noted anew: nothing is archived the less for it.
    """
    try:
        known = read(data)
    except ArchiveDamaged as error:
        logger.error("%s; it is kept as %s", error, FILE + ASIDE)
        (data / FILE).replace(data / (FILE + ASIDE))
        known = None
    before = known.heads if known is not None and known.where == where else {}
    found = {str(number): (link.head.stop, link.sha256) for number, link in heads.items()}
    if before != before | found:
        replace(data / FILE, msgspec.json.encode(Witness(where, before | found)))


def read(data: Path) -> Witness | None:
    """Read what was noted; None where nothing was. Raise `ArchiveDamaged`."""
    try:
        return msgspec.json.decode((data / FILE).read_bytes(), type=Witness)
    except FileNotFoundError:
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ArchiveDamaged(f"{data / FILE} cannot be read: {error}") from error


def faults(data: Path, where: str, chains: Sequence[Chain]) -> Iterator[Fault]:
    """Yield the chains that no longer hold the segment that this folder saw at their end."""
    if (aside := data / (FILE + ASIDE)).exists():
        yield Fault(str(aside), "it could not be read, so an archive cut short before then was not noticed: remove it")
    try:
        known = read(data)
    except ArchiveDamaged as error:
        yield Fault(str(data / FILE), str(error))
        return
    if known is None or known.where != where:
        return
    for chain in chains:
        stop, sha256 = known.heads.get(str(chain.partition), (0, ""))
        if stop <= chain.start.begin or any(
            (link.head.stop, link.sha256) == (stop, sha256) for link in _at(chain, stop - 1)
        ):
            continue
        yield Fault(chain.folder, f"the segment that ended with observation {stop - 1} was taken away or is another")


def _at(chain: Chain, offset: int) -> Iterator[Link]:
    place = chain.holding(offset)
    if place is not None:
        with suppress(ArchiveDamaged):  # the chain's own faults name it
            yield chain.link(place)
