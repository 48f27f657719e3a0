"""Where a replay reads from: the log, where it has what is asked for; else the archive before it, or alone."""

from __future__ import annotations

from pathlib import Path

import msgspec

from streams.archive.place import ArchiveError, Place
from streams.archive.recorded import Recorded
from streams.embedded.reader import LogReader
from streams.settings import PREFIX, Settings
from streams.stretch import Stretch, begun
from streams.tape_archive import FOLDER
from streams.topics import OBSERVATIONS


def source(found: Settings, begin: float | None, where: str | None = None) -> Recorded:
    """Choose what a replay from `begin` (unix s, None is all that the log has) reads.

    `where`: of this archive, and no log. Raise `LogError`; `SettingsError` where the log is in Kafka and there is none.
    """
    place = found.archive_place if where is None else _place(found, where)
    if place is None or (where is None and found.kafka is None and found.log_file.is_file()):
        return chosen(found.log_file, place, found.data_folder, begin)
    return chosen(None, place, found.data_folder, begin)


def chosen(log: Path | None, place: Place | None, data: Path, begin: float | None) -> Recorded:
    """Choose between a log's file and an archive, of which there is one at least. Raise `LogError`."""
    tapes = str(data / FOLDER / "archive")
    if log is None:
        return Recorded(place=place, tapes=tapes)
    if place is None or begin is None or _has(log, begin):
        return Recorded(log=str(log))
    return Recorded(log=str(log), place=place, tapes=tapes)


def _place(found: Settings, where: str) -> Place:
    # the key of the storage is the settings'
    named = msgspec.structs.replace(found, archive=where).archive_place
    if named is None:
        raise ArchiveError("--archive: name a folder or s3://BUCKET/PREFIX")
    try:
        named.require_sound()
    except ValueError as error:
        raise ArchiveError(f"--archive: {str(error).replace('ARCHIVE_', PREFIX + 'ARCHIVE_')}") from error
    return named


def _has(file: Path, begin: float) -> bool:
    """Tell whether the log goes back to a time in all its partitions."""
    with LogReader(file) as log:
        for partition in range(log.topics().get(OBSERVATIONS, 0)):
            start, end = log.start(OBSERVATIONS, partition), log.end(OBSERVATIONS, partition)
            oldest = begun(log, Stretch(partition, start, end)) if start else None
            if start and (oldest is None or begin < oldest):
                return False
    return True
