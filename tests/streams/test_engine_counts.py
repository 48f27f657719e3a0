"""Counts of events in the engine: alarms that say how many, the same in any batches and over snapshots."""

from __future__ import annotations

import numpy as np
import pytest

from alerts.outcome import AlarmTransition, Record
from models.counts import Counts
from models.repeats import DAY
from sensors.observation import CameraEvent, Report
from streams.bundle import Bundle
from streams.engine import Engine
from tests.rules.stage import a_rule
from tests.streams.small_site import START, published, record, site, tick
from tests.streams.test_engine import flat, play, same

SURGE = a_rule("surge", when="surge('person', '1m') > 0.999", scope="area")
RISE = a_rule("rise", when="rising('family-dispute', '28d') > 0.98", scope="area")
CONTENT = Bundle(site=site(), rules=(SURGE, RISE))


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let counts be known after some minutes: two days of ticks would take a minute to play."""
    monkeypatch.setattr(Counts, "learning", lambda self: self.learnt < 10)


def scene() -> list[bytes]:
    """One or two people a minute for a quarter of an hour, then many; and a report about one person now and then."""
    random = np.random.default_rng(3)
    values, now = [published(CONTENT), tick(START)], START
    for step in range(12 * 20):
        now += 5.0
        for n in range(6 if 12 * 17 <= step < 12 * 17 + 3 else int(random.random() < 0.1)):
            seen = CameraEvent(
                area="a0", camera="cam", kind="person", event=f"{step}.{n}", time=now, received=now, zones=("gate",)
            )
            values.append(record(seen))
        values.append(tick(now))
    for number, day in enumerate((0.5, 9.0, 16.0, 20.0)):
        at = now + day * DAY
        told = Report(id=f"r{number}", area="a0", category="family-dispute", time=at, received=at, subject="h")
        values += [tick(at), record(told), tick(at + 1.0)]
    return values


def alarms(records: list[Record]) -> list[AlarmTransition]:
    return [one for one in flat(records, AlarmTransition) if one.edge == "alarm"]


def test_a_surge_and_a_rise_are_alarms_that_say_how_many_and_how_rare_in_both_languages() -> None:
    surge, rise = alarms(play(scene()))
    assert (surge.rule, surge.scope, rise.rule, rise.scope) == ("surge", "a0", "rise", "a0")
    assert surge.explanation is not None and rise.explanation is not None
    assert "× person" in surge.explanation.score_reason and "1 分钟内 person 出现" in surge.explanation.score_reason_zh
    assert "4 reports of family-dispute about one person" in rise.explanation.score_reason
    assert "逐周 0 · 1 · 1 · 2" in rise.explanation.score_reason_zh
    assert surge.explanation.cameras == ("cam",)


@pytest.mark.parametrize("cuts", [[1], list(range(0, 400, 7)), list(range(400))])
def test_cutting_the_log_into_other_batches_changes_nothing(cuts: list[int]) -> None:
    assert same(play(scene(), cuts)) == same(play(scene()))


@pytest.mark.parametrize("at", [5, 120, 235, 300])
def test_a_snapshot_goes_on_as_if_nothing_had_been(at: int) -> None:
    values = scene()
    engine = Engine(0)
    before = play(values[:at], engine=engine)
    after = play(values[at:], engine=Engine.restore(engine.snapshot()))
    assert same(before + after) == same(play(values))


def test_a_publication_keeps_what_was_counted_for_rules_that_ask_the_same() -> None:
    engine = Engine(0)
    play(scene()[:200], engine=engine)
    assert engine.evaluator is not None
    learnt = engine.evaluator.surges.groups["person", 60.0].model.learnt.copy()
    other = a_rule("more", when="surge('person', '1m') > 0.99 or surge('car', '1m') > 0.99", scope="area")
    play([published(Bundle(site=site(version="v2"), rules=(other,)), "v2", engine.clock)], engine=engine)
    assert np.array_equal(engine.evaluator.surges.groups["person", 60.0].model.learnt[: len(learnt)], learnt)
    assert not engine.evaluator.surges.groups["car", 60.0].model.learnt.any()
