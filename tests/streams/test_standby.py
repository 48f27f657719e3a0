from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams import snapshot
from streams.bundle import Bundle
from streams.embedded.schema import LogUnavailableError
from streams.embedded.store import Log
from streams.standby import AGAIN, Standbys
from streams.station import Station
from streams.topics import GROUP, OBSERVATIONS, SNAPSHOTS
from tests.streams.small_site import published, rules, site
from tests.streams.test_station import TOPICS, Trimmed, fill, recorded, told_unbroken, work


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log(tmp_path / "log.sqlite", TOPICS) as opened:
        yield opened


class Clock:
    time = 0.0

    def __call__(self) -> float:
        return self.time


class Cut(Trimmed):
    def committed(self, group: str, topic: str, partition: int) -> int | None:
        return self.log.committed(group, topic, partition)

    def seen_end(self, topic: str, partition: int) -> int:
        return self.log.seen_end(topic, partition)


def standbys(log: Log, clock: Clock | None = None) -> Standbys:
    return Standbys(lambda: log, GROUP, clock or Clock())


def committed(log: Log) -> int | None:
    return log.committed(GROUP, OBSERVATIONS, 0)


@pytest.mark.parametrize("seen_at", [1, 6, 29])
@pytest.mark.parametrize("died_at", [30, 61])
@pytest.mark.parametrize("snapshot_at", [-1, 20])
def test_who_takes_over_a_standby_says_what_an_unbroken_run_says(
    log: Log, tmp_path: Path, seen_at: int, died_at: int, snapshot_at: int
) -> None:
    fill(log)
    unbroken = told_unbroken(tmp_path)
    kept, owner = standbys(log), Station(0, log, None)
    for stop in (seen_at, died_at):
        work(log, owner, stop=stop, size=3, snapshot_at=snapshot_at)
        if stop == seen_at:
            asyncio.run(kept.look([0]))
    taken = asyncio.run(kept.take(0, committed(log)))
    assert taken is not None and taken.engine.offset + 1 == committed(log)
    assert taken.engine.snapshot() == Station(0, log, committed(log)).engine.snapshot()
    work(log, taken)
    assert recorded(log) == unbroken and len(unbroken) > 5
    assert len(kept) == 0


def test_its_first_snapshot_is_written_beside_the_newest_of_the_owner_before(log: Log) -> None:
    fill(log)
    kept, owner = standbys(log), Station(0, log, None)
    work(log, owner, stop=20)
    asyncio.run(kept.look([0]))
    log.write(owner.snapshot(committed(log)))  # under other keys than when the standby was made
    work(log, owner, stop=40)
    taken = asyncio.run(kept.take(0, committed(log)))
    assert taken is not None
    log.write(taken.snapshot(committed(log)))
    whole = [snapshot.newest([value]) for _, _, value in log.read(SNAPSHOTS, 0, 0)]
    assert len({one.turn for one in whole if one is not None}) == 2


def test_a_state_that_its_owner_began_anew_is_not_gone_by(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    fill(log)
    clock = Clock()
    kept, owner = standbys(log, clock), Station(0, log, None)
    work(log, owner)
    asyncio.run(kept.look([0]))
    assert len(kept) == 1
    log.write([(OBSERVATIONS, 0, None, published(Bundle(site=site(), rules=rules())))])  # as after a loss
    work(log, owner)
    with caplog.at_level(logging.WARNING):
        asyncio.run(kept.look([0]))
    assert len(kept) == 0 and "began anew" in caplog.text
    assert asyncio.run(kept.take(0, committed(log))) is None


def test_what_is_in_force_is_known_at_each_publication_that_is_read_at_once(log: Log) -> None:
    fill(log)
    kept, owner = standbys(log), Station(0, log, None)
    work(log, owner)
    asyncio.run(kept.look([0]))
    first, other = (published(Bundle(site=site(), rules=rules()), version=one) for one in ("v1", "v2"))
    for content in (other, first):  # changed, and changed back
        log.write([(OBSERVATIONS, 0, None, content)])
    work(log, owner)
    asyncio.run(kept.look([0]))
    assert len(kept) == 1
    for content in (other, other):  # the second time as after a loss
        log.write([(OBSERVATIONS, 0, None, content)])
    work(log, owner)
    asyncio.run(kept.look([0]))
    assert len(kept) == 0


def test_what_the_log_no_longer_holds_is_tried_again_later(log: Log) -> None:
    fill(log)
    clock = Clock()
    trimmed, owner = Cut(log, 0), Station(0, log, None)
    kept = Standbys(lambda: trimmed, GROUP, clock)
    work(log, owner, stop=10)
    asyncio.run(kept.look([0]))
    work(log, owner)
    log.write(owner.snapshot(committed(log)))
    trimmed.first = committed(log) or 0
    asyncio.run(kept.look([0]))
    assert len(kept) == 0, "what came between is gone"
    clock.time = AGAIN - 1
    asyncio.run(kept.look([0]))
    assert len(kept) == 0
    clock.time = AGAIN
    asyncio.run(kept.look([0]))
    assert len(kept) == 1, "the snapshot has it all"


class Dumb(Cut):
    """A log that does not answer what `mute` names."""

    mute = ""

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        if self.mute == "committed":
            raise RuntimeError("NodeNotReadyError")  # as aiokafka's, which is no error of a log
        return super().committed(group, topic, partition)

    def read(
        self, topic: str, partition: int, start: int, stop: int | None = None, limit: int = 1000
    ) -> list[tuple[int, bytes | None, bytes]]:
        if self.mute == "read":
            raise LogUnavailableError("Kafka did not answer")
        return super().read(topic, partition, start, stop, limit)


@pytest.mark.parametrize("mute", ["committed", "read"])
def test_a_log_that_does_not_answer_for_a_while_costs_no_standby(log: Log, mute: str) -> None:
    fill(log)
    dumb, owner = Dumb(log, 0), Station(0, log, None)
    kept = Standbys(lambda: dumb, GROUP, Clock())
    work(log, owner, stop=20)
    asyncio.run(kept.look([0]))
    work(log, owner, stop=40)
    dumb.mute = mute
    asyncio.run(kept.look([0, 1]))
    assert len(kept) == 1, "as when one machine dies, with a broker and a run on it"
    dumb.mute = ""
    taken = asyncio.run(kept.take(0, committed(log)))
    assert taken is not None and taken.engine.offset + 1 == 40


def test_no_standby_is_kept_of_what_is_ones_own(log: Log) -> None:
    fill(log, 5)
    kept, owner = standbys(log), Station(0, log, None)
    work(log, owner)
    asyncio.run(kept.look([0]))
    asyncio.run(kept.look([]))
    assert len(kept) == 0


def test_a_state_that_was_given_up_stays_as_a_standby(log: Log) -> None:
    fill(log)
    kept, owner = standbys(log), Station(0, log, None)
    work(log, owner, stop=20)
    kept.keep(0, owner)
    work(log, Station(0, log, committed(log)), stop=40)
    asyncio.run(kept.look([0]))
    assert owner.engine.offset + 1 == 40
    assert asyncio.run(kept.take(0, committed(log))) is owner


def test_a_state_that_broke_half_way_is_not_gone_by(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(log)
    kept, owner = standbys(log), Station(0, log, None)
    work(log, owner, stop=10)
    asyncio.run(kept.look([0]))
    work(log, owner, stop=20)

    def torn(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("streams.engine.Engine.apply", torn)
        asyncio.run(kept.look([0]))
    assert len(kept) == 0
