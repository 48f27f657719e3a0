"""Moments: states of the engine kept apart over the retained log, so that any past hour can be replayed.

The newest snapshot is of now, and the log's beginning is cut away as it ages. So from time to time a state is kept
beside the log: hourly for a day, daily for as long as the log goes back. A replay begins with the newest that is older
than what it is asked for.
"""

from __future__ import annotations

import contextlib
import logging
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from streams.durable import replace
from streams.engine import Engine
from streams.frozen import Piece
from streams.readable import Readable
from streams.topics import OBSERVATIONS

logger = logging.getLogger(__name__)

FOLDER = "moments"
HOUR = 3600.0
DAY = 86400.0
MOST_BYTES = 1 << 30
"""Bytes of one state, inflated."""


class StateFile(Protocol):
    """What a state is read from."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    def read_bytes(self) -> bytes:
        """Read it. Raise `OSError`."""
        ...


class Moment(NamedTuple):
    """A kept state: the offset after which it stands, where its clock stood (unix s), its file and that one's bytes."""

    offset: int
    clock: float
    file: StateFile
    size: int


class Moments:
    """One partition's kept states. `most` bytes in all; beyond, those that lie closest together go."""

    def __init__(self, folder: Path, partition: int, most: float = float("inf")) -> None:
        self._folder, self._partition, self._most = folder, partition, most
        self._newest = max((one.clock for one in self.all()), default=-float("inf"))

    def due(self, clock: float) -> bool:
        """Tell whether a state should be kept: an hour after the last, or once the clock was set back before it."""
        return clock > 0.0 and not 0.0 <= clock - self._newest < HOUR

    def keep(self, offset: int, clock: float, pieces: Iterable[Piece], oldest: int) -> None:
        """Keep the pieces of a state, and drop those that are no longer wanted: `oldest` is the log's oldest offset.

        What cannot be written is said in the process's log and tried again an hour later.
        """
        self._newest = clock
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            deflater = zlib.compressobj(1)
            content = b"".join([*map(deflater.compress, pieces), deflater.flush()])
            replace(self._folder / f"{self._partition}-{offset}-{int(clock)}.state", content)
            for one in unwanted(self.all(), oldest, self._most):
                (self._folder / one.file.name).unlink(missing_ok=True)
        except OSError as error:
            logger.warning("partition %d: no state was kept for replays: %s", self._partition, error)

    def all(self) -> list[Moment]:
        """List the kept states, the oldest first."""
        found = []
        with contextlib.suppress(OSError):
            for file in self._folder.glob(f"{self._partition}-*.state"):
                with contextlib.suppress(ValueError, OSError):  # no file of ours, or gone meanwhile
                    _, offset, clock = file.stem.split("-")
                    found.append(Moment(int(offset), float(clock), file, file.stat().st_size))
        return sorted(found)


def unwanted(kept: Sequence[Moment], oldest: int, most: float) -> list[Moment]:
    """Pick what need not be kept of states, the oldest first: at most one an hour for a day, then one a day.

    Those from which the log no longer goes on are of no use. Beyond `most` bytes the one goes that leaves the smallest
    hole; the oldest stays longest, it reaches furthest back.
    """
    useless = [one for one in kept if one.offset + 1 < oldest]
    rest = [one for one in kept if one.offset + 1 >= oldest]
    wanted: list[Moment] = []
    if rest:
        now = rest[-1].clock
        for one in rest:
            width = HOUR if now - one.clock <= DAY else DAY
            if not wanted or one.clock // width != wanted[-1].clock // width:
                wanted.append(one)
            else:
                useless.append(one)
    while wanted and sum(one.size for one in wanted) > most:
        holes = [later.clock - sooner.clock for sooner, later in zip(wanted, wanted[2:], strict=False)]
        useless.append(wanted.pop(1 + holes.index(min(holes)) if holes else -1))
    return useless


def moments_of(log: Readable, partition: int) -> list[Moment]:
    """List the states kept beside a log's file, or in an archive, the oldest first; none of what is neither."""
    own: Callable[[int], list[Moment]] | None = getattr(log, "moments", None)
    if own is not None:
        return own(partition)
    path = getattr(log, "path", None)
    return Moments(Path(path).parent / FOLDER, partition).all() if path is not None else []


def engine_before(log: Readable, partition: int, offset: int, clock: float = float("inf")) -> Engine | None:
    """Restore the newest kept state that stands before an offset and a time (unix s), and from which the log goes on.

    None when there is none, or none that this version can read.
    """
    oldest = log.start(OBSERVATIONS, partition)
    for one in reversed(moments_of(log, partition)):
        if one.offset >= offset or one.clock > clock or one.offset + 1 < oldest:
            continue
        try:
            inflater = zlib.decompressobj()
            content = inflater.decompress(one.file.read_bytes(), MOST_BYTES)
            engine = Engine.restore(content)
        except (OSError, zlib.error, ValueError, KeyError, TypeError, AssertionError) as error:
            logger.warning("%s cannot be used: %s", one.file.name, error)
            continue
        if (engine.partition, engine.offset) == (partition, one.offset):
            return engine
    return None
