"""Replay of the quarantine into the log: exactly once, whatever breaks in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from sensors import frame, quarantine
from sensors.intake import Intake
from sensors.lookup import Registry
from sensors.observation import HISTORICAL
from sensors.push import Push, Reading
from sensors.quarantine import BusyError, Query
from sensors.redecoding import arrivals_of
from sensors.site import Site
from streams.embedded.store import Log, TopicSpec
from streams.quarantine import replay as module
from streams.quarantine.alone import alone
from streams.quarantine.replay import Record, Replay, Tally
from streams.topics import OBSERVATIONS, QUARANTINE
from tests.streams.small_site import START, site

TOPICS = {OBSERVATIONS: TopicSpec(partitions=1), QUARANTINE: TopicSpec()}


class Worker:
    """A log that takes records, and dies when it is told to."""

    def __init__(self, folder: Path) -> None:
        self.log = Log(folder / "log.sqlite", TOPICS)
        self.dies: str = ""  # "before" or "after" it has written
        self.writes = 0

    async def produce(self, records: Sequence[Record]) -> list[int]:
        if self.dies == "before":
            raise ConnectionError("it is gone")
        offsets = await asyncio.to_thread(self.log.write, list(records))
        self.writes += 1
        if self.dies == "after":
            raise ConnectionError("it is gone")
        return offsets

    def refuse(self, content: Site, *messages: tuple[str, bytes]) -> None:
        """Have a bridge with this site refuse messages."""
        bridge = Intake(Registry(content))
        for number, (topic, payload) in enumerate(messages):
            batch = bridge.take(arrivals_of(bridge, topic, payload), START + number)
            self.log.write([(topic, partition, None, value) for topic, partition, value in batch.records])

    def replay(self, content: Site, query: Query | None = None, most: int = 1000, **options: bool) -> Tally:
        run = Replay(self.log.path, content, self.produce, "user:li", clock=lambda: START + 100)
        return asyncio.run(run.run(query or Query(), most=most, **options))

    @property
    def readings(self) -> list[tuple[int, float, int]]:
        found = []
        for _, _, value in self.log.read(OBSERVATIONS, 0, 0):
            one = frame.decode(value)
            found += list(zip(one.point.tolist(), one.value.tolist(), one.quality.tolist(), strict=True))
        return found


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    return Worker(tmp_path)


def message(point: int, value: float = 1.0) -> tuple[str, bytes]:
    return f"foreshock/readings/a{point % 3}/p{point}", str(value).encode()


def test_points_added_later_take_their_readings_once(worker: Worker) -> None:
    worker.refuse(site(2), message(3, 30), message(4, 40), ("foreshock/readings/a0/p0", b"junk"))
    first = worker.replay(site())
    assert first.outcomes == {"accepted": 2, "refused": 1}
    assert (first.readings, first.refused) == (2, {"malformed": 1})
    assert worker.readings == [(3, 30.0, HISTORICAL), (4, 40.0, HISTORICAL)]
    second = worker.replay(site())
    assert second.outcomes == {"refused": 1, "taken_before": 2} and second.readings == 0
    assert len(worker.readings) == 2


def test_a_push_that_was_sent_and_refused_again_and_again_is_taken_once(worker: Worker) -> None:
    door = Push(Registry(site(2)))
    for number in range(3):  # the same id gives the same stamp
        pushed = door.take([Reading("p3", 30.0), Reading("p4", 40.0)], START, START + number, "gateway")
        worker.log.write([(topic, partition, None, value) for topic, partition, value in pushed.records])
    door = Push(Registry(site(2)))
    other = door.take([Reading("p3", 31.0)], START + 5, START + 5, "gateway")
    worker.log.write([(topic, partition, None, value) for topic, partition, value in other.records])
    assert worker.replay(site(), dry_run=True).outcomes == worker.replay(site()).outcomes
    assert [value for _, value, _ in worker.readings] == [30.0, 40.0, 31.0]
    again = worker.replay(site())
    assert again.readings == 0 and set(again.outcomes) == {"taken_before"}


def test_a_dry_run_says_the_same_and_changes_nothing(worker: Worker) -> None:
    worker.refuse(site(2), message(3), message(4))
    said = worker.replay(site(), dry_run=True)
    assert worker.writes == 0 and worker.readings == []
    assert msgspec.structs.replace(said, dry_run=False) == worker.replay(site())


@pytest.mark.parametrize(("dies", "then"), [("before", 4), ("after", 2)])
def test_a_crash_in_the_middle_neither_loses_nor_repeats(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, dies: str, then: int
) -> None:
    monkeypatch.setattr(module, "SLICE", 2)
    worker.refuse(site(1), *(message(point) for point in (1, 2, 3, 4)))
    worker.dies = dies
    with pytest.raises(ConnectionError):
        worker.replay(site())
    worker.dies = ""
    assert worker.replay(site()).readings == then
    assert sorted(point for point, _, _ in worker.readings) == [1, 2, 3, 4]
    assert worker.replay(site()).readings == 0


def test_a_message_with_several_reasons_is_replayed_once_whichever_is_asked_for(worker: Worker) -> None:
    payload = b'{"points": ["p0", "p1", "p3"], "values": [null, 1, 3], "time": %d}' % START
    worker.refuse(site(2), ("foreshock/frames/a0", payload))
    assert worker.replay(site(), Query(reason="not_finite")).readings == 1
    assert worker.replay(site(), Query(reason="unknown_point")).readings == 0
    assert worker.replay(site()).readings == 0
    assert [point for point, _, quality in worker.readings if quality & HISTORICAL] == [3]


@pytest.mark.parametrize("slice", [1, 2, 3])
def test_a_message_with_several_reasons_counts_once_wherever_a_slice_ends(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, slice: int
) -> None:
    monkeypatch.setattr(module, "SLICE", slice)
    payload = b'{"points": ["p0", "p1", "p3"], "values": [null, 1, 3], "time": %d}' % START
    frames = [("foreshock/frames/a0", payload)] * 3
    worker.refuse(site(2), *frames, message(4))
    whole = worker.replay(site(), dry_run=True)
    assert (whole.messages, sum(whole.outcomes.values()), whole.following) == (4, 4, None)
    seen, at = 0, 0
    while True:
        run = Replay(worker.log.path, site(), worker.produce, "user:li")
        part = asyncio.run(run.run(Query(), dry_run=True, start=at, most=1))
        seen += part.messages
        if part.following is None:
            break
        at = part.following
    assert seen == 4
    assert worker.replay(site(), Query(reason="not_finite"), dry_run=True).messages == 3


def test_only_what_is_asked_for_is_replayed(worker: Worker) -> None:
    worker.refuse(site(1), message(3), message(4), message(5))
    assert worker.replay(site(), Query(topic="/p4")).readings == 1
    assert worker.replay(site(), Query(until=START)).readings == 1
    assert [point for point, _, _ in worker.readings] == [4, 3]


def test_a_replay_stops_at_its_limit_and_says_where_to_go_on(worker: Worker) -> None:
    worker.refuse(site(1), *(message(point) for point in (1, 2, 3)))
    first = worker.replay(site(), most=2)
    assert (first.messages, first.following) == (2, 2)
    run = Replay(worker.log.path, site(), worker.produce, "user:li")
    rest = asyncio.run(run.run(Query(), start=first.following or 0))
    assert (rest.messages, rest.readings, rest.following) == (1, 1, None)


def test_the_mark_says_who_and_with_which_site(worker: Worker) -> None:
    worker.refuse(site(1), message(3))
    worker.replay(site(version="v2"))
    [mark] = [quarantine.decode_mark(value) for _, key, value in worker.log.read(QUARANTINE, 0, 0) if key]
    assert (mark.offset, mark.actor, mark.version, mark.readings) == (0, "user:li", "v2", 1)


def test_one_replay_at_a_time(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(BusyError, match="under way"), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass


def test_a_log_without_a_quarantine_has_nothing_to_replay(tmp_path: Path) -> None:
    with Log(tmp_path / "log.sqlite", {OBSERVATIONS: TopicSpec()}):
        pass

    async def produce(records: Sequence[Record]) -> list[int]:
        raise AssertionError("there is nothing to write")

    assert asyncio.run(Replay(tmp_path / "log.sqlite", site(), produce, "a").run(Query())).messages == 0
