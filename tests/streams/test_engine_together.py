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
from tests.streams.test_renames import renamed

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


def test_a_renamed_point_and_area_keep_the_model_what_it_has_seen_and_say_the_names_of_now() -> None:
    values = scene()
    engine = Engine(0)
    play(values[: 2 + 10 * 38], engine=engine)
    known = score(engine)
    assert known == known
    now = engine.clock
    after = msgspec.structs.replace(CONTENT, site=renamed(site()))
    play([published(after, "v2", now)], engine=engine)
    assert score(engine, "b0") == known
    again = Engine.restore(engine.snapshot())
    for one in (engine, again):
        alarms = raised(play(values[2 + 10 * 38 :], engine=one))
        assert [(alarm.scope, alarm.area) for alarm in alarms] == [("b0", "b0")]
        why = alarms[0].explanation
        assert why is not None and set(why.points) <= {"q0", "p3"} and "p0" not in why.score_reason
    assert same(play([tick(engine.clock + 1.0)], engine=engine)) == same(play([tick(again.clock + 1.0)], engine=again))


def test_a_model_of_the_new_name_takes_the_place_of_the_one_of_the_former() -> None:
    both = msgspec.structs.replace(CONTENT, site=renamed(site()), models=(model(), model("b0", ("q0", "p3"))))
    engine = Engine(0)
    play([published(both), *scene()[1:]], engine=engine)
    assert engine.evaluator is not None
    assert [one.area for one in engine.evaluator.together.stored] == ["b0"]


def other_model() -> bytes:
    values = np.array([measured(step, seed=2) for step in range(400)])
    time = START - 5000.0 + 10.0 * np.arange(400.0)
    facts = Facts(begin=float(time[0]), end=float(time[-1]), rows=400, code="test")
    return encode("a0", fit(time, values, ("p0", "p3"), 10.0, kind="pca"), facts)


def promotion(at: int = 2 + 10 * 36) -> list[bytes]:
    """Have another model promoted shortly before the points part."""
    values = scene()
    content = msgspec.structs.replace(CONTENT, models=(other_model(),))
    return [*values[:at], published(content, "v2", START + 10.0 * 36), *values[at:]]


def test_a_promoted_model_goes_on_from_what_the_former_had_smoothed() -> None:
    values = promotion()
    engine = Engine(0)
    place = 2 + 10 * 36
    play(values[:place], engine=engine)
    before = score(engine)
    play(values[place : place + 2], engine=engine)
    after = score(engine)
    assert after == after, "an area is not without a score after a promotion"
    assert abs(after - before) < 0.3
    alone = Engine(0)
    play([published(msgspec.structs.replace(CONTENT, models=(other_model(),))), *scene()[1:]], engine=alone)
    assert [alarm.scope for alarm in raised(play(values[place + 2 :], engine=engine))] == ["a0"]
    assert score(engine) == pytest.approx(score(alone), abs=1e-3), "as if it had been in force all along"


@pytest.mark.parametrize("cuts", [[1], list(range(0, 700, 7)), [361, 362, 363]])
def test_a_promotion_is_the_same_in_other_batches(cuts: list[int]) -> None:
    assert same(play(promotion(), cuts)) == same(play(promotion()))


@pytest.mark.parametrize("at", [350, 362, 363, 364, 420])
def test_a_restart_around_a_promotion_changes_nothing(at: int) -> None:
    values = promotion()
    engine = Engine(0)
    before = play(values[:at], engine=engine)
    after = play(values[at:], engine=Engine.restore(engine.snapshot()))
    assert same(before + after) == same(play(values))


def test_what_is_outside_the_usual_is_counted_and_kept_over_a_restart() -> None:
    engine = Engine(0)
    play(scene(parting=4.0), engine=engine)
    assert engine.evaluator is not None
    (counts,) = engine.evaluator.together.counts()
    assert counts["area"] == "a0" and counts["rows"] == 40.0
    assert counts["outside"][0] >= 15.0
    again = Engine.restore(engine.snapshot())
    assert again.evaluator is not None and again.evaluator.together.counts() == [counts]
