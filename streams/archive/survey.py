"""Look through a whole archive: is it as it was written?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from streams.archive import marker, witness
from streams.archive.chain import Chain, Fault
from streams.archive.place import Place
from streams.archive.store import Store


class Survey(msgspec.Struct, frozen=True):
    """What was found: counts, when the newest archived observation was written (unix s), and all that is wrong."""

    segments: int
    observations: int
    bytes: int
    lost: int
    until: float
    faults: list[Fault]


def chains(place: Place) -> list[Chain]:
    """Open all chains of an archive; none where nothing is archived yet."""
    store = Store(place, make=False)
    found = marker.read(store)
    return [] if found is None else [Chain(store, number) for number in range(found.partitions)]


def survey(
    place: Place, data: Path, *, whole: bool = False, told: Callable[[int, int], None] = lambda done, total: None
) -> Survey | None:
    """Look at all chains; None where nothing is archived. `whole` reads every segment; `told` hears of bytes.

    Raise `ArchiveError` when the place cannot be read.
    """
    opened = chains(place)
    if not opened:
        return None
    total, done = sum(chain.size for chain in opened), 0
    faults: list[Fault] = []

    def read(size: int) -> None:
        nonlocal done
        done += size
        told(done, total)

    for chain in opened:
        faults += chain.faults(whole=whole, told=read)
    faults += witness.faults(data, place.where, opened)
    heads = [link.head for chain in opened for link in chain.readable()]
    return Survey(
        segments=sum(len(chain) for chain in opened),
        observations=sum(head.observations for head in heads),
        bytes=total,
        lost=sum(head.lost for head in heads),
        until=max((head.until for head in heads), default=0.0),
        faults=faults,
    )
