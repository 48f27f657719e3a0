"""What was recorded, wherever it is: in the log, in the archive, in both, or its readings alone in the history."""

from __future__ import annotations

from pathlib import Path

import msgspec

from streams.archive.place import Place
from streams.embedded.reader import LogReader
from streams.embedded.schema import LogError
from streams.history.past import Past
from streams.readable import Opened
from streams.tape_archive import folder_of


class Recorded(msgspec.Struct, frozen=True):
    """Name where to read: a log's file, an archive, or a log that an archive goes before. `tapes`: a folder for scores.

    Or the readings of a `past` that the history has. It can be handed to another process.
    """

    log: str = ""
    place: Place | None = None
    tapes: str = ""
    past: Past | None = None

    @property
    def tapes_folder(self) -> Path:
        """Where scores are kept for the next replay."""
        return Path(self.tapes) if self.tapes else folder_of(Path(self.log))

    def open(self) -> Opened:
        """Open it. Raise `LogError`."""
        if self.past is not None:
            return self.past.open()
        if self.place is None:
            return LogReader(Path(self.log))
        from streams.archive.reader import ArchiveReader, Joined  # here: most replays need no archive

        if not self.log:
            return ArchiveReader(self.place)
        log = LogReader(Path(self.log))
        try:
            return Joined(log, ArchiveReader(self.place))
        except LogError:
            log.close()
            raise


def of(log_file: Path) -> Recorded:
    """Name a log's file."""
    return Recorded(log=str(log_file))
