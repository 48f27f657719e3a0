"""A source's clock that is set right makes no gap, no stuck value and no repetition out of what was read all along."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.outcome import Refused
from sensors import packing
from sensors.flags import GAP, STUCK
from sensors.intake import Intake
from sensors.lookup import Registry
from sensors.reader import Arrivals
from streams.bundle import Bundle
from streams.engine import Engine
from tests.streams.small_site import START, frame_of, published, rules, site, tick
from tests.streams.test_engine_quality import own, own_rules, run

HOUR = 3600.0
CONTENT = Bundle(site=site(), rules=(*rules(), *own_rules()))


def arrivals(phases: list[tuple[float, int]], *, correct: bool, step: int = 10) -> list[bytes]:
    """Let a source send with its clock `ahead` for some `count`; give what the intake makes of it, with ticks."""
    content = msgspec.structs.replace(
        CONTENT.site, skew=msgspec.structs.replace(CONTENT.site.skew, correct=correct), accept_ahead=2 * HOUR
    )
    intake = Intake(Registry(content))
    route = intake.topics[b"foreshock/readings/a0/p0"]
    records = [published(Bundle(site=content, rules=CONTENT.rules)), tick(START)]
    now, sent = START, 0
    for ahead, count in phases:
        for _ in range(count):
            now, sent = now + step, sent + 1
            payload = json.dumps({"value": 1.0 + (sent // 6) % 5 / 10, "time": now + ahead}).encode()
            batch = intake.take(Arrivals(routes=[route], payloads=[payload]), now + 0.3)
            records += [value for topic, _, value in batch.records if topic == packing.TOPIC]
            records += [tick(now + k) for k in range(1, step + 1)]
    return records


@pytest.mark.parametrize("correct", [True, False])
@pytest.mark.parametrize("ahead", [-HOUR, HOUR, -300.0, 300.0])
@pytest.mark.parametrize("wrong", [3, 60])
def test_a_clock_that_is_set_right_raises_no_alarm_of_its_own_kind(ahead: float, wrong: int, correct: bool) -> None:
    engine = Engine(0)
    told = {rule for rule, _, _ in own(run(arrivals([(ahead, wrong), (0.0, 120)], correct=correct), engine=engine))}
    assert told <= {"late", "skewed"}, "a clock that is wrong is told as such, and nothing else"


def behind(lags: list[float], *, value: float = 1.0, step: float = 10.0) -> list[bytes]:
    """Let point 0 send the same value again and again, each so many seconds behind its arrival."""
    records = [published(CONTENT), tick(START)]
    for n, lag in enumerate(lags):
        now = START + step * (n + 1)
        records.append(frame_of([(0, now - lag, value)], now))
        records += [tick(now + k) for k in range(1, int(step) + 1)]
    return records


def test_how_long_a_value_is_flat_goes_on_over_a_clock_that_is_set_right() -> None:
    raised = [one for one in run(behind([HOUR] * 10 + [0.0] * 30)) if one.rule == "stuck"]
    assert [(one.edge, one.time) for one in raised] == [("alarm", START + 310.0)]


def flags_of(records: list[bytes]) -> list[int]:
    engine = Engine(0)
    told: list[int] = []
    for n, one in enumerate(records):
        scored = engine.apply([(n, one)]).scored
        told += [] if scored is None else scored.flags.tolist()
    return told


def test_a_backlog_that_breaks_off_leaves_the_gap_that_it_is() -> None:
    records = [published(CONTENT), tick(START), frame_of([(0, START, 1.0)], START)]
    records += [tick(START + n) for n in range(1, int(HOUR))]
    kept = [frame_of([(0, START + 10.0 * n, 1.0)], START + HOUR + n / 10) for n in range(1, 100)]
    flags = flags_of([*records, *kept, frame_of([(0, START + HOUR + 20, 1.0)], START + HOUR + 20)])
    assert flags[-1] == GAP | STUCK


def test_what_was_kept_in_a_silence_and_comes_one_by_one_leaves_the_gap_that_it_is() -> None:
    records = [published(CONTENT), tick(START), frame_of([(0, START, 1.0)], START)]
    records += [tick(START + n) for n in range(1, int(HOUR))]
    for n in range(6):
        records.append(frame_of([(0, START + 10.0 * (n + 1), 1.0)], START + HOUR + 10 * n))
        records += [tick(START + HOUR + 10 * n + k) for k in range(10)]
    flags = flags_of([*records, frame_of([(0, START + HOUR + 60, 1.1)], START + HOUR + 60)])
    assert flags == [0] * 7 + [GAP]


def test_a_single_reading_with_an_old_time_moves_nothing() -> None:
    assert flags_of(behind([HOUR, 0.0, 0.0]))[1] & GAP


def test_a_wrong_clock_is_remembered_over_a_restart() -> None:
    records = behind([HOUR] * 5 + [0.0] * 5)
    for cut in (20, 50, 57):
        engine = Engine(0)
        run(records[:cut], engine=engine)
        again = Engine.restore(engine.snapshot())
        assert own(run(records[cut:], engine=again)) <= {("silent", "p0", "return")}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0.0, 3.0, 30.0, 100.0, 900.0, HOUR]), st.integers(1, 4)), max_size=8),
    st.sets(st.integers(1, 300), max_size=6),
)
def test_lags_of_any_kind_come_to_the_same_however_they_are_cut(
    phases: list[tuple[float, int]], cuts: set[int]
) -> None:
    records = behind([lag for lag, count in phases for _ in range(count)])
    engine, cut = Engine(0), Engine(0)
    assert run(records, engine=engine) == run(records, cuts=cuts, engine=cut)
    assert engine.snapshot() == cut.snapshot()


def test_a_repeated_reading_of_a_wrong_clock_stays_a_duplicate() -> None:
    engine = Engine(0)
    run(behind([HOUR] * 5 + [0.0]), engine=engine)
    first = engine.offset + 1
    applied = engine.apply([(first, frame_of([(0, START + 60.0, 1.0)], START + 61.0))])
    refused = [one.reason for record in applied.records for one in record.outcomes if isinstance(one, Refused)]
    assert refused == ["duplicate"]
