"""What nothing can come of is passed over many frames at a time: what is decided, and what is kept, stays the same."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rules.rule import Rule
from sensors.observation import BAD, HISTORICAL, is_publication
from streams import ahead, calm
from streams.ahead import Ahead
from streams.bundle import Bundle
from streams.calm import Calm
from streams.course import Course, _note, _parts
from streams.engine import Applied, Engine
from streams.tape import Keeping, Known, Piece
from streams.trial import Memory, Trial
from tests.rules.stage import a_rule
from tests.streams.small_site import START, command, debris, frame_of, published, rules, site, tick

POINTS = 12
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

    def records(self, seconds: int) -> Iterator[bytes]:
        yield self.publish()
        yield tick(START)
        level = self.random.uniform(8.0, 12.0, POINTS)
        for _ in range(seconds):
            self.now += 1.0
            for turn in range(int(self.random.integers(0, 3))):
                level = np.where(self.random.random(POINTS) < 0.005, self.random.choice([1.0, 10.0, 40.0]), level)
                yield self.frame(level, 0.45 * turn)
            if self.random.random() < self.odd / 4:
                yield self.something()
            yield tick(self.now + 0.5)

    def publish(self) -> bytes:
        self.versions += 1
        kinds = self.kinds[self.versions % len(self.kinds)]
        named = f"v{self.versions}"
        return published(Bundle(site=site(POINTS, version=named), rules=kinds), named, self.now)

    def something(self) -> bytes:
        match int(self.random.integers(4)):
            case 0:
                return self.publish()
            case 1:
                return debris(self.now)
            case 2:
                self.now += float(self.random.choice([20.0, -60.0]))  # nobody listened, or the clock was set back
                return tick(self.now)
        return command("acknowledge", "a-none", "a0", self.now, f"c{self.now}")

    def frame(self, level: np.ndarray, later: float) -> bytes:
        random = self.random
        mine = np.flatnonzero(random.random(POINTS) < 0.9)
        times = self.now - 1.0 + later + 0.3 * random.random(len(mine))
        values = np.round(level[mine] + random.normal(0.0, 0.3, len(mine)), 1)
        readings = list(zip(mine.tolist(), times.tolist(), values.tolist(), strict=True))
        readings += [(point, time + 0.1, value) for point, time, value in readings if random.random() < 0.1]
        quality, received = 0, self.now + float(random.choice([0.0] * 9 + [1.2]))  # a stamp ahead of the next tick
        if random.random() < self.odd:
            match int(random.integers(6)):
                case 0:
                    quality = int(random.choice([HISTORICAL, BAD]))
                case 1:
                    readings = [(point, time - 5.0, value) for point, time, value in readings]
                case 2:
                    readings.append((POINTS + 3, self.now, 1.0))
                case 3:
                    readings.append((1, self.now + 0.2, float("nan")))
                case 4:
                    readings = [(point, time + 30.0, value) for point, time, value in readings[:3]]  # taken back later
                case 5:
                    readings = [(point, time, value * 10.0) for point, time, value in readings]
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
    day = Day(seed, odd, (still(15.0), still(20.0)))
    lived(list(enumerate(day.records(40))), size)


@pytest.mark.usefixtures("small")
def test_most_of_a_quiet_day_is_passed_over_and_alarms_are_raised_all_the_same(passed: type[Passed]) -> None:
    records = list(enumerate(Day(3, 0.0, (still(15.0),)).records(80)))
    assert lived(records, 256) > 3
    assert passed.count > 0.7 * 2 * len(records)


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
