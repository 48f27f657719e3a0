"""The engine as it stood at a moment of the recorded past."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rules.explanation import Standing
from rules.why import standing
from streams.embedded.store import Log
from streams.engine import Engine
from streams.past import engine_at
from streams.replay import ReplayError
from streams.station import Station
from streams.topics import GROUP, OBSERVATIONS
from tests.streams.small_site import START
from tests.streams.test_station import TOPICS, fill, work


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log(tmp_path / "log.sqlite", TOPICS) as opened:
        yield opened


def where(engine: Engine, rule: str = "creep", scope: str = "p0") -> Standing:
    assert engine.evaluator is not None
    found = standing(engine.evaluator, rule, scope)
    assert found is not None
    return found


def test_a_rule_stands_where_it_stood_at_any_moment_whatever_snapshot_there_is(log: Log) -> None:
    fill(log)
    stop = log.end(OBSERVATIONS, 0)
    before = [where(engine_at(log, 0, stop, START + seconds)) for seconds in (25, 75, 155, 300)]
    assert [one.level for one in before] == ["", "yellow", "red", "red"]
    work(log, Station(0, log, 0), snapshot_at=60)
    assert [where(engine_at(log, 0, stop, START + seconds)) for seconds in (25, 75, 155, 300)] == before
    assert engine_at(log, 0, log.committed(GROUP, OBSERVATIONS, 0) or 0).offset == stop - 1


def test_every_level_says_what_it_asks_and_what_there_is(log: Log) -> None:
    fill(log)
    found = where(engine_at(log, 0, log.end(OBSERVATIONS, 0), START + 75))
    assert [one.level for one in found.levels] == ["yellow", "orange", "red"]
    yellow, orange, _ = found.levels
    assert [(term.name, term.value, term.threshold, term.holds) for term in orange.why.terms] == [
        ("value", 18.0, 20.0, False)
    ]
    assert orange.held is None and yellow.held is not None and yellow.held >= 20.0
    assert yellow.why.clear == "value < 5.0"


def test_a_scope_that_the_rule_does_not_cover_has_no_standing(log: Log) -> None:
    fill(log)
    engine = engine_at(log, 0, log.end(OBSERVATIONS, 0))
    assert engine.evaluator is not None
    assert standing(engine.evaluator, "creep", "nobody") is None


def test_what_retention_has_taken_is_said(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(log)
    monkeypatch.setattr(log, "start", lambda topic, partition: 3 if topic == OBSERVATIONS else 0)
    with pytest.raises(ReplayError, match="no longer holds its first observations"):
        engine_at(log, 0, log.end(OBSERVATIONS, 0), START + 25)
