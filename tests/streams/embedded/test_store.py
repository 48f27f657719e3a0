"""The log: what it keeps, for how long, who may open it, and what it says when it cannot write."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.embedded.reader import LogReader
from streams.embedded.schema import (
    LogClosedError,
    LogCorruptError,
    LogError,
    LogFullError,
    LogLockedError,
    LogUnavailableError,
    LogWriteError,
)
from streams.embedded.store import Log, TopicSpec
from tests.waiting import until

ROOT = Path(__file__).parents[3]
TOPICS = {"a": TopicSpec(2), "kept": TopicSpec(1, compact=True)}


def values(log: Log, topic: str, partition: int = 0) -> list[bytes]:
    return [value for _, _, value in log.read(topic, partition, 0)]


def test_records_get_contiguous_offsets_and_are_there_after_reopening(tmp_path: Path) -> None:
    with Log(tmp_path / "log", TOPICS) as log:
        assert log.write([("a", 0, None, b"x"), ("a", 1, b"k", b"y"), ("a", 0, None, b"z")]) == [0, 0, 1]
        assert log.read("a", 0, 0) == [(0, None, b"x"), (1, None, b"z")]
        assert (log.start("a", 0), log.end("a", 0), log.end("a", 1)) == (0, 2, 1)
    with Log(tmp_path / "log", TOPICS) as log:
        assert log.read("a", 1, 0) == [(0, b"k", b"y")]
        assert log.read_recent("a", 0, 0) is None, "what an earlier process wrote is not in memory"
        assert log.write([("a", 0, None, b"w")]) == [2]
        assert values(log, "a") == [b"x", b"z", b"w"]


@pytest.mark.parametrize("size", [10, 20_000])
def test_the_newest_come_first_however_large_they_are(tmp_path: Path, size: int) -> None:
    with Log(tmp_path / "log", TOPICS) as log:
        log.write([("a", 0, None, b"%d" % n + b"x" * size) for n in range(700)])
    with LogReader(tmp_path / "log") as reader:
        assert [offset for offset, _, _ in reader.newest_first("a", 0, 650)] == list(range(699, 49, -1))
        assert [offset for offset, _, _ in reader.newest_first("a", 0, 5000)] == list(range(699, -1, -1))
        assert list(reader.newest_first("a", 1, 10)) == []


def test_reading_is_bounded_by_stop_limit_and_bytes_but_gives_at_least_one(tmp_path: Path) -> None:
    with Log(tmp_path / "log", TOPICS) as log:
        log.write([("a", 0, None, b"%d" % n * 100) for n in range(10)])
        for read in (log.read_recent, log.read_stored):
            offsets = [o for o, _, _ in read("a", 0, 3, 7) or []]
            assert offsets == [3, 4, 5, 6]
            assert [o for o, _, _ in read("a", 0, 3, None, 2) or []] == [3, 4]
            assert [o for o, _, _ in read("a", 0, 3, None, 9, 250) or []] == [3, 4]
            assert [o for o, _, _ in read("a", 0, 3, None, 9, 1) or []] == [3]
            assert read("a", 0, 10) == [] and read("a", 0, 5, 5) == []


@settings(max_examples=30, deadline=None)
@given(
    batches=st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3000)), max_size=40), max_size=20),
    start=st.integers(0, 400),
    tail=st.integers(0, 20_000),
)
def test_memory_and_file_agree(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[tuple[int, int]]], start: int, tail: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    with Log(path, {"a": TopicSpec(3)}, tail_bytes=tail) as log:
        for partition in range(3):  # a small tail for each, so that reads fall on both sides of its edge
            log._span("a", partition)._tail_bytes = tail
        for batch in batches:
            log.write([("a", partition, None, bytes(size)) for partition, size in batch])
        for partition in range(3):
            sizes = [size for batch in batches for p, size in batch if p == partition]
            stored = log.read_stored("a", partition, 0, limit=10_000)
            assert [(o, len(v)) for o, _, v in stored] == list(enumerate(sizes))
            recent = log.read_recent("a", partition, start, limit=10_000)
            assert recent is None or recent == stored[start:]
            assert log.read("a", partition, start, limit=10_000) == stored[start:]


def test_records_and_commits_are_one_transaction(tmp_path: Path) -> None:
    with Log(tmp_path / "log", TOPICS) as log:
        log.write([("a", 0, None, b"x")], commits=[("worker", "a", 1, 7), ("worker", "a", 0, 3)])
        assert (log.committed("worker", "a", 1), log.committed("worker", "a", 0)) == (7, 3)
        assert log.committed("other", "a", 1) is None
        with pytest.raises(LogWriteError, match="no partition 9"):
            log.write([("a", 0, None, b"y"), ("a", 9, None, b"y")], commits=[("worker", "a", 1, 8)])
        assert log.committed("worker", "a", 1) == 7 and log.end("a", 0) == 1
    with Log(tmp_path / "log", TOPICS) as log:
        assert log.committed("worker", "a", 1) == 7


def test_what_piled_up_is_written_in_one_transaction(tmp_path: Path) -> None:
    with Log(tmp_path / "log", TOPICS) as log:
        done: list[list[int] | None] = []
        first = threading.Event()
        log.append([("a", 0, None, b"x")], lambda offsets, error: first.wait(10) and None)
        for _ in range(500):
            log.append([("a", 0, None, b"x")], lambda offsets, error: done.append(offsets))
        before = log.figures()["transactions"]
        first.set()
        until(lambda: len(done) == 500)
        assert done == [[n] for n in range(1, 501)]
        assert log.figures()["transactions"] - before <= 3


def test_subscribers_hear_which_partitions_grew(tmp_path: Path) -> None:
    with Log(tmp_path / "log", TOPICS) as log:
        heard: list[list[tuple[str, int]]] = []
        undo = log.subscribe(heard.append)
        log.write([("a", 1, None, b"x")])
        assert heard == [[("a", 1)]]
        undo()
        log.write([("a", 1, None, b"x")])
        assert len(heard) == 1


def test_a_second_opener_is_refused_with_a_sentence_and_readers_are_not(tmp_path: Path) -> None:
    with Log(tmp_path / "log", TOPICS) as log:
        log.write([("a", 0, None, b"x")], commits=[("worker", "a", 0, 1)])
        code = "import sys; from streams.embedded.store import Log; Log(sys.argv[1], {})"
        second = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "log")], capture_output=True, text=True, cwd=ROOT, timeout=30
        )
        assert second.returncode != 0 and "is already open in process" in second.stderr
        with pytest.raises(LogLockedError, match="use another data folder"):
            Log(tmp_path / "log", TOPICS)
        with Log.open_readonly(tmp_path / "log") as reader:
            assert reader.read("a", 0, 0) == [(0, None, b"x")]
            log.write([("a", 0, None, b"y")])
            assert (reader.end("a", 0), reader.start("a", 0), reader.topics()) == (2, 0, {"a": 2, "kept": 1})
            assert reader.committed("worker", "a", 0) == 1
            assert reader.time_of("a", 0, 1) == pytest.approx(time.time(), abs=60)
    with Log.open_readonly(tmp_path / "log") as reader:
        assert len(reader.read("a", 0, 0)) == 2, "a log at rest can be read too"
    with pytest.raises(LogError, match="there is no log here"):
        Log.open_readonly(tmp_path / "nothing")


def test_retention_by_age_drops_the_oldest_but_never_the_newest(tmp_path: Path) -> None:
    now = [1000.0]
    with Log(tmp_path / "log", {"a": TopicSpec(1, retention_seconds=60)}, clock=lambda: now[0]) as log:
        log.write([("a", 0, None, b"%d" % n) for n in range(600)])
        now[0] = 1030.0
        log.write([("a", 0, None, b"later")])
        now[0] = 1070.0
        until(lambda: log.start("a", 0) == 600)
        assert values(log, "a") == [b"later"]
        now[0] = 9000.0
        log.write([("a", 0, None, b"last")])
        until(lambda: log.start("a", 0) == 601)
        assert log.end("a", 0) == 602
    with Log(tmp_path / "log", {"a": TopicSpec(1, retention_seconds=60)}, clock=lambda: now[0] * 2) as log:
        assert log.write([("a", 0, None, b"next")]) == [602], "offsets never start again"


def test_retention_by_size_drops_the_oldest_in_pieces(tmp_path: Path) -> None:
    with Log(tmp_path / "log", {"a": TopicSpec(1, retention_bytes=50_000)}) as log:
        log.write([("a", 0, None, bytes(100)) for _ in range(2000)])
        until(lambda: log.size("a", 0) <= 50_000)
        assert log.start("a", 0) == 1500
        assert len(log.read_stored("a", 0, 0)) == 500


def test_retention_waits_for_a_group_that_has_not_read_yet(tmp_path: Path) -> None:
    with Log(tmp_path / "log", {"a": TopicSpec(1, retention_bytes=1000)}) as log:
        log.write([("a", 0, None, bytes(100)) for _ in range(100)], commits=[("slow", "a", 0, 20)])
        until(lambda: log.start("a", 0) == 20)
        log.write([], commits=[("slow", "a", 0, 60)])
        until(lambda: log.start("a", 0) == 60)
        log.forget("slow")
        until(lambda: log.start("a", 0) == 90)


def test_compaction_keeps_the_newest_of_each_key_also_after_reopening(tmp_path: Path) -> None:
    def kept(log: Log) -> list[tuple[int, bytes | None, bytes]]:
        return log.read_stored("kept", 0, 0)

    with Log(tmp_path / "log", TOPICS) as log:
        for n in range(100):
            log.write([("kept", 0, b"k%d" % (n % 3), b"%d" % n)])
        until(lambda: len(kept(log)) == 3)
        assert kept(log) == [(97, b"k1", b"97"), (98, b"k2", b"98"), (99, b"k0", b"99")]
        assert log.start("kept", 0) == 97
        log.write([("kept", 0, b"k1", b"new")])
    with Log(tmp_path / "log", TOPICS) as log:
        until(lambda: len(kept(log)) == 3)
        assert kept(log)[-1] == (100, b"k1", b"new")
        assert log.end("kept", 0) == 101


@pytest.mark.parametrize("damage", ["garbage", "pages"])
def test_a_damaged_file_is_refused_with_a_sentence(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "log"
    with Log(path, TOPICS) as log:
        log.write([("a", n % 2, None, bytes(3000)) for n in range(500)])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = 'no' WHERE name = 'clean'")
    connection.close()
    with path.open("r+b") as file:
        file.seek(0 if damage == "garbage" else 16384 * 20)
        file.write(b"garbage!" * 4096)
    with pytest.raises(LogCorruptError, match="damaged"):
        Log(path, TOPICS)


def test_a_topic_may_grow_but_not_shrink(tmp_path: Path) -> None:
    with Log(tmp_path / "log", {"a": TopicSpec(2)}) as log:
        log.create_topic("b", TopicSpec(3))
        assert log.write([("b", 2, None, b"x")]) == [0]
    with Log(tmp_path / "log", {"a": TopicSpec(4)}) as log:
        assert log.topics() == {"a": 4, "b": 3}
    with pytest.raises(LogError, match="cannot become 1"):
        Log(tmp_path / "log", {"a": TopicSpec(1)})


def test_a_full_log_refuses_writes_and_heals_when_there_is_room(tmp_path: Path) -> None:
    topics = {"a": TopicSpec(1, retention_bytes=1 << 30)}
    with Log(tmp_path / "log", topics, max_bytes=2_000_000) as log:
        offsets = []
        with pytest.raises(LogFullError, match="full"):
            for _ in range(1000):
                offsets += log.write([("a", 0, None, bytes(16_000))])
        assert offsets == list(range(len(offsets))) and len(offsets) > 50
        assert log.end("a", 0) == len(offsets), "what failed left nothing behind"
        with pytest.raises(LogFullError):
            log.write([("a", 0, None, bytes(100_000))])
        assert len(log.read_stored("a", 0, 0)) == len(offsets), "reading goes on"
    with Log(tmp_path / "log", {"a": TopicSpec(1, retention_bytes=200_000)}, max_bytes=2_000_000) as log:
        until(lambda: log.size("a", 0) <= 200_000)
        assert log.write([("a", 0, None, bytes(16_000))]) == [len(offsets)], "offsets go on without a gap"


def hold(path: Path) -> sqlite3.Connection:
    """Take the file's write lock, as a backup tool or an administrator's shell does."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


def test_a_locked_file_refuses_nothing_for_good_and_all_at_once(tmp_path: Path) -> None:
    with Log(tmp_path / "log", TOPICS) as log:
        log._connection.execute("PRAGMA busy_timeout=20")
        other = hold(tmp_path / "log")
        answers: list[Exception | None] = []
        gate = threading.Event()
        log.append([], lambda _, error: gate.wait(10) and None)  # what follows piles up behind it
        for _ in range(50):
            log.append([("a", 0, None, b"x")], lambda _, error: answers.append(error))
        before = log.figures()["failures"]
        gate.set()
        until(lambda: len(answers) == 50)
        assert {type(one) for one in answers} == {LogUnavailableError}
        assert log.figures()["failures"] - before < 5, "each of them did not wait out the lock by itself"
        other.execute("ROLLBACK")
        other.close()
        assert log.write([("a", 0, None, b"x")]) == [0]


@pytest.mark.parametrize(
    ("problem", "passing"),
    [
        (sqlite3.OperationalError("attempt to write a readonly database"), True),
        (sqlite3.OperationalError("unable to open database file"), True),
        (sqlite3.DatabaseError("database disk image is malformed"), True),
        (MemoryError(), True),
        (sqlite3.IntegrityError("NOT NULL constraint failed: record.value"), False),
        (sqlite3.DataError("string or blob too big"), False),
        (TypeError("a bytes-like object is required"), False),
    ],
)
def test_only_the_records_own_faults_are_final(tmp_path: Path, problem: Exception, passing: bool) -> None:
    class Sick:
        in_transaction = False

        def execute(self, *_: object) -> None:
            raise problem

    with Log(tmp_path / "log", TOPICS) as log:
        sound, log._writer._connection = log._writer._connection, Sick()  # type: ignore[assignment]
        with pytest.raises(LogWriteError) as caught:
            log.write([("a", 0, None, b"x")])
        log._writer._connection = sound
        assert isinstance(caught.value, LogUnavailableError) is passing
        assert log.write([("a", 0, None, b"x")]) == [0], "what failed left nothing behind"


FULL_DISK = """
import resource, signal, sys
from streams.embedded.store import Log, TopicSpec
from streams.embedded.schema import LogFullError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = Log(sys.argv[1], {"a": TopicSpec(1)})
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, hard))
acknowledged = 0
try:
    while True:
        log.write([("a", 0, None, bytes(16_000))])
        acknowledged += 1
except LogFullError as error:
    print("full", error)
try:
    log.write([("a", 0, None, bytes(50_000))])
except LogFullError:
    print("still full")
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
(offset,) = log.write([("a", 0, None, b"healed")])
assert offset == acknowledged, (offset, acknowledged)
log.close()
with Log.open_readonly(sys.argv[1]) as reader:
    assert reader.end("a", 0) == acknowledged + 1
    assert len(reader.read("a", 0, 0, limit=100_000, max_bytes=1 << 30)) == acknowledged + 1
print("healed")
"""


def test_a_disk_that_fills_up_and_is_cleared_loses_nothing_acknowledged(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "log")], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    assert "full" in ran.stdout and "still full" in ran.stdout and "healed" in ran.stdout


def test_a_failed_write_does_not_fail_its_neighbours(tmp_path: Path) -> None:
    with Log(tmp_path / "log", TOPICS) as log:
        outcomes: list[Exception | None] = []
        gate = threading.Event()
        log.append([("a", 0, None, b"x")], lambda offsets, error: gate.wait(10) and None)
        for number, offset in enumerate((1, object(), 3)):  # the second cannot be bound to a statement
            commits: list[Any] = [(f"group {number}", "a", 0, offset)]
            log.append([("a", 0, None, b"%d" % number)], lambda _, error: outcomes.append(error), commits=commits)
        gate.set()
        until(lambda: len(outcomes) == 3)
        assert [error is None for error in outcomes] == [True, False, True]
        assert values(log, "a") == [b"x", b"0", b"2"]


def test_a_closed_log_says_so(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", TOPICS)
    log.close()
    log.close()
    with pytest.raises(LogWriteError, match="closed"):
        log.write([("a", 0, None, b"x")])
    with pytest.raises(LogError, match="NORMAL or FULL"):
        Log(tmp_path / "log", TOPICS, synchronous="OFF")
    with Log(tmp_path / "log", TOPICS, synchronous="FULL") as log:
        assert log.write([("a", 0, None, b"x")]) == [0]


def test_an_unforeseen_error_ends_the_log_and_all_that_waits_learns_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(tmp_path / "log", TOPICS)
    assert log.write([("a", 0, None, b"x")]) == [0] and log.failed is None
    answers: list[Exception | None] = []
    entered, gate = threading.Event(), threading.Event()

    def holding(offsets: list[int] | None, error: Exception | None) -> None:
        entered.set()
        gate.wait(10)

    log.append([("a", 0, None, b"y")], holding)
    assert entered.wait(10)

    def broken(requests: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(log._writer, "_transact", broken)
    for _ in range(3):
        log.append([("a", 0, None, b"z")], lambda _, error: answers.append(error))
    gate.set()
    until(lambda: len(answers) == 3)
    assert all(isinstance(one, LogClosedError) and "unforeseen" in str(one) for one in answers)
    assert isinstance(log.failed, RuntimeError)
    with pytest.raises(LogClosedError, match="unforeseen"):
        log.append([("a", 0, None, b"w")])
    log.close()
    with Log(tmp_path / "log", TOPICS) as again:
        assert values(again, "a") == [b"x", b"y"]


def test_upkeep_that_breaks_in_an_unforeseen_way_ends_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.embedded.writer.CHORE_INTERVAL", 0.01)

    def broken(connection: sqlite3.Connection) -> tuple[bool, list[Any]]:
        raise KeyError("unforeseen")

    with Log(tmp_path / "log", TOPICS) as log:
        monkeypatch.setattr(log._writer, "_chore", broken)
        until(lambda: log.failed is not None)
        with pytest.raises(LogClosedError, match="unforeseen"):
            log.write([("a", 0, None, b"x")])


def test_a_subscriber_that_breaks_harms_nobody(tmp_path: Path) -> None:
    def broken(grown: object) -> None:
        raise RuntimeError("unforeseen")

    seen: list[object] = []
    with Log(tmp_path / "log", TOPICS) as log:
        log.subscribe(broken)
        log.subscribe(seen.append)
        assert log.write([("a", 0, None, b"x")]) == [0]
        assert log.write([("a", 0, None, b"y")]) == [1]
        assert len(seen) == 2 and log.failed is None


def test_compaction_that_is_rolled_back_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.embedded.writer.CHORE_INTERVAL", 0.01)
    with Log(tmp_path / "log", TOPICS) as log:
        chore, failures = log._writer._chore, []

        def failing(connection: sqlite3.Connection) -> Any:
            made = chore(connection)
            if made[1] and len(failures) < 3:
                failures.append(log.size("kept", 0))
                raise sqlite3.OperationalError("disk I/O error")
            return made

        monkeypatch.setattr(log._writer, "_chore", failing)
        for n in range(10):
            log.write([("kept", 0, b"k", b"%d" % n)])
        until(lambda: len(failures) == 3 and log.read_stored("kept", 0, 0) == [(9, b"k", b"9")])
        until(lambda: log.size("kept", 0) == 2)
        assert log.failed is None and log.start("kept", 0) == 9
