"""Points of no declared kind in the engine: guessed, named, kept in snapshots, and never where a limit is watched."""

from __future__ import annotations

import msgspec
import numpy as np

from sensors.site import Site
from streams.bundle import Bundle
from streams.engine import Engine
from tests.streams.small_site import START, frame_of, published, site, tick

DECLARED, PUMP, LIMITED, PLAIN = range(4)


def pumps(version: str = "v1") -> Site:
    """Make four points without a unit: one of a declared kind, one of none, one of none with a limit, and a gauge."""
    points = tuple(
        msgspec.structs.replace(
            point, quantity="running", unit="1", limit=0.5 if k == LIMITED else None, guess=k != DECLARED
        )
        for k, point in enumerate(site(points=4).points)
    )
    return msgspec.structs.replace(site(points=4, version=version), points=points)


def run(engine: Engine, start: int, stop: int) -> None:
    random = np.random.default_rng(start)
    for step in range(start, stop):
        now, on = START + 10.0 * (step + 1), float(step // 8 % 2)
        values = [(DECLARED, now, on), (PUMP, now, on), (LIMITED, now, on), (PLAIN, now, float(random.normal()))]
        engine.apply([(engine.offset + 1, frame_of(values, now)), (engine.offset + 2, tick(now + 1.0))])


def test_a_point_of_no_declared_kind_is_guessed_and_named_and_stays_so() -> None:
    engine = Engine(0)
    engine.apply([(0, published(Bundle(site=pumps()))), (1, tick(START))])
    run(engine, 0, 90)
    assert engine.guessed() == {}
    engine = Engine.restore(engine.snapshot())
    run(engine, 90, 130)
    assert engine.guessed() == {"p1": "switch"}
    engine = Engine.restore(engine.snapshot())
    assert engine.guessed() == {"p1": "switch"}
    engine.apply([(engine.offset + 1, published(Bundle(site=pumps("v2")), version="v2"))])
    run(engine, 130, 140)
    assert engine.guessed() == {"p1": "switch"}
