"""Counts of events in the engine: alarms that say how many, the same in any batches and over snapshots."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.outcome import AlarmTransition, Record
from models.counts import Counts
from models.repeats import DAY
from sensors.observation import SIMULATED, CameraEvent, CameraHealth, Report
from streams.bundle import Bundle
from streams.engine import Engine
from tests.rules.stage import a_rule
from tests.streams.small_site import START, published, record, site, tick
from tests.streams.test_engine import flat, play, same

SURGE = a_rule("surge", when="surge('person', '1m') > 0.999", scope="area")
RISE = a_rule("rise", when="rising('family-dispute', '28d') > 0.98", scope="area")
CONTENT = Bundle(site=site(), rules=(SURGE, RISE))
SOON = 10  # windows


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let counts be known after some minutes: two days of ticks would take a minute to play."""
    monkeypatch.setattr(Counts, "learning", lambda self: self.learnt < SOON)


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


LOW = a_rule("low", when="surge('person', '1m') > 0.5", clear="surge('person', '1m') < 0.2", scope="area")
FEW = a_rule(
    "few", where={"quantity": "displacement"}, when="surge('person', '1m') < 0.5 and not seen('person', '20s')"
)
AGAIN = a_rule("again", when="rising('noise', '1d') > 0.3 or rising('noise', '20d') > 0.6", scope="area")
EYE = a_rule("eye", when="surge('person', '2m') >= 0 and fault('loss')", scope="camera")
MANY = (Bundle(site=site(), rules=(LOW, FEW, AGAIN, EYE)), Bundle(site=site(version="v2"), rules=(AGAIN, LOW)))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("tick"), st.sampled_from([1.0, 4.0, 4.0, 30.0, 4000.0, -70.0])),
        st.tuples(st.just("minute")),
        st.tuples(
            st.just("see"),
            st.sampled_from(["a0", "a1"]),
            st.integers(1, 7),
            st.sampled_from([0.0, 0.0, 40.0, -3.0]),
            st.sampled_from(["new", "new", "update", "end"]),
            st.sampled_from([0, 0, SIMULATED]),
        ),
        st.tuples(
            st.just("report"), st.sampled_from(["x", "y", ""]), st.sampled_from([0.2, 1.0, 9.0]),
            st.sampled_from([0, 0, SIMULATED]),
        ),
        st.tuples(st.just("loss"), st.booleans()),
        st.tuples(st.just("publish"), st.integers(0, 1)),
    ),
    min_size=1,
    max_size=16,
)  # fmt: skip


def build(plan: list[tuple]) -> list[bytes]:
    values, now = [published(MANY[0]), tick(START)], START
    for _ in range(12 * 3):
        now += 5.0
        values.append(tick(now))
    for number, (what, *of) in enumerate(plan):
        if what == "tick":
            now += of[0]
            values.append(tick(now))
        elif what == "minute":
            for _ in range(13):
                now += 5.0
                values.append(tick(now))
        elif what == "see":
            area, count, ago, phase, quality = of
            for n in range(count):
                seen = CameraEvent(
                    area=area, camera="cam", kind="person", event=f"{number % 9}.{n}", time=now - ago, received=now,
                    zones=("gate",) if n % 2 else (), phase=phase, quality=quality,
                )  # fmt: skip
                values.append(record(seen))
        elif what == "report":
            subject, days, quality = of
            now += days * DAY
            told = Report(
                id=f"r{number}", area="a0", category="noise", time=now, received=now, subject=subject, quality=quality
            )
            values += [tick(now), record(told)]
        elif what == "loss":
            faults = {"loss": 1.0} if of[0] else {}
            values.append(record(CameraHealth(area="a0", camera="cam", time=now, received=now, faults=faults)))
        else:
            values.append(published(MANY[of[0]], f"w{number}", now))
    return values


FREELY = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FREELY
@given(steps, st.lists(st.integers(1, 300), max_size=30), st.integers(1, 300))
def test_whatever_is_told_in_whatever_batches_and_over_a_restart_the_same_follows(
    plan: list[tuple], cuts: list[int], at: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.streams.test_engine_counts.SOON", 2)
        values = build(plan)
        whole = same(play(values))
        assert same(play(values, cuts)) == whole
        engine = Engine(0)
        before = play(values[:at], engine=engine)
        after = play(values[at:], engine=Engine.restore(engine.snapshot()))
        assert same(before + after) == whole
