"""Scores are worked out ahead of a replay's ticks: what comes of it is what the engine does by itself, bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from rules.rule import Rule
from streams import ahead
from streams.ahead import Ahead
from streams.course import _parts, run
from streams.embedded.store import Log
from streams.engine import Applied, Engine
from streams.replay import entries
from streams.stretch import Stretch
from streams.tape import Keeping
from streams.topics import OBSERVATIONS
from tests.streams.lived import Life, every
from tests.streams.test_station import TOPICS


def plain(threshold: float) -> tuple[Rule, ...]:
    """Leave out what the models' bank is asked for at every reading."""
    asks = ("eta(", "warned(", "deviation", "disagrees")
    return tuple(rule for rule in every(threshold) if not any(one in str(rule.levels) for one in asks))


def told(applied: Applied) -> bytes:
    return msgspec.msgpack.encode([applied.records, applied.refused, applied.readings, str(applied.scored)])


@pytest.fixture(scope="module", params=[(1, plain), (2, every)], ids=lambda one: f"{one[0]}-{one[1].__name__}")
def records(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, bytes]]:
    """Live through things of every kind: clocks set back, repeats, history, publications, shadows, a killed engine."""
    seed, kinds = request.param
    with Log(tmp_path_factory.mktemp("lived") / "log.sqlite", TOPICS) as log:
        Life(log, seed, kinds).live(25)
        return [one for batch in entries(log, OBSERVATIONS, 0) for one in batch]


class Watched(Ahead):
    """Count how it went."""

    settled = given_up = 0

    def settle(self) -> None:
        active = self.active
        super().settle()
        self.settled += active and self._ahead is not None

    def give_up(self) -> None:
        self.given_up += self.active
        super().give_up()


@pytest.mark.parametrize("size", [7, 256])
def test_an_engine_decides_the_same_and_stands_the_same(
    records: Sequence[tuple[int, bytes]], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "LEAST", 1)
    monkeypatch.setattr(ahead, "MOST_FOLLOWED", 1.0)
    alone, other = Engine(0), Engine(0)
    kept, keeping = Keeping(), Keeping()
    alone.tape = kept
    head = Watched(other, keeping)
    for start in range(0, len(records), size):
        batch = records[start : start + size]
        for part in _parts(batch):
            expected = alone.apply(part)
            head.look(part)
            found = other.apply(part)
            head.settle()
            assert told(found) == told(expected)
        assert keeping.wind(batch) == kept.wind(batch)
    assert other.snapshot() == alone.snapshot()
    assert head.settled > 3 if size == 7 else head.settled or head.given_up


def test_a_stretch_from_a_kept_state_replays_as_it_was_lived(tmp_path: Path) -> None:
    with Log(tmp_path / "log.sqlite", TOPICS) as log:
        Life(log, 4, plain).live(20)
        found = run(log, Stretch(0, 0, log.end(OBSERVATIONS, 0)))
    assert found.difference is not None and found.difference.agrees and found.difference.replayed
