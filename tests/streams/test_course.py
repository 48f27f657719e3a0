"""The past replayed, partition by partition: as it was, under the same rules on trial, and under others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from alerts import outcome
from alerts.outcome import AlarmTransition, CommandResult, DispatchChange
from alerts.spells import sendings, spells
from rules.rule import Rule
from streams import course
from streams.bundle import Bundle
from streams.embedded.store import Log
from streams.replay import ReplayError, outcomes
from streams.station import Station
from streams.stretch import Stretch, stretch
from streams.topics import GROUP, OBSERVATIONS, OUTCOMES
from tests.streams.small_site import START, command, debris, frame_of, published, rules, site, tick
from tests.streams.test_station import TOPICS, work


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log(tmp_path / "log.sqlite", TOPICS) as opened:
        yield opened


class Desk:
    """Write a log as it is lived: who acts sees what the engine has said so far."""

    def __init__(self, log: Log) -> None:
        self.log, self.station, self.count = log, Station(0, log, None), 0

    def see(self, *values: bytes) -> None:
        self.log.write([(OBSERVATIONS, 0, None, value) for value in values])
        work(self.log, self.station)

    def alarm(self, scope: str, rule: str = "creep") -> AlarmTransition:
        return next(
            one
            for record in reversed(list(outcomes(self.log, 0)))
            for one in record.outcomes
            if isinstance(one, AlarmTransition) and (one.rule, one.scope) == (rule, scope)
        )

    def dispatch(self) -> DispatchChange:
        return next(
            one
            for record in reversed(list(outcomes(self.log, 0)))
            for one in record.outcomes
            if isinstance(one, DispatchChange)
        )

    def order(self, kind: str, target: str, time: float, **args: object) -> None:
        self.count += 1
        self.see(command(kind, target, "a0", time, f"c{self.count}", **args))

    def rise(self, begin: float, values: list[float]) -> float:
        """Let the first point go through values, ten seconds apart; return when it ends."""
        for place, value in enumerate(values):
            now = begin + 10.0 * place
            self.see(frame_of([(0, now, value), (1, now, 1.0)], now), tick(now + 1))
        return begin + 10.0 * len(values)


def live(log: Log, *, change: Callable[[int], tuple[Rule, ...]] = lambda part: rules()) -> None:
    """Live through a rise, a shelf, a dispatch that is seen to, publications and a rise again."""
    desk = Desk(log)
    desk.see(published(Bundle(site=site(), rules=change(0))), tick(START))
    now = desk.rise(START + 10, [1.0] * 3 + [9.5] * 2 + [12.0] * 5)
    desk.order("shelve", desk.alarm("p0").alarm, now, seconds=60.0, reason="works")
    now = desk.rise(now, [13.0] * 8)
    desk.see(debris(now))
    now = desk.rise(now, [25.0] * 3)
    desk.order("accept", desk.dispatch().dispatch, now)
    desk.order("acknowledge", desk.alarm("p0").incident or "", now)
    desk.order("acknowledge", desk.alarm("p0").incident or "", now)  # refused: it is already
    desk.see(published(Bundle(site=site(points=7, version="v2"), rules=change(1)), "v2", now))
    now = desk.rise(now, [25.0] * 3 + [1.0] * 6)
    desk.see(published(Bundle(site=site(points=7, version="v2"), rules=change(2)), "v3", now))
    desk.rise(now, [1.0] * 3 + [22.0] * 6 + [1.0] * 3)


def whole(log: Log) -> Stretch:
    return stretch(log, 0, log.committed(GROUP, OBSERVATIONS, 0) or 0, None, None)


def test_a_log_that_was_lived_replays_as_it_was_whole_and_by_the_minute(log: Log) -> None:
    live(log)
    found = course.run(log, whole(log))
    assert found.difference is not None and found.difference.agrees and found.difference.transitions > 8
    results = [one for record in outcomes(log, 0) for one in record.outcomes if isinstance(one, CommandResult)]
    assert [one.ok for one in results] == [True, True, True, False]
    counted = 0
    for begin, end in pairwise([None, *(START + 60 * minute for minute in range(1, 8)), None]):
        part = course.run(log, stretch(log, 0, whole(log).stop, begin, end)).difference
        assert part is not None and part.agrees
        counted += part.transitions
    assert counted == found.difference.transitions


@pytest.mark.parametrize("snapshot_at", [3, 20, 45])
def test_it_begins_with_a_snapshot_where_the_log_has_lost_its_beginning(log: Log, snapshot_at: int) -> None:
    live(log)
    station = Station(0, log, 0)
    station.engine.offset = -1
    fresh = Station(0, log, 0)
    fresh.take([(offset, value) for offset, _, value in log.read(OBSERVATIONS, 0, 0, snapshot_at)])
    log.write(fresh.snapshot(log.committed(GROUP, OBSERVATIONS, 0)))

    class Cut:
        def start(self, topic: str, partition: int) -> int:
            return 2 if topic == OBSERVATIONS else 0

        def __getattr__(self, name: str) -> object:
            return getattr(log, name)

    cut: course.Readable = Cut()  # type: ignore[assignment]
    late = Stretch(0, snapshot_at, whole(log).stop)
    found = course.run(cut, late)
    assert found.difference is not None and found.difference.agrees and found.difference.recorded
    assert found.observations == late.stop - snapshot_at
    with pytest.raises(ReplayError, match="no longer holds its first observations"):
        course.run(cut, Stretch(0, 2, late.stop))
    tried = course.run(cut, late, rules())
    assert [one.id for one in tried.transitions] == [one.id for one in found.transitions]


def test_the_first_outcome_that_differs_is_named_with_its_fields(log: Log) -> None:
    live(log)
    third = list(outcomes(log, 0))[3]
    [one] = [one for one in third.outcomes if isinstance(one, AlarmTransition)][:1] or [None]
    assert one is not None
    forged = msgspec.structs.replace(one, level="red", reason="forged")
    record = outcome.Record(0, third.offset, tuple(forged if o is one else o for o in third.outcomes))

    class Forged:
        def read(self, topic: str, *where: int, **limits: int) -> list[tuple[int, bytes | None, bytes]]:
            found = log.read(topic, *where, **limits)
            if topic != OUTCOMES:
                return found
            return [
                (at, key, outcome.encode(record) if outcome.decode(value).offset == third.offset else value)
                for at, key, value in found
            ]

        def __getattr__(self, name: str) -> object:
            return getattr(log, name)

    difference = course.run(Forged(), whole(log)).difference  # type: ignore[arg-type]
    assert difference is not None and difference.changed == [one.id] and difference.first is not None
    assert (difference.first.id, difference.first.offset) == (one.id, third.offset)
    assert difference.first.fields == ["level", "reason"]


def ids(found: course.Course) -> list[str]:
    return [one.id for one in (*found.transitions, *found.dispatches)]


def test_the_same_rules_on_trial_change_nothing(log: Log) -> None:
    live(log)
    was, tried = course.run(log, whole(log)), course.run(log, whole(log), rules())
    assert tried.transitions == was.transitions and tried.dispatches == was.dispatches
    assert (tried.commands, tried.moved, tried.astray) == (3, 0, 0)
    assert tried.crossings == was.crossings


def test_what_was_published_in_the_midst_does_not_count_on_trial(log: Log) -> None:
    live(log, change=lambda part: rules((20.0, 30.0, 60.0)[part]))
    was, tried = course.run(log, whole(log)), course.run(log, whole(log), rules())
    assert was.difference is not None and was.difference.agrees
    assert ids(was) != ids(tried)
    second = START + 250
    assert not any(one.edge == "alarm" and one.scope == "p0" and one.time > second for one in was.transitions)
    assert any(one.level == "orange" and one.time > second for one in tried.transitions)


def test_people_do_to_the_counterpart_what_they_did(log: Log) -> None:
    live(log)
    was, tried = course.run(log, whole(log)), course.run(log, whole(log), rules(18.0))  # from 9 on: begun before
    mine, theirs = (
        [one for one in side.transitions if (one.rule, one.scope) == ("creep", "p0")] for side in (was, tried)
    )
    assert mine[0].alarm != theirs[0].alarm
    assert (tried.commands, tried.moved, tried.astray) == (3, 3, 0)
    for edge in ("shelve", "unshelve", "acknowledge"):
        [at], [then] = ([one.time for one in side if one.edge == edge] for side in (mine, theirs))
        assert at == then
    assert "accepted" in {one.edge for one in tried.dispatches}


def test_commands_whose_target_has_no_counterpart_are_given_to_nobody(log: Log) -> None:
    live(log)
    tried = course.run(log, whole(log), rules(1000.0))
    assert tried.commands == 3 and tried.astray == 3 and tried.moved == 0
    assert not [one for one in tried.transitions if one.rule == "creep"]
    assert not tried.dispatches


def test_rules_that_the_site_of_then_cannot_take_are_refused(log: Log) -> None:
    live(log)
    strange = msgspec.convert(
        [msgspec.to_builtins(one) | {"levels": {"red": {"when": "nonsense > 1"}}} for one in rules()[:1]],
        tuple[Rule, ...],
    )
    with pytest.raises(ReplayError, match="cannot be put in force"):
        course.run(log, whole(log), strange)


def test_spells_and_dispatches_come_out_of_a_course(log: Log) -> None:
    live(log)
    found = course.run(log, whole(log))
    [first, *_] = [one for one in spells(found.transitions, found.transitions_at) if one.rule == "creep"]
    assert (first.scope, first.area) == ("p0", "a0") and "p0" in first.points
    assert [one.unit for one in sendings(found.dispatches, found.dispatches_at)][:1] == ["team"]
