from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts import outcome
from streams import snapshot
from streams.bundle import Bundle
from streams.embedded.store import Log, TopicSpec
from streams.history import columns
from streams.replay import ReplayError, compare, replay_partition
from streams.station import GapError, Output, Station
from streams.topics import GROUP, OBSERVATIONS, OUTCOMES, SCORES, SNAPSHOTS
from tests.streams.small_site import START, debris, frame_of, published, rules, site, tick

TOPICS = {
    OBSERVATIONS: TopicSpec(),
    OUTCOMES: TopicSpec(),
    SCORES: TopicSpec(),
    SNAPSHOTS: TopicSpec(compact=True),
}


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log(tmp_path / "log.sqlite", TOPICS) as opened:
        yield opened


def fill(log: Log, count: int = 40, version: str = "v1") -> None:
    """Write a site, and a point that rises step by step."""
    values = [published(Bundle(site=site(), rules=rules())), tick(START)]
    for n in range(count):
        now = START + 10 * (n + 1)
        if n % 7 == 0:
            values.append(debris(now - 1))
        values.append(frame_of([(0, now, float(n * 3 % 50)), (1, now, 1.0)], now))
        values.append(tick(now + 1))
    log.write([(OBSERVATIONS, 0, None, value) for value in values])


def work(log: Log, station: Station, stop: int | None = None, size: int = 5, snapshot_at: int = -1) -> None:
    """Let a station take what the log holds, committing outputs and offset together, as the worker does."""
    at = log.committed(GROUP, OBSERVATIONS, 0) or 0
    end = log.end(OBSERVATIONS, 0) if stop is None else stop
    while at < end:
        found = log.read(OBSERVATIONS, 0, at, end, limit=size)
        outputs = station.take([(offset, value) for offset, _, value in found])
        at = found[-1][0] + 1
        log.write(outputs, commits=[(GROUP, OBSERVATIONS, 0, at)])
        if at >= snapshot_at >= 0:
            log.write(station.snapshot(log.committed(GROUP, OBSERVATIONS, 0)))
            snapshot_at = -1


def recorded(log: Log) -> list[bytes]:
    return [value for _, _, value in log.read(OUTCOMES, 0, 0, limit=10_000)]


def told_unbroken(folder: Path) -> list[bytes]:
    """Say what a run that nothing breaks off has to tell of `fill`."""
    with Log(folder / "unbroken.sqlite", TOPICS) as log:
        fill(log)
        work(log, Station(0, log, None))
        return recorded(log)


def test_outputs_go_to_the_topics_of_the_same_partition(log: Log) -> None:
    fill(log, 5)
    outputs: list[Output] = Station(0, log, None).take(
        [(offset, value) for offset, _, value in log.read(OBSERVATIONS, 0, 0)]
    )
    assert {(topic, partition) for topic, partition, _, _ in outputs} == {(OUTCOMES, 0), (SCORES, 0)}
    scored = [columns.decode(value) for topic, _, _, value in outputs if topic == SCORES]
    assert sum(len(one.point) for one in scored) == 10
    assert outcome.decode(next(value for topic, _, _, value in outputs if topic == OUTCOMES)).offset == 0


@pytest.mark.parametrize("broken_at", [1, 7, 30, 61])
@pytest.mark.parametrize("snapshot_at", [-1, 1, 20])
def test_a_worker_that_dies_anywhere_says_nothing_twice_and_forgets_nothing(
    log: Log, tmp_path: Path, broken_at: int, snapshot_at: int
) -> None:
    fill(log)
    unbroken = told_unbroken(tmp_path)
    work(log, Station(0, log, None), stop=broken_at, size=3, snapshot_at=snapshot_at)
    work(log, Station(0, log, log.committed(GROUP, OBSERVATIONS, 0)))
    assert recorded(log) == unbroken
    assert len(unbroken) > 5


def test_what_was_taken_but_not_committed_is_said_after_the_restart(log: Log) -> None:
    fill(log)
    station = Station(0, log, None)
    lost = station.take([(offset, value) for offset, _, value in log.read(OBSERVATIONS, 0, 0, limit=30)])
    assert lost  # never written: the worker died first
    again = Station(0, log, log.committed(GROUP, OBSERVATIONS, 0))
    assert again.take([(offset, value) for offset, _, value in log.read(OBSERVATIONS, 0, 0, limit=30)]) == lost


def test_records_the_state_already_holds_are_passed_over(log: Log) -> None:
    fill(log)
    station = Station(0, log, None)
    records = [(offset, value) for offset, _, value in log.read(OBSERVATIONS, 0, 0, limit=30)]
    station.take(records)
    assert station.take(records[10:]) == []
    assert station.gaps == 0


def test_over_a_gap_the_log_is_read_again_and_counted(log: Log) -> None:
    fill(log)
    records = [(offset, value) for offset, _, value in log.read(OBSERVATIONS, 0, 0, limit=60)]
    whole = [value for topic, _, _, value in Station(0, log, None).take(records) if topic == OUTCOMES]
    station = Station(0, log, None)
    outputs = station.take(records[:10]) + station.take(records[25:])
    assert [value for topic, _, _, value in outputs if topic == OUTCOMES] == whole
    assert station.gaps == 1


def test_a_batch_with_a_hole_is_refused(log: Log) -> None:
    fill(log)
    records = [(offset, value) for offset, _, value in log.read(OBSERVATIONS, 0, 0, limit=20)]
    with pytest.raises(GapError, match="not contiguous"):
        Station(0, log, None).take(records[:5] + records[6:])


def test_a_snapshot_is_written_only_when_something_happened(log: Log) -> None:
    fill(log)
    station = Station(0, log, None)
    assert station.snapshot(log.committed(GROUP, OBSERVATIONS, 0)) == []
    work(log, station)
    committed = log.committed(GROUP, OBSERVATIONS, 0)
    assert station.snapshot(committed)
    assert station.snapshot(committed) == []


def test_no_snapshot_is_made_of_what_is_not_committed(log: Log) -> None:
    fill(log)
    station = Station(0, log, None)
    work(log, station, stop=20)
    station.take([(offset, value) for offset, _, value in log.read(OBSERVATIONS, 0, 20, limit=10)])
    assert station.snapshot(log.committed(GROUP, OBSERVATIONS, 0)) == []


def test_a_snapshot_ahead_of_the_commit_is_not_believed(log: Log) -> None:
    fill(log)
    ahead = Station(0, log, None)
    lost = ahead.take([(offset, value) for offset, _, value in log.read(OBSERVATIONS, 0, 0, limit=30)])
    log.write(ahead.snapshot(10_000))  # as a crash between the two would have left it
    again = Station(0, log, log.committed(GROUP, OBSERVATIONS, 0))
    assert again.take([(offset, value) for offset, _, value in log.read(OBSERVATIONS, 0, 0, limit=30)]) == lost


def test_an_unreadable_snapshot_is_replaced_by_reading_the_log(log: Log) -> None:
    fill(log)
    work(log, Station(0, log, None), stop=40)
    whole = Station(0, log, log.committed(GROUP, OBSERVATIONS, 0)).engine.snapshot()
    log.write([(SNAPSHOTS, 0, key, value) for key, value in snapshot.chunks(0, 39, b"\x81\xa6format\x63")])
    assert Station(0, log, log.committed(GROUP, OBSERVATIONS, 0)).engine.snapshot() == whole


class Trimmed:
    """A log of which retention has left what begins at `first`."""

    def __init__(self, log: Log, first: int) -> None:
        self.log, self.first = log, first

    def start(self, topic: str, partition: int) -> int:
        return self.first if topic == OBSERVATIONS else self.log.start(topic, partition)

    def read(
        self, topic: str, partition: int, start: int, stop: int | None = None, limit: int = 1000
    ) -> list[tuple[int, bytes | None, bytes]]:
        return self.log.read(topic, partition, max(start, self.first) if topic == OBSERVATIONS else start, stop, limit)

    def end(self, topic: str, partition: int) -> int:
        return self.log.end(topic, partition)


@pytest.mark.parametrize("snapshot_at", [-1, 20])
def test_what_retention_took_before_a_snapshot_held_it_is_given_up_aloud(
    log: Log, snapshot_at: int, caplog: pytest.LogCaptureFixture
) -> None:
    fill(log)
    work(log, Station(0, log, None), snapshot_at=snapshot_at)
    committed = log.committed(GROUP, OBSERVATIONS, 0)
    assert committed is not None
    station = Station(0, Trimmed(log, 60), committed)
    assert station.engine.offset == committed - 1
    first = 20 if snapshot_at > 0 else 0
    assert station.lost == f"partition 0: observations {first} to 59 are no longer in the log"
    assert station.lost in caplog.text
    station.take([(committed, tick(START + 1000))])  # and goes on
    assert Station(0, Trimmed(log, 0), committed).lost == ""
    if snapshot_at > 0:
        whole = Station(0, Trimmed(log, 20), committed)
        assert whole.lost == "", "what the snapshot holds may go"


def test_it_tells_how_far_it_has_come(log: Log) -> None:
    fill(log, 400)
    committed = log.end(OBSERVATIONS, 0)
    told: list[tuple[int, int]] = []
    Station(0, log, committed, lambda done, total: told.append((done, total)))
    assert 500 < committed < 1000
    assert told == [(500, committed), (committed, committed)]


def test_a_station_that_begins_in_the_middle_says_what_it_found_anew(log: Log) -> None:
    fill(log, 10)
    middle = log.end(OBSERVATIONS, 0)
    fill(log)
    work(log, Station(0, log, None))

    whole = Station(0, log, log.committed(GROUP, OBSERVATIONS, 0))
    station = Station(0, Trimmed(log, middle), log.committed(GROUP, OBSERVATIONS, 0))
    assert (whole.lost, whole.found) == ("", [])
    assert station.lost
    known = station.engine.known()
    told = {getattr(one, "alarm", "") for record in station.found for one in record.outcomes}
    assert known and any(id.startswith("a-") for id in known)
    assert {id for id in known if id.startswith("a-")} <= told
    assert station.engine.offset == whole.engine.offset


def test_replay_agrees_with_the_live_run_and_names_what_does_not(log: Log) -> None:
    fill(log)
    work(log, Station(0, log, None), snapshot_at=20)
    found = compare(log, lambda partition: log.committed(GROUP, OBSERVATIONS, partition) or 0)
    assert found.agrees
    assert (found.observations, found.readings) == (log.end(OBSERVATIONS, 0), 80)
    assert found.transitions > 0
    assert found.same == found.recorded
    assert found.load is not None and found.load.rings > 0
    invented = outcome.Record(0, 3, (outcome.CommandResult(id="never", ok=True, target="x"),))
    log.write([(OUTCOMES, 0, None, outcome.encode(invented))])
    assert compare(log, lambda partition: log.end(OBSERVATIONS, 0)).missing == ["never"]


def test_a_log_without_its_beginning_cannot_be_replayed(log: Log) -> None:
    fill(log)

    class Cut:
        def start(self, topic: str, partition: int) -> int:
            return 5

        def __getattr__(self, name: str) -> object:
            return getattr(log, name)

    with pytest.raises(ReplayError, match="no longer holds"):
        next(replay_partition(Cut(), 0, 10))  # type: ignore[arg-type]
