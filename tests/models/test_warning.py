"""One definition of an early warning."""

from __future__ import annotations

import numpy as np

from models.warning import Warner, warnings

HOUR = 3600.0


def told(etas: list[float], past: set[int] = frozenset()) -> str:  # type: ignore[assignment]
    """Return the warning after hourly readings with these etas (hours), as 0 and 1."""
    flags = [at in past for at in range(len(etas))]
    found = warnings(HOUR * np.arange(len(etas)), np.array(flags), HOUR * np.array(etas), 2 * HOUR)
    return "".join(str(int(each)) for each in found)


INF = float("inf")


def test_it_begins_when_the_limit_is_foreseen_well_within_the_horizon() -> None:
    assert told([INF, 3.0, 1.8, 1.0]) == "0011"
    assert told([INF, 2.0, 1.9, 1.85]) == "0000"


def test_one_of_several_soon_readings_may_be_a_spike_two_in_a_row_are_not() -> None:
    def minutely(etas: list[float], minutes: float = 5.0) -> str:
        time = 60.0 * minutes * np.arange(len(etas))
        found = warnings(time, np.zeros(len(etas), bool), HOUR * np.array(etas), 12 * HOUR)
        return "".join(str(int(each)) for each in found)

    assert minutely([INF, 2.0, INF, INF, 2.0, INF]) == "000000"
    assert minutely([INF, 2.0, 2.0, INF, INF]) == "00111"
    assert minutely([INF, 2.0, INF, INF], 40.0) == "0111", "who is read seldom cannot wait for another"


def test_a_limit_that_is_foreseen_again_and_again_for_nothing_must_come_nearer() -> None:
    warner, told = Warner(2 * HOUR), []
    filling = [INF, 1.5, 1.2, 1.0]  # hours, every five minutes; then it is pumped out
    failing = [INF, 1.5, 1.2, 1.0, 0.8, 0.6, 0.4, 0.2]
    etas = filling * 60 + failing
    for at, eta in enumerate(etas):
        told.append(warner.see(300.0 * at, False, eta * HOUR))
    first = told.index(True)
    assert first == 2, "of the first filling nobody knows yet"
    assert not any(told[80 : len(filling) * 60]), "the warning ends, as nothing new is foreseen"
    begins = told.index(True, 80)
    assert etas[begins] <= 0.7 * 1.0 and begins >= len(filling) * 60
    assert warner.see(300.0 * len(etas), True, 0.0) is False
    later = 300.0 * len(etas) + 2 * HOUR
    assert [warner.see(later + 300.0 * at, False, eta * HOUR) for at, eta in enumerate(filling)][-1], "that was right"


def test_what_is_foreseen_at_the_edge_of_the_horizon_keeps_it_up() -> None:
    assert told([1.0, INF, INF, INF, 2.0, 2.0, INF, INF]) == "11111100"


def test_after_twice_the_horizon_it_ends_with_the_first_reading_that_does_not_foresee_it() -> None:
    assert told([1.0, INF, INF, INF, INF, INF]) == "111100"
    assert told([1.0, INF, INF, 1.5, INF, INF, INF, INF]) == "11110000"


def test_a_swing_that_never_reaches_its_limit_does_not_keep_it_up() -> None:
    day = [INF, 9.0, 7.0, 6.0, 5.0, 6.0, INF, INF]  # hours, of every half-hour
    time = 1800.0 * np.arange(len(day) * 200)
    found = warnings(time, np.zeros(len(time), bool), HOUR * np.array(day * 200), 12 * HOUR)
    assert found[: len(day)].any(), "of the first nobody knows"
    assert found.mean() < 0.1 and not found[len(day) * 100 :].any()


def once(eta: float, right: bool, warner: Warner, start: float) -> bool:
    """Foresee a limit so many hours ahead, which then comes or does not; return whether it was warned of."""
    times = start + HOUR * np.arange(40)
    warned = warner.see(times[0], False, eta * HOUR)
    for time in times[1:-1].tolist():
        warner.see(time, False, INF)
        if right:
            warner.see(time, True, 0.0)
            break
    return warned


def test_warnings_in_vain_ask_for_more_and_those_that_were_right_for_less() -> None:
    def warned(*story: tuple[float, bool]) -> list[bool]:
        warner = Warner()
        return [once(eta, right, warner, 3 * 86400.0 * at) for at, (eta, right) in enumerate(story)]

    vain, right = (10.0, False), (5.0, True)
    assert warned(vain, vain, vain) == [True, True, False], "the first is forgiven"
    assert warned(vain, vain, (7.0, False), (7.0, False)) == [True, True, True, False]
    assert warned(vain, vain, right, right, right, vain) == [True, True, True, True, True, True]
    unforeseen = (11.5, True)
    assert warned(vain, vain, unforeseen, vain) == [True, True, False, True], (
        "a limit that came unwarned takes one back"
    )
    assert warned(*[(1.0, False)] * 30) == [True] * 30, "what is near is always told"


def test_an_older_version_s_state_is_gone_on_from() -> None:
    warner = Warner()
    assert warner.see(0.0, False, HOUR)
    again = Warner.of(warner.state()[:-2])
    assert again.warning and again.state()[-2:] == Warner().state()[-2:]


def test_it_ends_when_the_limit_is_reached_and_waits_until_the_value_is_back() -> None:
    assert told([1.0, 0.5, 0.0, 0.5, 0.5], {2}) == "11001"[:3] + "11"
    assert told([1.0, 0.0, 0.4, 0.0, 0.4], {1, 3}) == "10101"


def test_what_is_not_known_yet_warns_of_nothing() -> None:
    assert told([float("nan")] * 4) == "0000"


def test_within_the_wait_it_does_not_begin() -> None:
    warner = Warner(2 * HOUR)
    assert not warner.see(0.0, True, 0.0)
    assert not warner.see(0.5 * HOUR, False, 60.0)
    assert warner.see(1.0 * HOUR, False, 60.0)
