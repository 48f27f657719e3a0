"""What the example district's rules make of each scene: which alarms, where, at which level, and who is sent when."""

from __future__ import annotations

import pytest

from scripts.commands.run import SPEED
from scripts.simulator.scenes import SCENES
from scripts.simulator.world import World
from streams.bundle import Bundle
from tests.scripts.simulator.bed import RANK, Bed, Minutes, peak


def played(morning: tuple[Bed, World], name: str, speed: float) -> tuple[Bed, Minutes]:
    """Play a scene after the shared quiet history."""
    quiet, before = morning
    bed = quiet.copy()
    world = bed.world(name, after=before)
    begun = bed.wall
    bed.play(world, SCENES[name].lasts, speed)
    return bed, Minutes(begun, speed)


def after_its_own_history(district: Bundle, name: str, speed: float) -> tuple[Bed, Minutes]:
    """Play a scene whose weather began long before it."""
    bed = Bed.published(district)
    world = bed.world(name)
    bed.history(world)
    begun = bed.wall
    bed.play(world, SCENES[name].lasts, speed)
    return bed, Minutes(begun, speed)


@pytest.fixture(scope="module")
def landslide(district: Bundle) -> tuple[Bed, Minutes]:
    """Play the landslide once, as `foreshock run` does."""
    return after_its_own_history(district, "landslide", SPEED)


def elsewhere(bed: Bed, area: str) -> set[tuple[str, str, str]]:
    """Name the risk alarms of other areas: (area, rule, level)."""
    return {(one.area, one.rule, one.level) for one in bed.alarms() if one.area != area}


def test_history_alone_raises_no_risk_alarm(morning: tuple[Bed, World]) -> None:
    quiet, _ = morning
    assert [(one.rule, one.scope) for one in quiet.alarms()] == []
    assert quiet.refused == {}


def test_a_quiet_night_stays_quiet(morning: tuple[Bed, World]) -> None:
    bed, _ = played(morning, "quiet-night", 240.0)
    assert [(one.rule, one.scope, one.level) for one in bed.alarms()] == []
    assert bed.dispatches() == []
    assert bed.refused == {}


def test_the_landslide_goes_from_yellow_to_red_long_before_the_fixed_limit(landslide: tuple[Bed, Minutes]) -> None:
    bed, minutes = landslide
    creep = [one for one in bed.alarms(area="slope-01") if one.rule == "slope-creep"]
    first = {
        level: min(minutes(one.time) for one in creep if one.level == level) for level in ("yellow", "orange", "red")
    }
    assert first["yellow"] < first["orange"] < first["red"] <= 36
    crossed = min(minutes(time) for time, value in bed.heard("slope-01-displacement-1") if value >= 40.0)
    assert first["red"] < crossed - 15
    incidents = {one.area: one for one in bed.incidents().values()}
    assert len(bed.incidents()) == len(incidents), "one incident an area"
    assert incidents["slope-01"].peak == "red"
    sent = bed.dispatches()
    assert {one.area for one in sent} == {"slope-01"}
    orange = min(one.time for one in creep if one.level == "orange")
    assert min(one.time for one in sent) == orange, "dispatched at once"
    assert {rule for _, rule, _ in elsewhere(bed, "slope-01")} <= {"slope-soaked"}
    assert {level for _, _, level in elsewhere(bed, "slope-01")} <= {"blue", "yellow"}


def test_debris_on_the_camera_is_what_makes_the_landslide_red(landslide: tuple[Bed, Minutes]) -> None:
    bed, _ = landslide
    red = next(one for one in bed.alarms(area="slope-01") if one.level == "red")
    assert red.explanation is not None
    assert red.explanation.cameras == ("slope-01-cam-1",)
    assert any(term.name.startswith("seen('debris'") and term.holds for term in red.explanation.terms)


@pytest.mark.parametrize(
    ("scene", "area", "speed", "level", "within"),
    [
        ("gas-leak", "gas-01", 30.0, "red", 14),
        ("charging-fire", "village-01", 10.0, "red", 6),
        ("crowd-surge", "crowd-05", 30.0, "red", 30),
    ],
)
def test_a_scene_reaches_its_level_in_its_area_only(
    morning: tuple[Bed, World], scene: str, area: str, speed: float, level: str, within: float
) -> None:
    bed, minutes = played(morning, scene, speed)
    mine = bed.alarms(area=area)
    assert peak(mine) == level
    assert min(minutes(one.time) for one in mine if one.level == level) <= within
    assert elsewhere(bed, area) == set()
    assert len(bed.incidents()) == 1
    assert {one.area for one in bed.dispatches()} == {area}
    sent = min(one.time for one in bed.dispatches())
    assert sent <= min(one.time for one in mine if RANK[one.level] >= RANK["orange"]), "dispatched at once"


def test_the_flooded_underpass_is_closed_before_the_water_is_deep(district: Bundle) -> None:
    bed, minutes = after_its_own_history(district, "flooded-underpass", 45.0)
    mine = bed.alarms(area="drainage-01")
    assert peak(mine) == "red"
    sent = min(minutes(one.time) for one in bed.dispatches())
    deep = min(minutes(time) for time, value in bed.heard("drainage-01-level-1") if value >= 27.0)
    assert sent < deep, "traffic is stopped at 27 cm"
    assert {one.area for one in bed.dispatches()} == {"drainage-01"}
    assert {rule for _, rule, _ in elsewhere(bed, "drainage-01")} <= {"slope-soaked"}
    assert {level for _, _, level in elsewhere(bed, "drainage-01")} <= {"blue", "yellow"}


def test_dead_sensors_raise_data_quality_alarms_and_nothing_else(morning: tuple[Bed, World]) -> None:
    bed, _ = played(morning, "sensor-death", 10.0)
    assert bed.alarms() == []
    assert bed.dispatches() == []
    assert {(one.rule, one.scope) for one in bed.alarms("data_quality")} == {
        ("no-data", "slope-02-displacement-1"),
        ("no-data", "slope-02-displacement-2"),
        ("no-data", "chemical-01-toxic-1"),
        ("stuck", "dust-02-h2s-1"),
    }


def test_the_same_seed_gives_the_same_alarms(morning: tuple[Bed, World]) -> None:
    once, again = (played(morning, "gas-leak", 40.0)[0] for _ in range(2))
    assert [one.id for one in once.outcomes] == [one.id for one in again.outcomes] != []


def test_everything_that_a_simulated_reading_raises_is_marked(morning: tuple[Bed, World]) -> None:
    bed, _ = played(morning, "charging-fire", 30.0)
    assert bed.alarms() and all(one.simulated for one in bed.alarms())
    assert all(one.simulated for one in (*bed.dispatches(), *bed.incidents().values()))
