"""Where a replay reads from: the log, where it has what is asked for; else the archive before it, or alone."""

from __future__ import annotations

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
    tapes = str(found.data_folder / FOLDER / "archive")
    if place is None:
        return Recorded(log=str(found.log_file))
    if where is not None or found.kafka is not None or not found.log_file.is_file():
        return Recorded(place=place, tapes=tapes)
    log = str(found.log_file)
    if begin is None or _has(found, begin):
        return Recorded(log=log)
    return Recorded(log=log, place=place, tapes=tapes)


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


def _has(found: Settings, begin: float) -> bool:
    """Tell whether the log goes back to a time in all its partitions."""
    with LogReader(found.log_file) as log:
        for partition in range(log.topics().get(OBSERVATIONS, 0)):
            start, end = log.start(OBSERVATIONS, partition), log.end(OBSERVATIONS, partition)
            oldest = begun(log, Stretch(partition, start, end)) if start else None
            if start and (oldest is None or begin < oldest):
                return False
    return True
