"""What runs of one cluster go by alike: the site in force and the points' indices, in a topic of their own.

It is written before the publication is, so that who meets a version that it does not know finds it here, or a newer.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec

from streams import publication
from streams.bundle import version_of
from streams.publication import Proposal
from streams.readable import Readable
from streams.topics import SITE

KEY = b"site"
PAGE = 50


class InForce(msgspec.Struct, frozen=True, array_like=True):
    """What is in force, who put it there and why, and every index that was ever given out."""

    packed: bytes
    author: str
    reason: str
    time: float
    indices: dict[str, int]


class Written(NamedTuple):
    """A record for the log, as `LeanApp.produce` takes it."""

    topic: str
    partition: int
    key: bytes
    value: bytes


def record(data: Path, proposal: Proposal) -> Written:
    """Make the record that has the other runs go by a proposal of this data folder."""
    found = InForce(proposal.packed, proposal.author, proposal.reason, proposal.time, publication.known(data))
    return Written(SITE, 0, KEY, msgspec.msgpack.encode(found))


def newest(log: Readable) -> InForce | None:
    """Read what is in force; None where nothing ever was."""
    at, end, found = log.start(SITE, 0), log.end(SITE, 0), b""
    while at < end and (records := log.read(SITE, 0, at, end, limit=PAGE)):
        found = records[-1][2]
        at = records[-1][0] + 1
    return msgspec.msgpack.decode(found, type=InForce) if found else None


def join(data: Path, found: InForce) -> None:
    """Have a data folder go by what is in force, and know every index that was given out."""
    indices = {**publication.known(data), **found.indices}
    publication.write_indices(data, indices)
    if not (data / publication.FILE).exists() or publication.version(data) != version_of(found.packed):
        publication.adopt(data, Proposal(found.packed, "", found.author, found.reason, found.time))
