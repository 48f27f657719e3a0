"""Drivers in the engine: a rule sees the rise to come, whatever shares a batch, after a restart and in replay."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from sensors.site import Driver, Site
from streams.bundle import Bundle
from streams.engine import Engine
from tests.models.test_driver import valley
from tests.rules.stage import a_rule
from tests.streams.small_site import START, frame_of, published, site, tick
from tests.streams.test_engine import play, same

HOUR = 3600.0
RULE = a_rule("rising", when="eta('limit') < 12 h", clear="not eta('limit') < 24 h")


def driven(drivers: tuple[Driver, ...] = (Driver(point="p1", lag=8 * HOUR),), version: str = "v1") -> Site:
    """Let the first point be a river, the second its rain."""
    made = site(points=2, version=version)
    river, rain = (msgspec.structs.replace(one, interval=HOUR, limit=None) for one in made.points)
    river = msgspec.structs.replace(river, quantity="level", unit="m", limit=9.0, drivers=drivers)
    rain = msgspec.structs.replace(rain, quantity="rain")
    return msgspec.structs.replace(made, points=(river, rain))


def scene(content: Bundle) -> list[bytes]:
    """Twelve days, then a storm that the river has not felt yet."""
    _, level, rain = valley(days=12)
    values = [published(content), tick(START)]
    for hour, (stands, fallen) in enumerate(zip(level, rain, strict=True), 1):
        now = START + HOUR * hour
        readings = [(1, now, float(fallen)), (0, now, float(stands))]
        values += [*(frame_of([one], now) for one in readings), tick(now + 1.0)]
    now += HOUR
    return [*values, frame_of([(1, now, 150.0), (0, now, float(level[-1]))], now), tick(now + 1.0), tick(now + 2.0)]


CONTENT = Bundle(site=driven(), rules=(RULE,))


def eta(engine: Engine) -> float:
    return float(engine.bank.eta(np.array([0]), np.array([9.0]), np.array([False]))[0])


def test_a_storm_is_seen_before_the_river_rises_and_not_without_its_gauge() -> None:
    engine = Engine(0)
    play(scene(CONTENT), engine=engine)
    assert eta(engine) < 12 * HOUR
    engine = Engine(0)
    play(scene(Bundle(site=driven(()), rules=(RULE,))), engine=engine)
    assert eta(engine) > 24 * HOUR


@pytest.mark.parametrize("cuts", [[1], list(range(0, 900, 7)), list(range(900))])
def test_cutting_the_log_into_other_batches_changes_nothing(cuts: list[int]) -> None:
    whole, parts = Engine(0), Engine(0)
    assert same(play(scene(CONTENT), cuts, parts)) == same(play(scene(CONTENT), engine=whole))
    assert whole.bank.drivers is not None
    assert parts.bank.drivers is not None
    assert whole.bank.drivers.shared.tobytes() == parts.bank.drivers.shared.tobytes()
    assert eta(whole) == eta(parts)


@pytest.mark.parametrize("at", [5, 430, 866])
def test_a_snapshot_goes_on_as_if_nothing_had_been(at: int) -> None:
    values, whole, engine = scene(CONTENT), Engine(0), Engine(0)
    play(values, engine=whole)
    play(values[:at], engine=engine)
    engine = Engine.restore(engine.snapshot())
    play(values[at:], engine=engine)
    assert engine.snapshot() == whole.snapshot()


def test_a_publication_keeps_what_is_known_of_drivers_that_stay() -> None:
    engine = Engine(0)
    play(scene(CONTENT), engine=engine)
    known = eta(engine)
    other = (Driver(point="p1", lag=8 * HOUR),)
    play([published(Bundle(site=driven(other, "v2"), rules=(RULE,)), "v2", engine.clock)], engine=engine)
    assert eta(engine) == known
    play([published(Bundle(site=driven((), "v3"), rules=(RULE,)), "v3", engine.clock)], engine=engine)
    assert engine.bank.drivers is None
