"""Quality of data is apart from risk: bad readings neither raise nor end nor hide an alarm, and raise their own."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.outcome import AlarmTransition
from rules.rule import Rule
from sensors import flags
from sensors.flags import ASIDE, DUPLICATE, EARLY, GAP, JUMP, OUT_OF_ORDER, STUCK
from sensors.observation import BAD, FLOOD, LATE, OUT_OF_RANGE, SIMULATED, SKEWED, UNCERTAIN
from streams.bundle import Bundle
from streams.engine import Engine
from tests.streams.small_site import RATIONALE, START, frame_of, published, rules, site, tick


def own_rules() -> tuple[Rule, ...]:
    """Make rules of data quality, one a flag, and one on a value that does not change."""
    when = {name: f"flagged('{name}', '2 min')" for name in flags.RULED} | {"stuck": "flat('5 min')"}
    return msgspec.convert(
        [
            {
                "id": name,
                "title": {"zh": name, "en": name},
                "kind": "data_quality",
                "levels": {"blue": {"when": condition}},
                "rationale": RATIONALE,
            }
            for name, condition in when.items()
        ],
        tuple[Rule, ...],
    )


CONTENT = Bundle(site=site(), rules=(*rules(), *own_rules()))


def run(records: list[bytes], *, cuts: set[int] | None = None, engine: Engine | None = None) -> list[AlarmTransition]:
    """Apply records, all at once or cut; give the alarms' edges."""
    engine = engine or Engine(0)
    found: list[AlarmTransition] = []
    edges = [0, *sorted(cut for cut in cuts or () if 0 < cut < len(records)), len(records)]
    for start, stop in pairwise(edges):
        first = engine.offset + 1
        applied = engine.apply([(first + n, one) for n, one in enumerate(records[start:stop])])
        found += [one for record in applied.records for one in record.outcomes if isinstance(one, AlarmTransition)]
    return found


def risks(edges: list[AlarmTransition]) -> list[tuple[str, str, str, float]]:
    return [(one.rule, one.edge, one.level, one.onset) for one in edges if one.kind != "data_quality"]


def own(edges: list[AlarmTransition]) -> set[tuple[str, str, str]]:
    return {(one.rule, one.scope, one.edge) for one in edges if one.kind == "data_quality"}


Step = tuple[float, list[tuple[int, float]]]
"""A good value, and bad readings (quality, value) that come after it."""

steps = st.lists(
    st.tuples(
        st.sampled_from([1.0, 3.0, 12.0, 18.0, 25.0, 35.0]),
        st.lists(
            st.tuples(
                st.sampled_from([BAD, OUT_OF_RANGE, BAD | LATE, OUT_OF_RANGE | SKEWED, BAD | UNCERTAIN]),
                st.sampled_from([-1e6, 0.0, 12.0, 25.0, 50.0, 1e9]),
            ),
            max_size=3,
        ),
    ),
    min_size=1,
    max_size=20,
)


def story(steps: list[Step], *, bad: bool) -> list[bytes]:
    """Tell a story of one point, a good reading in ten seconds, with or without the bad ones between."""
    records = [published(CONTENT), tick(START)]
    for n, (value, more) in enumerate(steps):
        now = START + 10.0 * (n + 1)
        records.append(frame_of([(0, now, value)], now))
        for k, (quality, odd) in enumerate(more if bad else []):
            records.append(frame_of([(0, now + 1.0 + k, odd)], now + 1.0 + k, quality))
        records.append(tick(now + 5.0))
    return records


@settings(max_examples=150, deadline=None)
@given(steps)
def test_bad_quality_neither_raises_nor_ends_nor_hides_an_alarm_of_risk(steps: list[Step]) -> None:
    assert risks(run(story(steps, bad=True))) == risks(run(story(steps, bad=False)))


@settings(max_examples=60, deadline=None)
@given(steps, st.sets(st.integers(1, 80), max_size=6))
def test_flags_and_their_alarms_do_not_depend_on_how_readings_are_cut_into_batches(
    steps: list[Step], cuts: set[int]
) -> None:
    records = story(steps, bad=True)
    assert run(records, cuts=cuts) == run(records)


def test_only_bad_readings_raise_no_alarm_of_risk_and_one_of_their_own() -> None:
    records = [published(CONTENT), tick(START)]
    for n in range(1, 20):
        records += [frame_of([(0, START + 10 * n, 99.0)], START + 10 * n, BAD), tick(START + 10 * n + 1)]
    edges = run(records)
    assert not risks(edges)
    assert ("bad", "p0", "alarm") in own(edges)


def test_an_open_alarm_stays_through_bad_readings_and_a_good_one_beyond_the_limit_raises_between_them() -> None:
    value = {1: 25.0, 10: 35.0}
    records = [published(CONTENT), tick(START)]
    for n in range(1, 12):
        now = START + 10.0 * n
        quality = 0 if n in value else OUT_OF_RANGE
        records += [frame_of([(0, now, value.get(n, 0.0))], now, quality), tick(now + 1)]
    edges = risks(run(records))
    assert [(rule, edge) for rule, edge, _, _ in edges] == [("creep", "alarm")]
    between = [published(CONTENT), tick(START), frame_of([(0, START + 5, 0.0)], START + 5, BAD)]
    between += [frame_of([(0, START + 10, 25.0)], START + 10), frame_of([(0, START + 11, 0.0)], START + 11, BAD)]
    assert [rule for rule, *_ in risks(run(between))] == ["creep"]


@pytest.mark.parametrize(
    ("quality", "name"),
    [(UNCERTAIN, "uncertain"), (LATE, "late"), (SKEWED, "skewed"), (FLOOD, "flood"), (OUT_OF_RANGE, "out_of_range")],
)
def test_each_flag_raises_its_own_alarm_which_ends_when_it_was_not_seen_for_a_while(quality: int, name: str) -> None:
    records = [published(CONTENT), tick(START)]
    records += [frame_of([(0, START + 10, 1.0)], START + 10, quality), tick(START + 11)]
    for n in range(2, 20):
        records += [frame_of([(0, START + 10 * n, 1.0 + n / 100)], START + 10 * n), tick(START + 10 * n + 1)]
    assert {("alarm"), ("return")} <= {edge for rule, _, edge in own(run(records)) if rule == name}


def test_duplicates_and_what_is_out_of_order_are_told_too() -> None:
    engine = Engine(0)
    edges = run([published(CONTENT), tick(START)], engine=engine)
    frame = frame_of([(0, START + 10, 1.0), (0, START + 10, 1.0), (0, START + 5, 1.0)], START + 10)
    applied = engine.apply([(2, frame)])
    assert applied.aside is not None
    assert sorted(applied.aside.flags.tolist()) == [DUPLICATE, OUT_OF_ORDER]
    assert applied.aside.flags.dtype == np.uint16 and np.isnan(applied.aside.score).all()
    edges = run([tick(START + 11)], engine=engine)
    assert {("duplicate", "p0", "alarm"), ("out_of_order", "p0", "alarm")} <= own(edges)


def test_raw_values_that_are_not_scored_are_kept_to_be_shown() -> None:
    engine = Engine(0)
    run([published(CONTENT), tick(START)], engine=engine)
    applied = engine.apply([(2, frame_of([(0, START + 10, 1e6)], START + 10, OUT_OF_RANGE))])
    assert applied.scored is None and applied.aside is not None
    assert applied.aside.value.tolist() == [1e6]
    assert applied.aside.flags.tolist() == [OUT_OF_RANGE]
    assert all(flag & ASIDE for flag in applied.aside.flags.tolist())


def learnt(engine: Engine, count: int = 150) -> float:
    """Teach point 0 its level of about 1.5; give when its next reading is due."""
    noise = np.random.default_rng(1).normal(scale=0.02, size=count)
    run([published(CONTENT), tick(START)], engine=engine)
    for n in range(count):
        now = START + 10.0 * (n + 1)
        run([frame_of([(0, now, 1.5 + noise[n])], now), tick(now + 1)], engine=engine)
    return START + 10.0 * (count + 1)


def test_a_tenfold_rise_is_an_alarm_of_risk_and_told_as_a_jump_of_unit_beside() -> None:
    engine = Engine(0)
    due = learnt(engine)
    edges, told = [], []
    for n in range(8):
        now = due + 10.0 * n
        applied = engine.apply([(engine.offset + 1, frame_of([(0, now, 15.0 + n / 100)], now))])
        edges += [one for record in applied.records for one in record.outcomes if isinstance(one, AlarmTransition)]
        assert applied.scored is not None
        told += applied.scored.flags.tolist()
        edges += run([tick(now + 1)], engine=engine)
    assert ("creep", "alarm") in {(rule, edge) for rule, edge, _, _ in risks(edges)}
    assert ("jump", "p0", "alarm") in own(edges)
    assert told == [EARLY, 0, 0, JUMP, JUMP, JUMP, JUMP, JUMP], "the rise itself is an early event of the models"


def test_a_suspected_jump_survives_a_snapshot() -> None:
    engine = Engine(0)
    due = learnt(engine)
    values = [frame_of([(0, due + 10.0 * n, 15.0)], due + 10.0 * n) for n in range(6)]
    run(values[:2], engine=engine)
    again = Engine.restore(engine.snapshot())
    first = engine.offset + 1
    both = [one.apply([(first + n, value) for n, value in enumerate(values[2:])]) for one in (engine, again)]
    assert both[0].scored is not None and both[1].scored is not None
    assert both[0].scored.flags.tolist() == both[1].scored.flags.tolist() == [0, JUMP, JUMP, JUMP]


def test_a_reading_after_a_gap_and_those_of_a_stuck_point_say_so() -> None:
    engine = Engine(0)
    run([published(CONTENT), tick(START)], engine=engine)
    told = []
    for now in [START + 10.0 * n for n in range(1, 4)] + [START + 200.0 + 10.0 * n for n in range(40)]:
        applied = engine.apply([(engine.offset + 1, frame_of([(0, now, 1.0)], now))])
        assert applied.scored is not None
        told += applied.scored.flags.tolist()
        run([tick(now + 1)], engine=engine)
    assert [place for place, one in enumerate(told) if one & GAP] == [3]
    assert told[-1] == STUCK and told[4] == 0
    applied = engine.apply([(engine.offset + 1, frame_of([(0, START + 600.0, 1.1)], START + 600.0))])
    assert applied.scored is not None and not applied.scored.flags.any()


def test_a_simulated_sensor_that_only_says_what_cannot_be_raises_a_simulated_alarm() -> None:
    records = [published(CONTENT), tick(START)]
    records += [frame_of([(0, START + 10, 99.0)], START + 10, OUT_OF_RANGE | SIMULATED), tick(START + 11)]
    [edge] = [one for one in run(records) if one.rule == "out_of_range"]
    assert edge.simulated


def test_when_a_flag_was_seen_survives_a_snapshot() -> None:
    engine = Engine(0)
    run([published(CONTENT), tick(START), frame_of([(0, START + 10, 9e9)], START + 10, BAD)], engine=engine)
    again = Engine.restore(engine.snapshot())
    assert own(run([tick(START + 11)], engine=engine)) == own(run([tick(START + 11)], engine=again)) != set()
