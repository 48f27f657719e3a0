"""Readings that the broker delivers again after a crash are repeats, whatever came after them."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.outcome import Refused
from sensors import frame
from sensors.flags import DUPLICATE, OUT_OF_ORDER
from streams.bundle import Bundle
from streams.engine import Engine
from streams.run import Run
from streams.seen import SEEN, Seen, marks_of
from tests.streams.small_site import START, frame_of, published, rules, site, tick
from tests.streams.test_engine_quality import own, own_rules, run

CONTENT = Bundle(site=site(), rules=(*rules(), *own_rules()))


def sent(first: int, last: int, received: float) -> bytes:
    """Make a frame of the readings of two points from one moment to another."""
    return frame_of([(k, START + n, 1.0 + n / 10) for n in range(first, last) for k in (0, 1)], received)


def reasons(engine: Engine, *records: bytes) -> dict[str, int]:
    told: dict[str, int] = {}
    for one in engine.apply([(engine.offset + 1 + n, record) for n, record in enumerate(records)]).records:
        for outcome in one.outcomes:
            if isinstance(outcome, Refused):
                told[outcome.reason] = told.get(outcome.reason, 0) + outcome.count
    return told


@pytest.mark.parametrize("crashed", [False, True])
def test_what_is_delivered_again_is_a_duplicate_and_raises_nothing_else(crashed: bool) -> None:
    engine = Engine(0)
    assert reasons(engine, published(CONTENT), tick(START), sent(1, 21, START + 20), tick(START + 21)) == {}
    if crashed:
        engine = Engine.restore(engine.snapshot())
    assert reasons(engine, sent(11, 21, START + 22)) == {"duplicate": 20}
    assert {rule for rule, _, _ in own(run([tick(START + 23)], engine=engine))} == {"duplicate"}
    assert reasons(engine, sent(15, 25, START + 24)) == {"duplicate": 12}, "and what is new among it is taken"


def test_what_is_older_and_was_never_read_is_out_of_order() -> None:
    engine = Engine(0)
    reasons(engine, published(CONTENT), tick(START), sent(1, 21, START + 20))
    other = frame_of([(0, START + 10, 9.0), (0, START + 10.5, 1.0), (2, START + 10, 2.0)], START + 21)
    assert reasons(engine, other) == {"out_of_order": 2}, "another value, another time; the third point is new"
    applied = engine.apply([(engine.offset + 1, other)])
    assert applied.aside is not None
    assert sorted(set(applied.aside.flags.tolist())) == [DUPLICATE], "the same once more is a repeat"
    assert not any(flag & OUT_OF_ORDER for flag in applied.aside.flags.tolist())


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6), st.integers(0, 1)), min_size=1), min_size=1),
    st.sets(st.integers(1, 20), max_size=5),
)
def test_repeats_do_not_depend_on_how_the_log_is_cut(batches: list[list[tuple[int, int, int]]], cuts: set[int]) -> None:
    records = [published(CONTENT), tick(START)]
    for n, batch in enumerate(batches):
        records.append(frame_of([(k, START + at, float(value)) for k, at, value in batch], START + 7 + n / 10))
    whole, cut = Engine(0), Engine(0)
    assert run(records, engine=whole) == run(records, engine=cut, cuts=cuts)
    assert whole.snapshot() == cut.snapshot()


def columns(times: list[float]) -> Run:
    return Run([(0, frame.decode(frame_of([(0, time, 1.0) for time in times], START)))], [START])


@given(st.lists(st.integers(1, 4), min_size=1, max_size=6))
def test_only_so_many_are_remembered_and_the_oldest_forgotten(tens: list[int]) -> None:
    most = 32
    with mock.patch("streams.seen.SEEN", most):
        seen, total = Seen(), 0
        for count in tens:
            seen.add(columns([START + n for n in range(total, total + 10 * count)]))
            total += 10 * count
        oldest = max(0, total - most)
        asked = columns([START + oldest, START + total - 1, START + total, START + oldest - 1])
        assert seen.repeats(asked, np.arange(4)).tolist() == [True, True, False, False]
        again = Seen()
        again.restore(seen.state())
        assert (again.state() == seen.state()).all() and len(seen.state()) == min(total, most)


@given(
    st.lists(st.integers(0, 5), max_size=12),
    st.lists(st.integers(0, 5), min_size=1, max_size=12),
    st.data(),
)
def test_a_repeat_is_one_however_it_is_asked_for(before: list[int], now: list[int], data: st.DataObject) -> None:
    seen = Seen()
    if before:
        seen.add(columns([START + n for n in before]))
    asked = columns([START + n for n in now])
    expected = [one in before or one in now[:n] for n, one in enumerate(now)]
    order = data.draw(st.permutations(range(len(now))))
    cut = data.draw(st.integers(0, len(now)))
    for some in (order[:cut], order[cut:]):
        told = seen.repeats(asked, np.array(some, np.intp)).tolist()
        assert told == [expected[n] for n in some]
    seen.add(asked)
    again = columns([START + n for n in now])
    assert seen.repeats(again, np.arange(len(now))).all(), "what was answered of one run is not of the next"


def test_a_run_of_late_readings_is_looked_up_once_and_not_in_every_round(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, asked = Engine(0), 0
    reasons(engine, published(CONTENT), tick(START), frame_of([(0, START + 9000.0, 1.0)], START + 9000.0))
    find = Seen._repeated

    def counted(seen: Seen, run: Run) -> object:
        nonlocal asked
        asked += 1
        return find(seen, run)

    monkeypatch.setattr(Seen, "_repeated", counted)
    late = frame_of([(0, START + 0.5 * n, float(n % 7)) for n in range(300)], START + 9001.0)
    assert reasons(engine, late) == {"out_of_order": 300}
    assert asked == 1


@pytest.mark.parametrize("sizes", [[3], [700] * 60, [1] * 150, [40_000, 5], [9_000, 1, 2, 30_000, 7] * 2, [32_768, 1]])
def test_the_latest_readings_are_remembered_however_they_came(sizes: list[int]) -> None:
    seen, asked, marks = Seen(), Seen(), np.empty(0, np.uint64)
    for turn, size in enumerate(sizes):
        point, quality = np.zeros(size, np.uint32), np.zeros(size, np.uint8)
        time = START + 100.0 * turn + np.arange(size) / size
        head = frame.Header(count=size, registry="", received=START)
        one = Run([(turn, frame.Frame(head, point, time, time, quality))], [START])
        marks = np.concatenate([marks, marks_of(one)])[-SEEN:]
        for each in (seen, asked):
            each.add(one)
        assert asked.state().tobytes() == marks.tobytes()
    assert seen.state().tobytes() == marks.tobytes()
