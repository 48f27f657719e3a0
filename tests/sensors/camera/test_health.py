from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from sensors.camera.health import Health, Judgement
from sensors.camera.spoiling import FAULTS, HARMLESS, Spoiler, harmless
from sensors.camera.stream import Frame
from sensors.site import HealthSettings
from tests.sensors.camera.scenery import SIZE, Street, Wall


def fed(health: Health, frames: int, make: Callable[[], Frame], start: float = 0.0) -> list[Judgement]:
    """Feed frames a second apart; return what was said."""
    said = [health.feed(start + n, make()) for n in range(frames)]
    return [one for one in said if one is not None]


def learnt(**settings: float | tuple[str, ...]) -> tuple[Health, Street]:
    """Make a health that has learnt a street."""
    street = Street()
    health = Health(HealthSettings(**settings))  # type: ignore[arg-type]
    said = fed(health, 60, street.frame)
    assert [one.state for one in said] == ["learning", "good"]
    return health, street


def test_the_warm_up_says_learning_and_a_clean_view_stays_good() -> None:
    health, street = learnt()
    assert fed(health, 300, street.frame, 60) == []
    assert health.now == Judgement(29.0, "good", {}, True)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_found_in_time_and_ends_with_it(fault: str) -> None:
    health, street = learnt()
    spoil = Spoiler(fault)
    said = fed(health, 40, lambda: spoil(street.frame()), 60)
    assert said[0].state == "fault"
    assert fault in said[-1].faults
    assert all(0 < confidence <= 1 for confidence in said[-1].faults.values())
    found = next(one for one in said if fault in one.faults)
    assert found.time - 60 < (30 if fault == "freeze" else 10)
    over = fed(health, 20, street.frame, 100)
    assert (over[-1].state, over[-1].faults, over[-1].judged) == ("good", {}, True)


def test_a_slight_blur_is_found_by_the_finer_detail() -> None:
    health, street = learnt()
    said = fed(health, 10, lambda: cv2.GaussianBlur(street.frame(), (0, 0), 0.005 * SIZE[1]), 60)
    assert [one.faults.keys() for one in said] == [{"blur"}]


def test_a_camera_that_was_nudged_by_a_pixel_or_two_is_not_blurred() -> None:
    health, street = learnt()
    nudge = np.array([[1, 0, 0.005 * SIZE[1]], [0, 1, 0]], np.float32)
    said = fed(health, 20, lambda: cv2.warpAffine(street.frame(), nudge, SIZE[::-1], borderMode=cv2.BORDER_REFLECT), 60)
    assert [one.faults for one in said] == []


@pytest.mark.parametrize("side", [np.s_[:, : SIZE[1] // 2], np.s_[: SIZE[0] // 2], np.s_[SIZE[0] // 2 :]])
@pytest.mark.parametrize("luma", [0, 120, 230])
def test_half_a_view_behind_something_is_covered(side: tuple[slice, ...], luma: int) -> None:
    health, street = learnt()

    def covered() -> Frame:
        frame = street.frame()
        frame[side] = luma
        return frame

    assert [one.faults.keys() for one in fed(health, 10, covered, 60)] == [{"cover"}]


def test_a_view_of_which_most_is_too_dark_to_be_seen_is_not_covered() -> None:
    health, street = learnt()
    light = np.full((*SIZE, 1), 0.05)
    light[:, : SIZE[1] // 3] = 0.4  # a lamp
    said = fed(health, 20, lambda: (street.frame() * light).astype(np.uint8), 60)
    assert [one.faults for one in said if "cover" in one.faults] == []


@pytest.mark.parametrize("along", [0, 1])
def test_a_view_blurred_by_motion_is_blurred_and_not_moved(along: int) -> None:
    health, street = learnt()
    kernel = np.full((1, 11) if along else (11, 1), 1 / 11, np.float32)
    said = fed(health, 10, lambda: cv2.filter2D(street.frame(), -1, kernel), 60)
    assert [one.faults.keys() for one in said] == [{"blur"}]


@pytest.mark.parametrize("kind", HARMLESS)
def test_weather_and_daylight_are_no_fault(kind: str) -> None:
    street, health, random = Street(), Health(), np.random.default_rng(5)
    said = [health.feed(float(n), harmless(kind, street.frame(), n / 400, random)) for n in range(400)]
    assert [one.faults for one in said if one is not None and one.faults] == []
    assert health.now is not None and health.now.judged


def test_a_view_with_too_little_in_it_is_said_to_be_unjudged_but_black_is_told() -> None:
    wall, health = Wall(), Health()
    said = fed(health, 60, wall.frame)
    assert [(one.state, one.judged) for one in said] == [("learning", False), ("unjudged", False)]
    spoil = Spoiler("blur")
    assert fed(health, 20, lambda: spoil(wall.frame()), 60) == []
    black = fed(health, 10, lambda: np.zeros((*SIZE, 3), np.uint8), 80)
    assert [(one.state, set(one.faults), one.judged) for one in black] == [("fault", {"black"}, False)]


def test_a_view_that_never_stands_still_is_unjudged() -> None:
    street, health, turn = Street(), Health(), iter(range(1000))
    said = fed(health, 90, lambda: np.roll(street.frame(), 17 * next(turn), axis=1))
    assert [one.state for one in said] == ["learning", "unjudged"]


def test_a_passing_lorry_of_a_few_frames_is_no_cover() -> None:
    health, street = learnt()
    spoil = Spoiler("cover")
    assert fed(health, 4, lambda: spoil(street.frame()), 60) == []
    assert fed(health, 20, street.frame, 64) == []


def test_a_turned_camera_takes_the_new_view_for_its_own_after_the_time_given() -> None:
    health, street = learnt(relearn=60.0)
    spoil = Spoiler("shift")
    said = fed(health, 160, lambda: spoil(street.frame()), 60)
    assert "shift" in said[0].faults
    assert (said[-1].state, said[-1].faults) == ("good", {})
    back = fed(health, 20, street.frame, 220)
    assert back and "shift" in back[0].faults, "and then the old view is the strange one"


def test_a_cover_is_never_taken_for_the_view() -> None:
    health, street = learnt(relearn=60.0)
    spoil = Spoiler("cover")
    fed(health, 200, lambda: spoil(street.frame()), 60)
    assert health.now is not None and "cover" in health.now.faults


def test_a_dark_camera_is_black_while_it_is_still_learning() -> None:
    health = Health()
    said = fed(health, 10, lambda: np.full((*SIZE, 3), 2, np.uint8))
    assert [one.state for one in said] == ["learning", "fault"]
    assert set(said[-1].faults) == {"black"}
    assert not said[-1].judged


def test_night_in_another_structure_is_learnt_anew_and_the_day_known_again() -> None:
    day, night = Street(3), Street(8)
    health = Health()
    fed(health, 60, day.frame)

    def grey() -> Frame:
        return cv2.cvtColor(cv2.cvtColor(night.frame(), cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)  # type: ignore[return-value]

    said = fed(health, 60, grey, 60)
    assert [(one.state, one.faults) for one in said] == [("learning", {}), ("good", {})]
    assert fed(health, 60, day.frame, 120) == [], "the day's view was kept"


def test_ignored_faults_are_not_told() -> None:
    health, street = learnt(ignore=("black",))
    assert fed(health, 20, lambda: np.zeros((*SIZE, 3), np.uint8), 60) == []
    assert fed(health, 10, street.frame, 80) == []


def test_loss_of_signal_is_told_once_and_ended_by_a_frame() -> None:
    health, street = learnt()
    lost = health.lost(60.0)
    assert lost == Judgement(60.0, "lost", {"loss": 1.0}, False)
    assert health.lost(61.0) is None
    back = health.feed(62.0, street.frame())
    assert back is not None and (back.state, back.faults) == ("good", {})


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 4), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(frame: np.ndarray) -> None:
    with pytest.raises(ValueError, match="height × width × 3"):
        Health().feed(0.0, frame)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(1, 1), (7, 2000), (2000, 7), (48, 64)])
def test_pictures_of_any_shape_are_judged(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    health = Health()
    for n in range(40):
        health.feed(float(n), random.integers(0, 255, (*shape, 3), np.uint8, endpoint=True))
    assert health.now is not None


def test_the_state_is_small() -> None:
    view = learnt()[0]._view
    held = sum(one.nbytes for one in (view.dx, view.dy, view.square, view.picture, view.fine))
    assert held <= 700_000
    kept = sum(one.nbytes for one in (*view.steady(), *view._steady_fine()))
    assert kept <= 800_000
