"""An area's model in the engine: its score on ticks, rules on it, why, and the same again in replay."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from alerts.outcome import AlarmTransition, Record
from models.area.fitting import fit
from models.area.store import Facts, encode
from rules.expression import AREA_SCORE
from sensors.observation import SIMULATED
from streams.bundle import Bundle
from streams.engine import Engine
from tests.rules.stage import a_rule
from tests.streams.small_site import START, frame_of, published, site, tick
from tests.streams.test_engine import flat, play, same

RULE = a_rule("unlike", when="area.score > 0.999", clear="area.score < 0.9", scope="area")
STEPS = 60


def measured(step: int, seed: int = 0) -> tuple[float, float]:
    random = np.random.default_rng((seed, step))
    cause = random.normal()
    return 5.0 + cause + 0.1 * random.normal(), 5.0 + cause + 0.1 * random.normal()


def model(area: str = "a0", names: tuple[str, ...] = ("p0", "p3")) -> bytes:
    values = np.array([measured(step, seed=1) for step in range(500)])
    time = START - 5000.0 + 10.0 * np.arange(500.0)
    facts = Facts(begin=float(time[0]), end=float(time[-1]), rows=500, code="test")
    return encode(area, fit(time, values, names, 10.0, kind="mahalanobis"), facts)


CONTENT = Bundle(site=site(), rules=(RULE,), models=(model(),))


def scene(parting: float = 1.5, silent: bool = False, quality: int = 0) -> list[bytes]:
    """Two points that go together, and part after 40 steps, each within its own range."""
    values = [published(CONTENT), tick(START)]
    for step in range(STEPS):
        now = START + 10.0 * (step + 1)
        one, other = measured(step)
        off = parting * (step >= 40)
        readings = [(0, now, one + off), (3, now, other - off)]
        if silent and step >= 30:
            readings = readings[:1]
        values += [frame_of(readings, now, quality), *(tick(now + 1.0 + second) for second in range(9))]
    return values


def score(engine: Engine, area: str = "a0") -> float:
    assert engine.evaluator is not None
    return float(engine.evaluator.across[AREA_SCORE][engine.evaluator.book.area_of[area]])


def raised(records: list[Record]) -> list[AlarmTransition]:
    return [one for one in flat(records, AlarmTransition) if one.rule == "unlike" and one.edge == "alarm"]


def test_points_that_part_raise_the_areas_alarm_which_names_them_in_both_languages() -> None:
    engine = Engine(0)
    alarms = raised(play(scene(), engine=engine))
    assert [(alarm.scope, alarm.area) for alarm in alarms] == [("a0", "a0")]
    why = alarms[0].explanation
    assert why is not None
    assert why.points and set(why.points) <= {"p0", "p3"}
    assert why.score is not None and why.score > 0.999
    assert why.score_reason.startswith("the points together are unlike their history: p")
    assert why.score_reason_zh.startswith("各测点的组合与其历史不同：p")
    assert score(engine) > 0.999
    assert np.isnan(score(engine, "a1"))


def test_points_that_go_together_raise_nothing() -> None:
    engine = Engine(0)
    assert not raised(play(scene(parting=0.0), engine=engine))
    assert score(engine) < 0.999


def test_the_score_is_unknown_while_it_learns_and_while_a_point_is_silent() -> None:
    engine = Engine(0)
    play(scene()[: 2 + 10 * 15], engine=engine)
    assert np.isnan(score(engine))
    engine = Engine(0)
    assert not raised(play(scene(silent=True), engine=engine))
    assert np.isnan(score(engine))


@pytest.mark.parametrize("cuts", [[1], list(range(0, 700, 7)), list(range(700))])
def test_cutting_the_log_into_other_batches_changes_nothing(cuts: list[int]) -> None:
    assert same(play(scene(), cuts)) == same(play(scene()))


@pytest.mark.parametrize("at", [5, 215, 430, 500])
def test_a_snapshot_goes_on_as_if_nothing_had_been(at: int) -> None:
    values = scene()
    whole = play(values)
    engine = Engine(0)
    before = play(values[:at], engine=engine)
    after = play(values[at:], engine=Engine.restore(engine.snapshot()))
    assert same(before + after) == same(whole)


def test_a_publication_that_keeps_the_model_keeps_what_it_has_seen_and_one_without_it_knows_nothing() -> None:
    values = scene()
    engine = Engine(0)
    play(values[: 2 + 10 * 50], engine=engine)
    known = score(engine)
    kept = msgspec.structs.replace(CONTENT, site=site(version="v2"))
    play([published(kept, "v2", engine.clock)], engine=engine)
    assert score(engine) == known
    gone = Bundle(site=site(version="v3"), rules=(RULE,))
    play([published(gone, "v3", engine.clock), tick(engine.clock + 1.0)], engine=engine)
    assert np.isnan(score(engine))


def test_what_simulated_readings_raise_is_marked_as_simulated() -> None:
    alarms = raised(play(scene(quality=SIMULATED)))
    assert [alarm.simulated for alarm in alarms] == [True]


def test_a_model_of_points_that_the_site_has_not_says_nothing() -> None:
    content = msgspec.structs.replace(CONTENT, models=(model(names=("p0", "elsewhere")), model("nowhere")))
    engine = Engine(0)
    play([published(content), *scene()[1:]], engine=engine)
    assert np.isnan(score(engine))
