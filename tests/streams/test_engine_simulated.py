"""A simulation on a point never hides the real thing on it."""

from __future__ import annotations

import pytest

from alerts.outcome import AlarmTransition, DispatchChange, Record
from sensors import observation
from sensors.observation import SIMULATED, CameraEvent
from streams import snapshot
from streams.bundle import Bundle
from streams.engine import Engine
from tests.streams.small_site import START, frame_of, published, rules, site, tick

CONTENT = Bundle(site=site(), rules=rules())


def exercise() -> list[bytes]:
    """Raise orange by simulated readings, with simulated debris, then measure the same height for real."""
    seen = CameraEvent(area="a0", camera="cam", kind="debris", event="e", time=START, received=START, quality=SIMULATED)
    values = [published(CONTENT), tick(START), observation.encode(seen)]
    for n in range(8):
        now = START + 10 * (n + 1)
        values += [frame_of([(0, now, 25.0)], now, SIMULATED if n < 4 else 0), tick(now + 1)]
    return values


def apply(engine: Engine, values: list[bytes], size: int) -> list[Record]:
    records: list[Record] = []
    for start in range(0, len(values), size):
        first = engine.offset + 1
        part = values[start : start + size]
        records += engine.apply([(first + n, value) for n, value in enumerate(part)]).records
    return records


def told(records: list[Record]) -> list[tuple[str, str, bool]]:
    return [
        (one.edge, one.level, one.simulated)
        for record in records
        for one in record.outcomes
        if (isinstance(one, AlarmTransition) and one.rule == "creep")
        or (isinstance(one, DispatchChange) and one.edge == "issued")
    ]


FIRST_REAL = 11  # offset of the first real reading
EXPECTED = [
    ("alarm", "orange", True),
    ("issued", "orange", True),
    ("return", "orange", True),
    ("alarm", "orange", False),
    ("issued", "orange", False),
]


@pytest.mark.parametrize("size", [1, 3, 100])
def test_real_readings_at_the_level_of_a_simulation_alarm_and_dispatch(size: int) -> None:
    records = apply(Engine(0), exercise(), size)
    assert told(records) == EXPECTED
    offset, real = [
        (record.offset, one) for record in records for one in record.outcomes if isinstance(one, DispatchChange)
    ][-1]
    assert offset == FIRST_REAL
    assert real.event is not None
    assert "simulation" not in real.event


@pytest.mark.parametrize("at", [5, 9, 10, 11, 12])
def test_a_restart_in_between_changes_nothing(at: int) -> None:
    values = exercise()
    engine = Engine(0)
    before = apply(engine, values[:at], 100)
    parts = [value for _, value in snapshot.chunks(0, engine.offset, engine.snapshot())]
    found = snapshot.newest(parts)
    assert found is not None
    restored = Engine.restore(found.content)
    assert told(before + apply(restored, values[at:], 100)) == EXPECTED


@pytest.mark.parametrize("size", [1, 3, 100])
def test_an_exercise_over_a_real_alarm_sends_no_real_unit_and_ends_without_it(size: int) -> None:
    values = [published(CONTENT), tick(START)]
    heights = [(12.0, 0)] * 4 + [(25.0, SIMULATED), (1.0, SIMULATED), (12.0, 0), (25.0, 0), (1.0, 0)]
    for n, (height, quality) in enumerate(heights):
        now = START + 10 * (n + 1)
        values += [frame_of([(0, now, height)], now, quality), tick(now + 1)]
    assert told(apply(Engine(0), values, size)) == [
        ("alarm", "yellow", False),
        ("alarm", "orange", True),
        ("issued", "orange", True),
        ("lower", "yellow", True),
        ("return", "yellow", True),
        ("raise", "orange", False),
        ("issued", "orange", False),
        ("return", "orange", False),
    ]
