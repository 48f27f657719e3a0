"""Any past hour of the archive replays bit for bit: alone, and before what the log still has."""

from __future__ import annotations

import shutil
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from streams import course, replaying
from streams.archive.archiver import archive_all, prune
from streams.archive.chain import Chain
from streams.archive.place import Place
from streams.archive.reader import ArchiveReader, Joined
from streams.archive.recorded import Recorded
from streams.archive.store import Store
from streams.embedded.reader import LogReader
from streams.embedded.schema import LogError
from streams.replay import ReplayError
from streams.replaying import Task
from streams.stretch import Stretch, stretch
from streams.topics import GROUP, OBSERVATIONS, OUTCOMES, SNAPSHOTS
from tests.streams.archive.past import BEGAN, archived, archiver, lived
from tests.streams.archive.test_archiver import cut_off
from tests.streams.small_site import START, rules


def agrees(log: course.Readable, where: Stretch) -> int:
    """Replay a stretch; return how many observations that took."""
    found = course.run(log, where)
    assert found.difference is not None and found.difference.agrees, found.difference
    return found.observations


def test_every_stretch_replays_as_it_was_from_the_archive_alone(past: Path, place: Place) -> None:
    archived(past, place)
    with ArchiveReader(place) as archive, LogReader(past) as log:
        stop = archive.committed(GROUP, OBSERVATIONS, 0) or 0
        assert stop == log.committed(GROUP, OBSERVATIONS, 0)
        assert agrees(archive, stretch(archive, 0, stop, None, None)) == stop
        begun = [stretch(archive, 0, stop, START + 60 * minute, None).first for minute in range(8)]
        assert begun == [stretch(log, 0, stop, START + 60 * minute, None).first for minute in range(8)]
        for first, last in pairwise([*begun, stop]):
            agrees(archive, Stretch(0, first, last))
        assert agrees(archive, Stretch(0, 61, stop)) == stop - 60, "from the state that is kept before it"
        tried = course.run(archive, Stretch(0, 61, stop), rules())
        assert tried.transitions and tried.difference is None


def test_what_is_asked_of_a_log_is_answered_as_the_log_does(past: Path, tmp_path: Path) -> None:
    place = Place(where=str(tmp_path))
    archived(past, place)
    with ArchiveReader(place) as archive, LogReader(past) as log:
        assert archive.identity == log.identity
        for topic in (OBSERVATIONS, OUTCOMES):
            end = log.end(topic, 0)
            for first in (0, 5, end // 2, end - 1, end):
                assert archive.read(topic, 0, first, limit=7) == log.read(topic, 0, first, limit=7)
                assert archive.read(topic, 0, first, max_bytes=50) == log.read(topic, 0, first, max_bytes=50)
                assert archive.time_of(topic, 0, first) == log.time_of(topic, 0, first)
                at = log.time_of(topic, 0, first) or 0.0
                assert archive.offset_at(topic, 0, at) == log.offset_at(topic, 0, at)
            assert [*archive.newest_first(topic, 0, 9, first=3)] == [*log.newest_first(topic, 0, 9, first=3)]
            assert [*archive.keyed(topic, 0, 2)] == [*log.keyed(topic, 0, 2)]
        assert (archive.start(SNAPSHOTS, 0), archive.end(SNAPSHOTS, 0)) == (0, 0)
        with pytest.raises(LogError, match="no partition 1"):
            archive.read(OBSERVATIONS, 1, 0)


def test_a_hole_refuses_what_crosses_it_and_nothing_else(past: Path, tmp_path: Path) -> None:
    file = Path(shutil.copytree(past.parent, tmp_path / "data")) / past.name
    place = Place(where=str(tmp_path / "archive"))
    one = archiver(Store(place), file)
    with LogReader(file) as log:
        link = one.step(log, 0, BEGAN, everything=True)
        assert link is not None
        hole = range(link.head.stop, link.head.stop + 15)
        cut_off(file, hole.stop)
        archive_all(one, log, BEGAN)
    sides = {"before": 0, "after": 0}
    with ArchiveReader(place) as archive, LogReader(past) as whole:
        stop = archive.end(OBSERVATIONS, 0)
        for first, last in combinations([START + 20 * count for count in range(25)], 2):
            expected = stretch(whole, 0, stop, first, last)
            if expected.stop < hole.start or expected.first >= hole.stop:
                sides["before" if expected.stop < hole.start else "after"] += 1
                assert stretch(archive, 0, stop, first, last) == expected
        assert all(sides.values()), sides
        assert agrees(archive, Stretch(0, 5, hole.start)) > 0
        with pytest.raises(LogError, match="were never archived"):
            course.run(archive, Stretch(0, 5, hole.stop + 1))


def test_where_nothing_is_archived_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="nothing is archived"):
        ArchiveReader(Place(where=str(tmp_path / "none")))
    assert not (tmp_path / "none").exists()


@pytest.fixture
def forgetful(past: Path, tmp_path: Path) -> Recorded:
    """A log that has lost its first half, and the archive of all of it."""
    shutil.copytree(past.parent, tmp_path / "data")
    place = Place(where=str(tmp_path / "archive"))
    archived(past, place)
    cut_off(tmp_path / "data" / past.name, 50)
    return Recorded(log=str(tmp_path / "data" / past.name), place=place)


def test_the_archive_goes_before_what_the_log_still_has(past: Path, forgetful: Recorded) -> None:
    with LogReader(past) as whole, forgetful.open() as log:
        assert isinstance(log, Joined)
        stop = log.committed(GROUP, OBSERVATIONS, 0) or 0
        assert (log.start(OBSERVATIONS, 0), log.end(OBSERVATIONS, 0)) == (0, whole.end(OBSERVATIONS, 0))
        assert log.read(OBSERVATIONS, 0, 45) + log.read(OBSERVATIONS, 0, stop) == whole.read(OBSERVATIONS, 0, 45, stop)
        assert log.read_timed(OBSERVATIONS, 0, 40, 60)[0] == whole.read_timed(OBSERVATIONS, 0, 40, 60)[0]
        for offset in (0, 49, 50, 80):
            at = whole.time_of(OBSERVATIONS, 0, offset)
            assert at is not None and log.time_of(OBSERVATIONS, 0, offset) == at
            assert log.offset_at(OBSERVATIONS, 0, at) == whole.offset_at(OBSERVATIONS, 0, at)
        assert agrees(log, Stretch(0, 0, stop)) == stop
        agrees(log, Stretch(0, 35, 75))


def test_several_processes_read_it_too(forgetful: Recorded) -> None:
    with forgetful.open() as log:
        where = stretch(log, 0, log.committed(GROUP, OBSERVATIONS, 0) or 0, None, None)
    [one, _] = replaying.replay(forgetful, [Task(where), Task(where, replaying.pack(rules(16.0)))], 2)
    assert one.difference is not None and one.difference.agrees and one.observations == where.stop


def test_a_log_of_which_the_archive_lacks_the_end_is_not_joined(past: Path, forgetful: Recorded) -> None:
    place = forgetful.place
    assert place is not None
    for file in sorted((place.folder / "0000").rglob("*.seg"))[1:]:
        file.unlink()
    with forgetful.open() as log:
        assert log.start(OBSERVATIONS, 0) == 50
        with pytest.raises(ReplayError, match="no longer holds its first observations"):
            course.run(log, Stretch(0, 51, 55))


def test_the_archive_of_another_log_is_not_joined(forgetful: Recorded, tmp_path: Path) -> None:
    other = lived(tmp_path / "other" / "log.sqlite") if (tmp_path / "other").mkdir() is None else tmp_path
    with pytest.raises(LogError, match="of another log"):
        Recorded(log=str(other), place=forgetful.place).open()


def test_what_was_left_by_retention_replays_from_its_first_observation_on(past: Path, tmp_path: Path) -> None:
    place = Place(where=str(tmp_path))
    chain = Chain(archived(past, place), 0)
    last = chain.last()
    assert last is not None
    prune([chain], last.head.since)
    with ArchiveReader(place) as archive:
        [first] = [state.offset + 1 for link in chain.links() for state in link.head.states]
        stop = archive.end(OBSERVATIONS, 0)
        assert agrees(archive, Stretch(0, first, stop)) == stop - first


def test_a_state_that_was_changed_is_passed_over(past: Path, tmp_path: Path) -> None:
    place = Place(where=str(tmp_path))
    chain = Chain(archived(past, place), 0)
    newest = tmp_path / chain.states[-1]
    newest.write_bytes(b"nonsense")
    with ArchiveReader(place) as archive:
        stop = archive.end(OBSERVATIONS, 0)
        assert agrees(archive, Stretch(0, 70, stop)) == stop - 30
