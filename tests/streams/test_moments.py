"""States kept over the retained log: how many, which, and that any past hour can be replayed from them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from streams import course
from streams.embedded.store import Log
from streams.moments import DAY, FOLDER, HOUR, Moment, Moments, engine_before, moments_of, unwanted
from streams.past import engine_at
from streams.replay import ReplayError
from streams.stretch import Stretch
from streams.topics import OBSERVATIONS
from tests.streams.small_site import START, rules
from tests.streams.test_course import ids, live, whole
from tests.streams.test_station import TOPICS


def kept(*clocks: float, size: int = 10) -> list[Moment]:
    return [Moment(int(clock), clock, Path(f"0-{int(clock)}-{int(clock)}.state"), size) for clock in clocks]


def clocks(some: list[Moment]) -> list[float]:
    return [one.clock for one in some]


def test_a_month_is_kept_as_a_day_of_hours_and_a_day_each_before() -> None:
    left: list[Moment] = []
    for hour in range(30 * 24):
        left += kept(1000 * DAY + hour * HOUR)
        gone = unwanted(left, 0, float("inf"))
        left = [one for one in left if one not in gone]
        assert len(left) <= 25 + 30
    ages = [(left[-1].clock - one.clock) / HOUR for one in left]
    assert ages[-25:] == list(range(24, -1, -1))
    assert max(b.clock - a.clock for a, b in pairwise(left)) <= DAY
    assert ages[0] >= 28 * 24


def test_beyond_the_bytes_the_smallest_hole_is_made_and_the_oldest_stays() -> None:
    some = kept(0.0, 10 * DAY, 20 * DAY, 20 * DAY + 2 * HOUR, 20 * DAY + 4 * HOUR)
    assert clocks(unwanted(some, 0, 40)) == [20 * DAY + 2 * HOUR]
    assert clocks(unwanted(some, 0, 20)) == [20 * DAY + 2 * HOUR, 20 * DAY, 10 * DAY]
    assert clocks(unwanted(some, 0, 10))[-1] == 20 * DAY + 4 * HOUR
    assert len(unwanted(some, 0, 0)) == 5


def test_what_the_log_no_longer_goes_on_from_is_dropped() -> None:
    assert clocks(unwanted(kept(1 * HOUR, 3 * HOUR, 5 * HOUR), int(3 * HOUR) + 1, float("inf"))) == [HOUR]


def test_one_is_due_every_hour_and_after_the_clock_was_set_back(tmp_path: Path) -> None:
    moments = Moments(tmp_path, 0)
    assert moments.due(START) and not moments.due(0.0)
    moments.keep(5, START, [b"state"], 0)
    assert not moments.due(START + 3599) and moments.due(START + 3600) and moments.due(START - 60)
    assert not Moments(tmp_path, 0).due(START + 10) and Moments(tmp_path, 1).due(START + 10)


def test_a_folder_that_cannot_be_written_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    moments = Moments(tmp_path / "file", 0)
    moments.keep(5, START, [b"state"], 0)
    assert moments.all() == [] and not moments.due(START + 1)


class Cut:
    """A log that has lost its beginning, and its newest snapshot too."""

    def __init__(self, log: Log, start: int) -> None:
        self._log, self._start = log, start

    def start(self, topic: str, partition: int) -> int:
        return self._start if topic == OBSERVATIONS else self._log.start(topic, partition)

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log(tmp_path / "log.sqlite", TOPICS) as opened:
        live(opened)
        moments = Moments(tmp_path / FOLDER, 0)
        for stop in (10, 30, 50):
            engine = course.begin(opened, Stretch(0, 0, stop))
            engine.apply([(at, value) for at, _, value in opened.read(OBSERVATIONS, 0, 0, stop)])
            moments.keep(engine.offset, engine.clock + 4000.0 * stop, engine.freeze(), 0)
        yield opened


def test_any_past_hour_is_replayed_from_the_newest_state_before_it(log: Log) -> None:
    cut: course.Readable = Cut(log, 5)  # type: ignore[assignment]
    stop = whole(log).stop
    for first, spared in ((11, 10), (29, 10), (30, 30), (49, 30), (60, 50)):
        found = course.run(cut, Stretch(0, first, stop))
        assert found.difference is not None and found.difference.agrees and found.difference.recorded
        assert found.observations == stop - spared


def test_where_the_log_no_longer_holds_the_hour_it_says_from_when_on_it_does(log: Log) -> None:
    cut: course.Readable = Cut(log, 5)  # type: ignore[assignment]
    with pytest.raises(ReplayError, match=r"no longer holds its first .* 2026-01-01 .* first state kept is of 2026-"):
        course.run(cut, Stretch(0, 6, whole(log).stop))
    with pytest.raises(ReplayError, match="no state of the engine was kept"):
        course.run(Cut(log, 52), Stretch(0, 53, whole(log).stop))  # type: ignore[arg-type]


def test_other_rules_go_on_from_a_kept_state_where_the_beginning_is_gone(log: Log) -> None:
    cut: course.Readable = Cut(log, 5)  # type: ignore[assignment]
    where = Stretch(0, 30, whole(log).stop)
    was, tried = course.run(cut, where), course.run(cut, where, rules())
    assert ids(tried) == ids(was) and tried.observations == was.observations


def test_a_damaged_state_is_passed_over(log: Log) -> None:
    newest = moments_of(log, 0)[-1]
    newest.file.write_bytes(b"nonsense")
    engine = engine_before(log, 0, 60)
    assert engine is not None and engine.offset == 29
    assert engine_before(log, 0, 60, 0.0) is None


def test_the_state_at_a_moment_begins_with_one_that_was_kept(log: Log) -> None:
    cut: course.Readable = Cut(log, 5)  # type: ignore[assignment]
    engine = engine_at(cut, 0, 40)
    assert engine.offset == 39 and engine_at(cut, 0, 31).offset == 30
    with pytest.raises(ReplayError, match="no longer holds"):
        engine_at(cut, 0, 9)
