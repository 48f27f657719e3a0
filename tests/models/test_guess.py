"""What a point is that nobody has said: told where its changes show it, never where a gauge would lose its alarms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from models.bank import Bank
from models.guess import PATIENCE, possible

Floats = np.ndarray
Make = Callable[[np.random.Generator], Floats]


def shown(values: Floats, unit: str, quantity: str = "") -> Bank:
    """Show a series to a bank of one point whose kind is not declared."""
    bank = Bank()
    bank.configure(0, interval=60.0, guess=possible(unit, quantity))
    for place, value in enumerate(values.tolist()):
        bank.update(np.array([0]), np.array([60.0 * place]), np.array([value]))
    return bank


def stands(random: np.random.Generator, codes: list[float], runs: int, least: int = 4) -> Floats:
    """Make codes that stand for a while, each followed by any other."""
    made = [random.choice(codes)]
    for _ in range(runs):
        made.append(random.choice([code for code in codes if code != made[-1]]))
    return np.repeat(made, random.integers(least, 40, len(made)))


OTHERS: dict[str, tuple[str, str, str, Make]] = {
    "pump": ("switch", "1", "running", lambda random: stands(random, [0.0, 1.0], 30)),
    "mode": ("state", "1", "mode", lambda random: stands(random, [0.0, 1.0, 2.0, 5.0], 60)),
    "meter": ("counter", "kWh", "energy", lambda random: np.cumsum(random.integers(0, 4, 900)) % 600.0),
    "runs": ("counter", "count", "starts", lambda random: np.cumsum(random.random(900) < 0.3) % 50.0),
    "vane": ("angle", "°", "wind", lambda random: np.cumsum(random.normal(size=900) * 20.0) % 360.0),
    "north": ("angle", "deg", "wind", lambda random: random.normal(size=600) * 20.0 % 360.0),
}
GAUGES: dict[str, tuple[str, str, Make]] = {
    "rain in tips": ("mm", "rain", lambda random: 0.2 * random.poisson(np.repeat(random.exponential(0.5, 60), 20))),
    "rain in counts": (
        "count",
        "rain",
        lambda random: random.poisson(np.repeat(random.exponential(0.5, 60), 20)) * 1.0,
    ),
    "light rain": ("count", "rain", lambda random: (random.random(1200) < 0.02) * 1.0),
    "whole degrees": ("°C", "temperature", lambda random: np.round(20 + 5 * np.sin(np.arange(1200) / 90.0))),
    "nothing for days": ("mm", "rain", lambda random: np.zeros(3000)),
    "persons at a door": ("1", "persons", lambda random: random.poisson(0.6, 1200) * 1.0),
    "a slow whole number": ("1", "level", lambda random: np.round(4 + 3 * np.sin(np.arange(3000) / 100.0))),
    "a flood": ("m", "level", lambda random: np.cumsum(random.random(1200) * 0.01)),
    "a creep": ("mm", "displacement", lambda random: np.cumsum(random.random(1200) < 0.1) * 0.01),
    "tilt": ("deg", "tilt", lambda random: random.normal(size=900) * 0.3),
    "a share": ("1", "moisture", lambda random: random.random(900)),
    "sump": ("m", "level", lambda random: np.arange(1200) % 30 * 0.1),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("seed", range(3))
def test_what_is_no_gauge_is_told(name: str, seed: int) -> None:
    kind, unit, quantity, make = OTHERS[name]
    bank = shown(make(np.random.default_rng(seed)), unit, quantity)
    assert bank.guessed() == {0: kind}


@pytest.mark.parametrize("name", GAUGES)
@pytest.mark.parametrize("seed", range(3))
def test_a_gauge_stays_one(name: str, seed: int) -> None:
    unit, quantity, make = GAUGES[name]
    assert not shown(make(np.random.default_rng(seed)), unit, quantity).guessed()


def test_a_declared_kind_wins() -> None:
    values = stands(np.random.default_rng(1), [0.0, 1.0], 30)
    bank = Bank()
    bank.configure(0, kind="gauge")
    for place, value in enumerate(values.tolist()):
        bank.update(np.array([0]), np.array([60.0 * place]), np.array([value]))
    assert not bank.guessed()
    guessed = shown(values, "1")
    guessed.configure(0, interval=60.0, kind="gauge")
    assert not guessed.guessed()


def test_a_point_that_is_given_another_unit_is_looked_at_anew() -> None:
    bank = shown(stands(np.random.default_rng(0), [0.0, 1.0], 30), "1")
    assert bank.guessed() == {0: "switch"}
    bank.configure(0, guess=possible("1"))
    assert bank.guessed() == {0: "switch"}, "the same publication again"
    bank.configure(0, guess=possible("kWh"))
    assert bank.guessed() == {}
    start = float(bank.last_time[0]) if np.isfinite(bank.last_time[0]) else 1e6
    for place, value in enumerate((np.cumsum(np.ones(900)) % 300.0).tolist(), 1):
        bank.update(np.array([0]), np.array([start + 60.0 * place]), np.array([value]))
    assert bank.guessed() == {0: "counter"}


def test_a_count_that_was_taken_for_on_and_off_is_a_gauge_again_and_its_rise_is_a_surprise() -> None:
    bank = shown(stands(np.random.default_rng(1), [0.0, 1.0], 30), "1", "persons")
    assert bank.guessed() == {0: "switch"}
    now = float(bank.last_time[0])
    scores = []
    for place in range(12):
        told = bank.update(np.array([0]), np.array([now + 60.0 * (1 + place)]), np.array([2.0 + place]))
        scores.append(told.score[0])
    assert scores[0] >= 0.99
    assert not bank.guessed()
    for place in range(12, 12 + 3 * PATIENCE // 100):
        bank.update(np.array([0]), np.array([now + 60.0 * (1 + place)]), np.array([place % 2 * 1.0]))
    assert not bank.guessed()


def test_guesses_do_not_depend_on_batches_and_go_on_from_a_state() -> None:
    random = np.random.default_rng(3)
    made = [(OTHERS[name][1], OTHERS[name][2], OTHERS[name][3](random)) for name in OTHERS]
    made += [(unit, quantity, make(random)) for unit, quantity, make in GAUGES.values()]
    made *= 2  # more than are worked one by one
    steps = 500
    together, alone = Bank(), Bank()
    for bank in (together, alone):
        for row, (unit, quantity, _) in enumerate(made):
            bank.configure(row, interval=60.0, guess=possible(unit, quantity))
    for step in range(steps):
        rows, value = np.arange(len(made)), np.array([values[step % len(values)] for _, _, values in made])
        together.update(rows, np.full(len(made), 60.0 * step), value)
        for part in np.array_split(rows, 5):
            alone.update(part, np.full(len(part), 60.0 * step), value[part])
        if step in (80, 300):  # before and after guesses
            kept, alone = alone.state(), Bank()
            alone.restore(kept)
    assert set(together.guessed().values()) == {"counter", "switch", "angle", "state"}
    for name, array in together.state().items():
        assert array.tobytes() == alone.state()[name].tobytes(), name
