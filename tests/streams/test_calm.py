"""What nothing can come of is passed over many frames at a time: what is decided, and what is kept, stays the same."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rules.rule import Rule
from sensors.observation import BAD, HISTORICAL, SIMULATED, CameraHealth, Shadow, is_publication
from sensors.site import Gateway, PointKind
from streams import ahead, calm, shadow
from streams.ahead import Ahead
from streams.bundle import Bundle
from streams.calm import Calm
from streams.course import Course, _note, _parts
from streams.engine import Applied, Engine
from streams.tape import Keeping, Known, Piece
from streams.trial import Memory, Trial
from tests.rules.stage import a_rule
from tests.streams.small_site import (
    NAME,
    START,
    command,
    debris,
    frame_of,
    published,
    record,
    rules,
    site,
    source,
    tick,
)

POINTS = 13  # no rule names the last
COUNTED, CODED, EMPTY = 8, 9, 10
ODD, OTHERS = 9, 9
"""Kinds of frames out of the ordinary, and of records that are no frames."""
KINDS: dict[int, PointKind] = {COUNTED: "counter", CODED: "state"}
CLAUSES = (
    "value > {0}",
    "value < 2 and score > 0.5",
    "mean('1 min') > {0}",
    "mean('2 min') < 3",
    "max('30 s') > {0} and min('30 s') < 4",
    "min('20 s') > {0}",
    "sum('1 min') > 900",
    "count('1 min') > 70 and spread('1 min') > 12",
    "spread('1 min') > 30",
    "delta('1 min') > 20",
    "median('1 min') > {0}",
)


def still(threshold: float) -> tuple[Rule, ...]:
    """Make rules that move with readings alone, some on few points: none is bound to the clock or to other points."""
    made = [
        a_rule(f"r{number}", when=one.format(threshold), where={"points": [f"p{number}", f"p{number + 1}"]})
        for number, one in enumerate(CLAUSES)
    ]
    levels = {
        "blue": {"when": f"value > {threshold}", "for": "3 s", "clear_after": "4 s"},
        "red": {"when": f"value > {threshold + 5}", "samples": "2 of 3", "clear": f"value < {threshold - 5}"},
    }
    return (*made, a_rule("all", levels=levels))


class Day:
    """Draw records of a partition in which little happens; `odd` is how often a frame is out of the ordinary."""

    def __init__(self, seed: int, odd: float, kinds: tuple[tuple[Rule, ...], ...]) -> None:
        self.random, self.odd, self.kinds = np.random.default_rng(seed), odd, kinds
        self.now, self.versions = START, 0
        self.silent: dict[int, float] = {}  # points → until when nothing comes of them
        self.level = self.random.uniform(8.0, 12.0, POINTS)

    def records(self, seconds: int) -> Iterator[bytes]:
        yield self.publish()
        yield tick(START)
        yield from self.go_on(seconds)

    def go_on(self, seconds: int) -> Iterator[bytes]:
        level = self.level
        for _ in range(seconds):
            self.now += 1.0
            for turn in range(int(self.random.integers(0, 3))):
                level = np.where(self.random.random(POINTS) < 0.005, self.random.choice([1.0, 10.0, 40.0]), level)
                odd = int(self.random.integers(ODD)) if self.random.random() < self.odd else -1
                yield self.frame(level, 0.45 * turn, odd)
            self.level = level
            if self.random.random() < self.odd / 4:
                yield self.something(int(self.random.integers(OTHERS)))
            if self.random.random() < self.odd:
                yield tick(self.now + 0.5 - float(self.random.choice([0.0, 1.0, 4.0])))  # it is no step back yet
            yield tick(self.now + 0.5)

    def publish(self) -> bytes:
        self.versions += 1
        kinds = self.kinds[self.versions % len(self.kinds)]
        named = f"v{self.versions}"
        content = site(POINTS, version=named)
        points = [msgspec.structs.replace(one, kind=KINDS.get(one.index, "gauge")) for one in content.points]
        gateways: tuple[Gateway, ...] = ()
        self.silent.pop(POINTS - 1, None)
        match int(self.random.integers(4)) if self.versions > 1 else 0:
            case 1:  # it is taken down, and may come back
                del points[-1]
                self.silent[POINTS - 1] = np.inf
            case 2:
                gateways = (Gateway(id="g", name=NAME, silent_after=6.0),)
                points[0] = msgspec.structs.replace(points[0], gateway="g")
        content = msgspec.structs.replace(content, points=tuple(points), gateways=gateways)
        return published(Bundle(site=content, rules=kinds), named, self.now)

    def something(self, what: int) -> bytes:
        match what:
            case 0:
                return self.publish()
            case 1:
                return debris(self.now)
            case 2:
                self.now += float(self.random.choice([20.0, -60.0]))  # nobody listened, or the clock was set back
                return tick(self.now)
            case 3:
                return source("offline", self.now, 1, 2)
            case 4:
                return source("online", self.now, 1, 2)
            case 5:
                faults = {"loss": 1.0} if self.random.random() < 0.5 else {}
                return record(CameraHealth(area="a0", camera="cam", time=self.now, received=self.now, faults=faults))
            case 6 | 7 as kind:
                own = shadow.pack(self.kinds[0]) if kind == 6 else b""
                return record(Shadow(id=f"s{self.now}", rules=own, author="a", reason="r", time=self.now))
        return command("acknowledge", "a-none", "a0", self.now, f"c{self.now}")

    def frame(self, level: np.ndarray, later: float, odd: int) -> bytes:
        random = self.random
        if random.random() < self.odd:
            self.silent[int(random.integers(POINTS))] = self.now + 30.0
        heard = np.array([self.silent.get(point, 0.0) <= self.now for point in range(POINTS)])
        mine = np.flatnonzero((random.random(POINTS) < 0.9) & heard)
        times = self.now - 1.0 + later + 0.3 * random.random(len(mine))
        values = np.round(level[mine] + random.normal(0.0, 0.3, len(mine)), 1)
        values[mine == COUNTED] = np.floor((self.now - START) * 3.0) % 50.0  # it begins anew now and then
        values[mine == CODED] = np.floor(level[CODED])
        values[mine == EMPTY] = random.choice([0.0, -0.0])
        readings = list(zip(mine.tolist(), times.tolist(), values.tolist(), strict=True))
        readings += [(point, time + 0.1, value) for point, time, value in readings if random.random() < 0.1]
        quality, received = 0, self.now + float(random.choice([0.0] * 9 + [1.2]))  # a stamp ahead of the next tick
        match odd:
            case 0 | 1 | 2:
                quality = (HISTORICAL, BAD, SIMULATED)[odd]
            case 3:
                readings = [(point, time - 5.0, value) for point, time, value in readings]
            case 4:
                readings.append((POINTS + 3, self.now, 1.0))
            case 5:
                readings.append((1, self.now + 0.2, float("nan")))
            case 6:
                readings = [(point, time + 30.0, value) for point, time, value in readings[:3]]  # taken back later
            case 7:
                readings = [(point, time, value * 10.0) for point, time, value in readings]
            case 8:
                readings += readings[:2]  # delivered twice
        return frame_of(readings or [(0, self.now, 10.0)], received, quality)


def told(applied: Applied) -> bytes:
    return msgspec.msgpack.encode([applied.records, applied.refused, applied.readings])


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have few readings suffice."""
    monkeypatch.setattr(ahead, "LEAST", 1)
    monkeypatch.setattr(calm, "LEAST", 1)
    monkeypatch.setattr(calm, "MOST_RESTLESS", 0.9)


class Passed(Calm):
    """Count the records that were passed over."""

    count = 0

    def pass_over(self, place: int) -> int:
        after = super().pass_over(place)
        Passed.count += after - place
        return after


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> type[Passed]:
    monkeypatch.setattr("streams.engine.Calm", Passed)
    Passed.count = 0
    return Passed


def scored(piece: Piece) -> list[object]:
    """List what a tape says of the frames of which something was scored; those beside them may be on it or not."""
    found: list[object] = [piece.flats]
    place, since = np.frombuffer(piece.place, "u4"), np.frombuffer(piece.since)
    start = 0
    for offset, count, checksum in piece.frames:
        part = slice(start, start + count)
        if any(piece.said[part]):
            own = (place >= start) & (place < start + count)
            score = np.frombuffer(piece.score)[part].tobytes()
            found.append((offset, checksum, score, piece.said[part], since[own].tobytes()))
        start += count
    return found


def lived(records: list[tuple[int, bytes]], size: int) -> int:
    """Hold an engine that passes over what it can against one that does not; return how many changes there were."""
    alone, other = Engine(0), Engine(0)
    kept, keeping = Keeping(), Keeping()
    alone.tape = kept
    head, changes = Ahead(other, keeping), 0
    tried, trying = Engine(0), Engine(0)
    known = Known()
    by_tape, by_models = Trial(tried, still(14.0), Memory(), known), Trial(trying, still(14.0), Memory())
    courses = Course(partition=0), Course(partition=0)
    for start in range(0, len(records), size):
        batch = records[start : start + size]
        for part in _parts(batch):
            expected = alone.apply(part)
            head.look(part)
            assert told(other.apply(part)) == told(expected)
            head.settle()
            changes += len(expected.records)
            if is_publication(part[0][1]):
                kept.published(part[0][0], alone.bank)
                keeping.published(part[0][0], other.bank)
        piece = kept.wind(batch)
        assert scored(keeping.wind(batch)) == scored(piece)
        known.load([piece])
        for part in _parts(batch):
            for one, side in zip((by_tape, by_models), courses, strict=True):
                for applied in one.apply(part):
                    _note(side, applied)
        assert courses[0] == courses[1] and not known.missed
        assert other.snapshot() == alone.snapshot()
    rows, models = (msgspec.msgpack.decode(one.snapshot()) for one in (tried, trying))
    assert {name: rows[name] for name in ("rows", "rules", "seen", "desk")} == {
        name: models[name] for name in ("rows", "rules", "seen", "desk")
    }
    return changes


@pytest.mark.usefixtures("small")
@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.05, 0.15]), st.sampled_from([40, 200]))
@example(seed=2, odd=0.05, size=200)  # a time of the future is taken back in the midst of a batch
def test_an_engine_decides_the_same_and_stands_the_same(seed: int, odd: float, size: int) -> None:
    day = Day(seed, odd, (still(15.0), still(20.0), still(15.0), rules(15.0)))
    lived(list(enumerate(day.records(40))), size)


@pytest.mark.usefixtures("small")
def test_most_of_a_quiet_day_is_passed_over_and_alarms_are_raised_all_the_same(passed: type[Passed]) -> None:
    records = list(enumerate(Day(3, 0.0, (still(15.0),)).records(80)))
    assert lived(records, 256) > 3
    assert passed.count > 0.7 * 2 * len(records)


@pytest.mark.usefixtures("small")
def test_whatever_comes_between_quiet_parts_is_heeded(passed: type[Passed]) -> None:
    day = Day(6, 0.0, (still(15.0), still(20.0)))

    def records() -> Iterator[bytes]:
        yield from day.records(5)
        for kind in range(ODD):
            yield day.frame(day.level, 0.9, kind)
            yield from day.go_on(4)
        for kind in (*range(3, OTHERS), 0, 1, 2):  # last the clock: of one that was set back nothing is passed over
            yield day.something(kind)
            yield from day.go_on(4)

    lived(list(enumerate(records())), 12)  # what stands is compared after each of these
    assert passed.count > 0


@pytest.mark.usefixtures("small")
def test_nothing_is_passed_over_where_a_rule_goes_by_the_clock(passed: type[Passed]) -> None:
    records = list(enumerate(Day(4, 0.0, (rules(15.0),)).records(30)))
    engine = Engine(0)
    head = Ahead(engine)
    for part in _parts(records):
        head.look(part)
        engine.apply(part)
        head.settle()
    assert passed.count == 0
