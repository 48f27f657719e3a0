"""Records of a log on their way into another: where they lie there, and that nothing else is taken for them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from streams import logs
from streams.embedded.filling import LogFilling
from streams.embedded.reader import LogReader
from streams.embedded.schema import LogError, TopicSpec, row_id
from streams.embedded.settled import LogMovedError, unmark
from streams.embedded.store import Log
from streams.kafka.address import parse
from streams.kafka.filling import KafkaFilling
from streams.migration.copying import Comparison, Copier, Filling, Place, each
from streams.migration.report import MigrationError
from streams.migration.state import Kept, State

PLAIN, DERIVED = Place("observations", 0), Place("outcomes", 0)
TOPICS = {"observations": TopicSpec(), "outcomes": TopicSpec(derived=True)}
FIRST = 120_000
"""Where the source's log begins: retention has taken what was before."""


def source(folder: Path, holes: tuple[int, ...] = ()) -> Path:
    """Make a log of ten records of each topic that does not begin at 0; outcomes lack some, as from Kafka."""
    path = folder / "source.sqlite"
    with Log(path, TOPICS, clock=lambda: 1_000.5) as log:
        log.write([(topic, 0, None if n % 2 else b"", b"%d" % n) for topic in TOPICS for n in range(10)])
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE record SET id = id + ? WHERE id >= ?", (FIRST, row_id(1, 0)))
        file.execute("UPDATE partition SET first = ?, next = ?", (FIRST, FIRST + 10))
        for hole in holes:
            file.execute("DELETE FROM record WHERE id = ?", (row_id(2, FIRST + hole),))
    return path


@pytest.fixture(params=["file", pytest.param("kafka", marks=pytest.mark.server)])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Callable[[], Filling], object]]:
    """What makes a target, and where it is."""
    if request.param == "file":
        yield lambda: LogFilling(tmp_path / "target.sqlite", TOPICS), tmp_path / "target.sqlite"
        return
    address = parse(f"kafka://{request.getfixturevalue('kafka')}/c{uuid4().hex[:8]}")
    yield lambda: KafkaFilling(address, TOPICS), address  # type: ignore[arg-type, return-value]


def test_records_keep_their_offsets_and_what_refers_to_them_holds(
    tmp_path: Path, made: tuple[Callable[[], Filling], object]
) -> None:
    path, kept = source(tmp_path, holes=(2, 5)), Kept(tmp_path)
    state = State(source="a", target="b", site="s")
    make, where = made
    for stop in (FIRST + 4, FIRST + 10, FIRST + 10):  # cut off, and called again, the last time in vain
        target = make()
        with LogReader(path) as log:
            copier = Copier(log, target, state, kept)
            for place in (PLAIN, DERIVED):
                copier.copy(place, stop)
        ends = [target.end(*place) for place in (PLAIN, DERIVED)]
        target.close()
    assert ends == [FIRST + 10, FIRST + 10], "the log goes on at the same offsets"
    with LogReader(path) as log, logs.reader(where) as there:  # type: ignore[arg-type]
        plain = [list(each(one, PLAIN, FIRST, FIRST + 10)) for one in (log, there)]
        assert plain[0] == plain[1] and there.start(*PLAIN) == FIRST
        derived = [list(each(one, DERIVED, FIRST, FIRST + 10)) for one in (log, there)]
        assert [one[1:] for one in derived[0]] == [one[1:] for one in derived[1]]
        assert all(two[0] >= one[0] for one, two in zip(*derived, strict=True)), "none lies earlier than it was"
        assert derived[0][-4:] == derived[1][-4:], "behind the last hole all is where it was"
        for place in (PLAIN, DERIVED):
            found = Comparison(place, log, there, state, keeps=where == tmp_path / "target.sqlite")
            found.go_on()
            assert found.result().source == found.result().target


@pytest.mark.server
def test_what_is_in_kafka_already_is_not_written_over(tmp_path: Path, kafka: str) -> None:
    address = parse(f"kafka://{kafka}/c{uuid4().hex[:8]}")
    with LogReader(source(tmp_path)) as log:
        target = KafkaFilling(address, TOPICS)
        target.write(*PLAIN, [(0, 1.0, None, b"of somebody else")])
        copier = Copier(log, target, State(source="a", target="b", site="s"), Kept(tmp_path))  # type: ignore[arg-type]
        with pytest.raises(MigrationError, match="observations partition 0: the target holds other data"):
            copier.copy(PLAIN, FIRST + 10)
        target.close()


def test_a_target_is_not_to_be_run_on_before_the_end(tmp_path: Path) -> None:
    target = LogFilling(tmp_path / "log.sqlite", TOPICS)
    target.write(*PLAIN, [(3, 1.0, None, b"x")])
    with pytest.raises(LogError, match="offset 2 is taken, it goes on at 4"):
        target.write(*PLAIN, [(2, 1.0, None, b"y")])
    target.commit("foreshock", {tuple(PLAIN): 4})
    target.settle()
    target.close()
    with pytest.raises(LogMovedError, match="not all of it has come: call `foreshock migrate` again"):
        Log(tmp_path / "log.sqlite", TOPICS)
    unmark(tmp_path / "log.sqlite")
    with Log(tmp_path / "log.sqlite", TOPICS) as log:
        assert log.committed("foreshock", *PLAIN) == 4
        assert log.write([(*PLAIN, None, b"next")]) == [4]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE record SET value = x'00' WHERE id = ?", "the value of the record of offset 120004 in the source"),
        ("UPDATE record SET time = 7 WHERE id = ?", "the time of the record of offset 120004"),
        ("UPDATE record SET key = x'00' WHERE id = ?", "the key of the record of offset 120004"),
        ("DELETE FROM record WHERE id = ?", "of offset 120004 in the source, 120005 in the target"),
    ],
)
def test_the_first_difference_is_named(tmp_path: Path, change: str, said: str) -> None:
    path, state = source(tmp_path), State(source="a", target="b", site="s")
    target = LogFilling(tmp_path / "target.sqlite", TOPICS)
    with LogReader(path) as log:
        Copier(log, target, state, Kept(tmp_path)).copy(PLAIN, FIRST + 10)
    target.close()
    with closing(sqlite3.connect(tmp_path / "target.sqlite")) as file, file:
        file.execute(change, (row_id(1, FIRST + 4),))
    with LogReader(path) as log, LogReader(tmp_path / "target.sqlite") as there:
        comparison = Comparison(PLAIN, log, there, state, keeps=True)
        with pytest.raises(MigrationError, match=said):
            comparison.go_on()


def test_records_that_retention_took_before_they_were_copied_are_missed(tmp_path: Path) -> None:
    path, state = source(tmp_path), State(source="a", target="b", site="s")
    target = LogFilling(tmp_path / "target.sqlite", TOPICS)
    with LogReader(path) as log:
        copier = Copier(log, target, state, Kept(tmp_path))
        copier.copy(PLAIN, FIRST + 3)
        with closing(sqlite3.connect(path)) as file, file:
            file.execute("UPDATE partition SET first = ? WHERE id = 1", (FIRST + 6,))
            file.execute("DELETE FROM record WHERE id >= ? AND id < ?", (row_id(1, 0), row_id(1, FIRST + 6)))
        with pytest.raises(MigrationError, match="records from 120003 on are gone by retention"):
            copier.copy(PLAIN, FIRST + 10)
    target.close()


def test_times_are_found_across_holes(tmp_path: Path) -> None:
    path = source(tmp_path, holes=(0, 1, 2, 6, 8, 9))
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE record SET time = id & 1023")
    with LogReader(path) as log:
        times = {offset: time for offset, time, _, _ in log.read_timed(*DERIVED, 0, FIRST + 10)}
        for offset, time in times.items():
            assert log.offset_at(*DERIVED, time) in range(
                max((o for o in times if o < offset), default=0) + 1, offset + 1
            )
        assert log.offset_at(*DERIVED, 1e9) > max(times)
