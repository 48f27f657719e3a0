"""Peers: one that parts from the rest is the sensor; all that move together are the world."""

from __future__ import annotations

import numpy as np

from models.peers import LASTS, Peers

Floats = np.ndarray
MINUTE = 60.0


def scene(count: int = 3, steps: int = 400, seed: int = 0) -> Floats:
    """Return f8[steps, count]: levels of one tank that wanders, each gauge with its own zero and noise."""
    random = np.random.default_rng(seed)
    world = 5.0 + np.cumsum(random.normal(0.0, 0.05, steps))
    return world[:, None] + np.array([0.0, 0.3, -0.2, 0.1, 0.0])[:count] + 0.02 * random.normal(size=(steps, count))


def judged(values: Floats, sets: list[list[int]] | None = None) -> Floats:
    """Return bool[steps, count] of who disagrees after each step."""
    steps, count = values.shape
    peers = Peers(sets or [[row, *(other for other in range(count) if other != row)] for row in range(count)])
    reach = np.full(count, 0.01)
    told = np.zeros((steps, count), bool)
    for step in range(steps):
        reach = np.maximum(reach, np.ptp(values[: step + 1], axis=0)) if step % 50 == 0 else reach
        peers.step(np.full(count, MINUTE * step), values[step], ~np.isnan(values[step]), reach)
        told[step, peers.points] = peers.disagrees
    return told


def test_one_that_drifts_away_is_told_and_the_others_are_not() -> None:
    values = scene()
    values[200:, 1] += np.linspace(0.0, 3.0, 200)
    told = judged(values)
    assert not told[:200].any()
    assert told[-1].tolist() == [False, True, False]
    assert not told[:, [0, 2]].any()


def test_when_all_move_together_it_is_the_world() -> None:
    values = scene()
    values[200:] += 50.0
    values[300:] *= 3.0
    values[300:] -= 2.0 * np.array([0.0, 0.3, -0.2])  # their zeros stay what they are
    assert not judged(values)[:, :].any()


def test_a_frozen_one_is_told_once_the_others_leave_it() -> None:
    values = scene()
    values[200:] += np.linspace(0.0, 4.0, 200)[:, None]
    values[200:, 2] = values[199, 2]
    told = judged(values)
    assert told[-1].tolist() == [False, False, True]


def test_a_single_wild_reading_is_not_a_disagreement_and_one_that_comes_back_agrees_again() -> None:
    values = scene()
    values[200, 0] += 9.0
    values[300:330, 0] += 9.0
    told = judged(values)
    assert not told[:300].any()
    assert told[302:330, 0].all()
    assert not told[330 + int(LASTS) :].any()


def test_of_two_nobody_can_say_which_is_wrong() -> None:
    values = scene(count=2)
    values[200:, 1] += 3.0
    assert judged(values)[-1].tolist() == [True, True]


def test_two_of_three_outvote_the_third() -> None:
    values = scene()
    values[200:, :2] += 3.0
    assert judged(values)[-1].tolist() == [False, False, True]


def test_what_is_not_known_has_no_say_and_nobody_is_judged_alone() -> None:
    values = scene()
    values[200:, 1] += 3.0
    values[250:, [0, 2]] = np.nan
    told = judged(values)
    assert told[240].tolist() == [False, True, False]
    assert (told[250:] == told[249]).all(), "as it stood when it could last be told"


def test_a_peer_that_comes_later_is_learnt_before_it_has_a_say() -> None:
    values = scene()
    values[:, 2] += 5.0
    values[:150, 2] = np.nan
    values[280:, 1] = np.nan
    assert not judged(values).any(), "it stands where it always stood"
    values[320:, 2] += 3.0
    assert judged(values)[-1].tolist() == [True, False, True], "of the two that are left nobody can say which"


def test_whom_nobody_that_is_known_speaks_against_stands_as_before() -> None:
    values = scene()
    values[200:, 1] += 3.0
    values[:250, 2] = np.nan
    values[250:, 0] = np.nan
    told = judged(values)
    assert told[240].tolist() == [True, True, False]
    assert told[300].tolist() == [True, True, False]


def test_a_state_from_before_each_was_counted_goes_on() -> None:
    values, sound, reach = scene(), np.full(3, True), np.full(3, 2.0)
    peers, again = Peers([[0, 1, 2]]), Peers([[0, 1, 2]])
    for step in range(100):
        peers.step(np.full(3, MINUTE * step), values[step], sound, reach)
    state = peers.state()
    del state["heard"]
    again.restore(state)
    assert (again.heard == peers.heard).all()


def test_nothing_is_told_while_a_set_learns() -> None:
    values = scene(steps=60)
    values[30:, 1] += 3.0
    assert not judged(values).any()


def test_neighbours_that_differ_as_they_always_did_agree() -> None:
    day = np.sin(np.arange(2000) / 2000 * 20.0)[:, None] * np.array([1.0, 1.3, 0.8])
    noise = [0.1 * np.random.default_rng(seed).normal(size=(2000, 3)) for seed in range(4)]
    sets = [
        [one, *({first, first + 1, first + 2} - {one})] for first in (0, 3, 6, 9) for one in range(first, first + 3)
    ]
    told = judged(np.concatenate([day + each for each in noise], axis=1), sets)
    assert told.reshape(2000, 4, 3).mean(axis=(0, 2)).max() < 0.002


def test_a_restored_state_goes_on_to_the_bit() -> None:
    values, sets = scene(), [[0, 1, 2], [2, 0]]
    values[200:, 1] += 3.0
    reach, sound = np.full(3, 2.0), np.full(3, True)
    whole, half = Peers(sets), Peers(sets)
    for step in range(300):
        for peers in (whole, half):
            peers.step(np.full(3, MINUTE * step), values[step], sound, reach)
        if step == 210:
            kept = half.state()
            half = Peers(sets[::-1])
            half.restore(kept)
            half, again = Peers(sets), half.state()
            half.restore(again)
    for name, array in whole.state().items():
        assert array.tobytes() == half.state()[name].tobytes(), name


def test_a_clock_set_anew_is_no_new_reading() -> None:
    values = scene()
    peers = Peers([[0, 1, 2]])
    sound, reach = np.full(3, True), np.full(3, 2.0)
    for step in range(100):
        peers.step(np.full(3, MINUTE * step), values[step], sound, reach)
    readings = peers.kept[0, 1]
    peers.shift(np.array([0]), np.array([-3600.0]))
    peers.step(np.full(3, MINUTE * 99 - 3600.0), values[99], sound, reach)
    assert peers.kept[0, 1] == readings


def test_no_sets_cost_nothing() -> None:
    peers = Peers([[3]])
    assert len(peers.points) == 0
    assert len(peers.step(np.zeros(5), np.zeros(5), np.full(5, True), np.zeros(5))) == 0
