"""The log into the archive: nothing lost, nothing twice, wherever the writer is killed, and nothing of another log."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from streams.archive import marker
from streams.archive.archiver import archive_all, prune
from streams.archive.chain import START, Chain
from streams.archive.place import ASIDE, ArchiveError, Place
from streams.archive.reader import ArchiveReader
from streams.archive.store import Store
from streams.embedded.reader import LogReader
from streams.embedded.schema import LogError
from streams.embedded.store import Log
from streams.readable import Timed
from streams.topics import OBSERVATIONS, OUTCOMES
from tests.streams.archive.past import BEGAN, HOUR, Dying, Killed, archived, archiver, lived, objects
from tests.streams.test_station import TOPICS


@pytest.fixture
def folder(tmp_path: Path) -> Place:
    return Place(where=str(tmp_path / "archive"))


def cut_off(file: Path, first: int) -> None:
    """Let the log forget its oldest observations, as retention does."""
    with sqlite3.connect(file) as connection:
        (ident,) = connection.execute("SELECT id FROM partition WHERE topic = 'observations'").fetchone()
        connection.execute("DELETE FROM record WHERE id >= ? AND id < ?", (ident << 40, (ident << 40) + first))
        connection.execute("UPDATE partition SET first = ? WHERE id = ?", (first, ident))
    connection.close()


def copy(past: Path, folder: Path) -> Path:
    shutil.copytree(past.parent, folder)
    return folder / past.name


def test_all_that_the_log_has_is_archived_with_its_times_an_hour_a_segment(past: Path, place: Place) -> None:
    store = archived(past, place)
    with LogReader(past) as log, ArchiveReader(place) as archive:
        for topic in (OBSERVATIONS, OUTCOMES):
            end = log.end(topic, 0)
            assert archive.read_timed(topic, 0, 0, end) == log.read_timed(topic, 0, 0, end)
            assert (archive.start(topic, 0), archive.end(topic, 0)) == (0, end)
    heads = [link.head for link in Chain(store, 0).links()]
    assert len(heads) > 2 and {name[:16] for name in objects(store)} >= {"0000/2026-11-27/", "0000/2026-11-28/"}
    assert all(head.since // HOUR == head.until // HOUR for head in heads)
    assert sum(len(head.states) for head in heads) == 2


def test_a_segment_is_written_once_its_hour_is_over(past: Path, folder: Place) -> None:
    one = archiver(Store(folder), past)
    with LogReader(past) as log:
        assert one.step(log, 0, BEGAN + 0.9 * HOUR) is None
        assert one.waiting_since(log, 0) == log.time_of(OBSERVATIONS, 0, 0)
        first = one.step(log, 0, BEGAN + HOUR + 10)
        assert first is not None and first.head.begin == 0
        assert one.step(log, 0, BEGAN + HOUR + 10) is None
        assert one.waiting_since(log, 0) == log.time_of(OBSERVATIONS, 0, first.head.stop)


def test_a_clock_that_was_set_back_by_hours_holds_nothing_up(past: Path, folder: Place) -> None:
    one = archiver(Store(folder), past)
    with LogReader(past) as log:
        assert one.step(log, 0, BEGAN - 0.5 * HOUR) is None
        assert one.step(log, 0, BEGAN - 24 * HOUR) is not None


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_a_writer_that_is_killed_anywhere_is_gone_on_from_with_the_same_bytes(
    past: Path, tmp_path: Path, done: bool
) -> None:
    whole = objects(archived(past, Place(where=str(tmp_path / "whole"))))
    for at in range(100):
        place = Place(where=str(tmp_path / f"{at}"))
        try:
            archived(past, place, Dying(place, at, done=done))
        except Killed:
            assert objects(archived(past, place)) == whole, f"killed at change {at}"
        else:
            assert at > 10
            return
    raise AssertionError("it is never done")


def test_two_that_write_at_the_same_time_make_one_chain(past: Path, place: Place, tmp_path: Path) -> None:
    store = Store(place)
    one, two = archiver(store, past), archiver(Store(place), past)
    with LogReader(past) as log:
        assert one.step(log, 0, BEGAN, everything=True) is not None
        assert two.step(log, 0, BEGAN, everything=True) is not None, "sees the first"
        for _ in range(10):
            one.step(log, 0, BEGAN, everything=True)
            two.step(log, 0, BEGAN, everything=True)
        assert one.observations + two.observations == log.end(OBSERVATIONS, 0)
    assert [*Chain(store, 0).faults(whole=True)] == []
    assert objects(store) == objects(archived(past, Place(where=str(tmp_path / "alone")))), "its indexes, too"


def test_the_archive_of_another_log_is_refused(past: Path, folder: Place, tmp_path: Path) -> None:
    archived(past, folder)
    with pytest.raises(ArchiveError, match="archive of another log"):
        archived(lived(tmp_path / "log.sqlite"), folder)


def test_a_log_that_was_put_back_and_went_on_otherwise_is_refused(past: Path, folder: Place, tmp_path: Path) -> None:
    older = copy(past, tmp_path / "older")
    archived(past, folder)
    with sqlite3.connect(older) as connection:
        (ident,) = connection.execute("SELECT id FROM partition WHERE topic = 'observations'").fetchone()
        connection.execute("DELETE FROM record WHERE id >= ? AND id < ?", ((ident << 40) + 50, (ident + 1) << 40))
        connection.execute("UPDATE partition SET next = 50 WHERE id = ?", (ident,))
    connection.close()
    before = objects(Store(folder))
    with pytest.raises(ArchiveError, match="restored from a backup"):
        archived(older, folder)
    with Log(older, TOPICS) as log:
        log.write([(OBSERVATIONS, 0, None, b"other")] * 60)
    with pytest.raises(ArchiveError, match="restored from a backup"):
        archived(older, folder)
    assert objects(Store(folder)) == before


def test_what_the_log_had_dropped_before_is_counted_and_never_read_over(
    past: Path, folder: Place, tmp_path: Path
) -> None:
    file = copy(past, tmp_path / "data")
    one = archiver(Store(folder), file)
    with LogReader(file) as log:
        first = one.step(log, 0, BEGAN, everything=True)
        assert first is not None
        stop = first.head.stop
        cut_off(file, stop + 7)
        archive_all(one, log, BEGAN)
    assert one.lost == 7
    assert [*Chain(Store(folder), 0).faults(whole=True)] == [], "it is known, so it is no fault"
    with ArchiveReader(folder) as archive:
        assert [offset for offset, _, _ in archive.read(OBSERVATIONS, 0, stop + 7, limit=2)] == [stop + 7, stop + 8]
        assert archive.read(OBSERVATIONS, 0, stop - 2, limit=99)[-1][0] == stop - 1
        with pytest.raises(LogError, match=f"observations {stop} to {stop + 6} of partition 0 were never archived"):
            archive.read(OBSERVATIONS, 0, stop)


class Forgetting(LogReader):
    """A log that retention shortens right after the first read of it."""

    def __init__(self, file: Path, first: int) -> None:
        super().__init__(file)
        self._forget = lambda: cut_off(file, first)

    def read_timed(self, topic: str, partition: int, start: int, stop: int, limit: int = 1000) -> list[Timed]:
        found = super().read_timed(topic, partition, start, stop, limit)
        if found:
            self._forget()
            self._forget = lambda: None
        return found


@pytest.mark.parametrize("begun", [False, True], ids=["first", "later"])
def test_retention_that_comes_while_a_segment_is_read_leaves_a_sound_one(
    past: Path, folder: Place, tmp_path: Path, begun: bool
) -> None:
    file = copy(past, tmp_path / "data")
    one, stop = archiver(Store(folder), file), 0
    if begun:
        with LogReader(file) as log:
            link = one.step(log, 0, BEGAN, everything=True)
            assert link is not None
            stop = link.head.stop
    with Forgetting(file, stop + 7) as log:
        archive_all(one, log, BEGAN)
        assert one.lost == (7 if begun else 0)
    assert [*Chain(Store(folder), 0).faults(whole=True)] == []
    with ArchiveReader(folder) as archive, LogReader(file) as log:
        end = log.end(OBSERVATIONS, 0)
        assert archive.read_timed(OBSERVATIONS, 0, stop + 7, end) == log.read_timed(OBSERVATIONS, 0, stop + 7, end)
    archive_all(archiver(Store(folder), file), LogReader(file), BEGAN)


def test_one_that_has_not_seen_what_another_archived_says_nothing_is_lost_once_retention_came(
    past: Path, folder: Place, tmp_path: Path
) -> None:
    file = copy(past, tmp_path / "data")
    stale, fresh, other = archiver(Store(folder), file), archiver(Store(folder), file), archiver(Store(folder), file)
    with LogReader(file) as log:
        assert fresh.waiting_since(log, 0) is not None, "it has seen an archive with nothing in it"
        first = stale.step(log, 0, BEGAN, everything=True)
        assert other.step(log, 0, BEGAN, everything=True) is not None
        last = Chain(Store(folder), 0).last()
        assert first is not None and last is not None
        cut_off(file, last.head.stop - 1)
        for one in (stale, fresh):
            link = one.step(log, 0, BEGAN, everything=True)
            assert link is not None and link.head.begin >= last.head.stop and one.lost == 0
        archive_all(stale, log, BEGAN)
    assert [*Chain(Store(folder), 0).faults(whole=True)] == []


@pytest.mark.parametrize("left", [0, 40])
def test_a_newest_segment_that_was_cut_off_before_its_index_was_written_is_put_aside_and_written_again(
    past: Path, folder: Place, left: int
) -> None:
    whole = objects(archived(past, folder))
    newest = folder.folder / Chain(Store(folder), 0).names[-1]
    newest.write_bytes(newest.read_bytes()[:left])
    newest.with_name("index.json").unlink()
    archived(past, folder)
    aside = newest.with_name(newest.name + ASIDE)
    assert len(aside.read_bytes()) == left
    aside.unlink()
    assert objects(Store(folder)) == whole


def test_a_segment_that_an_index_names_is_never_put_aside(past: Path, folder: Place) -> None:
    archived(past, folder)
    newest = folder.folder / Chain(Store(folder), 0).names[-1]
    newest.write_bytes(b"")
    Chain(Store(folder), 0).mend()
    assert newest.read_bytes() == b"" and [*Chain(Store(folder), 0).faults(whole=False)] != []


def test_what_is_too_old_goes_from_the_oldest_on_wherever_it_is_killed(past: Path, tmp_path: Path) -> None:
    whole = archived(past, Place(where=str(tmp_path / "whole")))
    links = list(Chain(whole, 0).links())
    holds = max(place for place, link in enumerate(links[:-1]) if link.head.states)
    before = links[-1].head.since
    for at in range(100):
        target = tmp_path / f"{at}"
        shutil.copytree(tmp_path / "whole", target)
        place = Place(where=str(target))
        try:
            prune([Chain(Dying(place, at, done=bool(at % 2)), 0)], before)
        except Killed:
            chain = Chain(Store(place), 0)
            assert [*chain.faults(whole=True)] == []
            prune([chain], before)
        else:
            assert at > 3
            break
    chain = Chain(Store(place), 0)
    assert [link.head for link in chain.links()] == [link.head for link in links[holds:]]
    assert [*chain.faults(whole=True)] == []
    left = {name for name in objects(Store(place)) if name.startswith("0000/")}
    assert left == {
        "0000/start.json",
        *(link.name for link in links[holds:]),
        *(f"{link.name.rpartition('/')[0]}/index.json" for link in links[holds:]),
        *(chain.state_name(state.offset, state.clock) for link in links[holds:] for state in link.head.states),
    }
    with LogReader(past) as log, ArchiveReader(place) as archive:
        first = links[holds].head.begin
        assert archive.start(OBSERVATIONS, 0) == first
        assert archive.read(OBSERVATIONS, 0, 0) == log.read(OBSERVATIONS, 0, first)


def test_beyond_the_bytes_the_oldest_go_and_the_newest_stays(past: Path, folder: Place) -> None:
    store = archived(past, folder)
    assert prune([Chain(store, 0)], 0.0, 1e9) == 0
    assert prune([Chain(store, 0)], BEGAN + 1000 * HOUR, 1.0) > 0
    assert len(Chain(store, 0)) == 1


@pytest.mark.parametrize("left", [b"", b'{"identity":"so'])
def test_a_marker_that_cannot_be_read_is_written_anew_where_the_log_holds_what_is_archived(
    past: Path, folder: Place, tmp_path: Path, left: bytes
) -> None:
    whole = objects(archived(past, folder))
    (folder.folder / marker.NAME).write_bytes(left)
    with LogReader(past) as log:
        one = archiver(Store(folder), past)
        archive_all(one, log, BEGAN)
    assert (folder.folder / (marker.NAME + ASIDE)).read_bytes() == left
    assert [marker.NAME in said for said in one.mended] == [True] and one.damaged == 1
    (folder.folder / (marker.NAME + ASIDE)).unlink()
    assert objects(Store(folder)) == whole


def test_a_marker_that_cannot_be_read_is_written_anew_where_nothing_is_archived_yet(past: Path, folder: Place) -> None:
    folder.folder.mkdir()
    (folder.folder / marker.NAME).write_bytes(b"")
    assert len(Chain(archived(past, folder), 0)) > 0


def test_a_marker_that_cannot_be_read_is_left_where_the_log_is_another_or_holds_nothing_of_it(
    past: Path, folder: Place, tmp_path: Path
) -> None:
    archived(past, folder)
    (folder.folder / marker.NAME).write_bytes(b"")
    other, gone = copy(past, tmp_path / "other"), copy(past, tmp_path / "gone")
    with LogReader(past) as log:
        cut_off(gone, log.end(OBSERVATIONS, 0))
    with sqlite3.connect(other) as connection:
        connection.execute("UPDATE record SET value = CAST(value || x'00' AS BLOB)")
    connection.close()
    for file in (other, gone):
        with LogReader(file) as log, pytest.raises(ArchiveError, match=r"put archive\.json back from a copy"):
            archive_all(archiver(Store(folder), file), log, BEGAN)
    assert (folder.folder / marker.NAME).read_bytes() == b""


def test_where_a_chain_begins_is_taken_from_its_oldest_segment_when_it_cannot_be_read_and_that_is_told(
    past: Path, folder: Place
) -> None:
    archived(past, folder)
    chain = Chain(Store(folder), 0)
    links = list(chain.links())
    chain.drop(2)
    start = folder.folder / "0000" / START
    good = start.read_bytes()
    start.write_bytes(b"")
    read_only = Chain(Store(folder), 0)
    assert list(read_only.links()) == links[2:]
    assert [fault.name for fault in read_only.faults(whole=True)] == ["0000/start.json"]
    with LogReader(past) as log:
        one = archiver(Store(folder), past)
        archive_all(one, log, BEGAN)
    assert start.read_bytes() == good and one.damaged == 1
    said = [*Chain(Store(folder), 0).faults(whole=True)]
    assert [fault.name for fault in said] == ["0000/start.json" + ASIDE], "until somebody has looked at it"
    start.with_name(START + ASIDE).unlink()
    assert [*Chain(Store(folder), 0).faults(whole=True)] == []


def test_where_a_chain_begins_is_not_made_up_when_its_oldest_segment_cannot_be_read_either(
    past: Path, folder: Place
) -> None:
    archived(past, folder)
    chain = Chain(Store(folder), 0)
    chain.drop(2)
    (folder.folder / "0000" / START).write_bytes(b"")
    (folder.folder / chain.names[0]).write_bytes(b"")
    for index in folder.folder.rglob("index.json"):
        index.unlink()
    Chain(Store(folder), 0).mend()
    assert (folder.folder / "0000" / START).read_bytes() == b""
