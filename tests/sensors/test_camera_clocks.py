"""Clocks of cameras: a wrong one is noted, counted and set right by what its events say, as those of points are."""

from __future__ import annotations

import json

import msgspec

from sensors.clocks import SAMPLES
from sensors.intake import Batch, Intake
from sensors.lookup import Registry
from sensors.observation import GOOD, HISTORICAL, LATE, SKEWED, CameraEvent
from sensors.site import Camera, Skew
from tests.sensors.test_intake import refused, take
from tests.sensors.test_tellers import NOW, seen, told, watched

HOUR = 3600.0


def intake(**skew: float | bool) -> Intake:
    site = watched("a0", "a1")
    return Intake(Registry(msgspec.structs.replace(site, skew=Skew(**skew))))  # type: ignore[arg-type]


def settle(made: Intake, behind: float, start: float = NOW, count: int = SAMPLES) -> list[Batch]:
    """Let the gate's camera see something once a minute with its clock `behind`."""
    return [take(made, seen("gate", start + 60 * n - behind, n), received=start + 60 * n) for n in range(count)]


def events(batch: Batch, camera: str = "gate") -> list[tuple[float, int]]:
    found = [one for one in told(batch, CameraEvent) if one.camera == camera]
    assert [one.area for one in found] == ["a0", "a1"]
    return list(dict.fromkeys((one.time, one.quality) for one in found))


def test_a_camera_hours_behind_is_noted_counted_and_set_right() -> None:
    made = intake()
    batches = settle(made, 7 * HOUR)
    assert [events(batch) for batch in batches[:-1]] == [
        [(NOW + 60 * n - 7 * HOUR, LATE)] for n in range(SAMPLES - 1)
    ], "until it is known, they are taken as they come"
    [note] = [one for batch in batches for one in refused(batch)]
    assert (note.reason, note.readings) == ("skewed", 0)
    assert note.detail == "camera gate: the clock is 25200.000 s behind; times are set right from here on"
    assert made.checks.camera_clocks.figures() == {"gate": -7 * HOUR} and made.checks.camera_clocks.wrong == 1
    now = NOW + 60 * SAMPLES
    batch = take(made, seen("gate", now - 7 * HOUR, 99), seen("yard", now, 100), received=now)
    assert events(batch) == [(now, SKEWED)], "so that what was seen within five minutes is"
    assert events(batch, "yard") == [(now, GOOD)]


def test_a_camera_ahead_is_refused_until_it_is_known() -> None:
    made = intake()
    batches = settle(made, -HOUR)
    assert not any(told(batch, CameraEvent) for batch in batches[:-1])
    assert made.quarantine.counts["future"] == 2 * (SAMPLES - 1), "in each of its areas"
    now = NOW + 60 * SAMPLES
    assert events(take(made, seen("gate", now + HOUR, 99), received=now)) == [(now, SKEWED)]


def test_a_site_may_only_want_to_be_told() -> None:
    made = intake(correct=False)
    settle(made, HOUR)
    now = NOW + 60 * SAMPLES
    assert events(take(made, seen("gate", now - HOUR, 99), received=now)) == [(now - HOUR, LATE | SKEWED)]


def test_a_clock_that_is_right_again_is_told_so() -> None:
    made = intake()
    settle(made, HOUR)
    batches = settle(made, 0.0, NOW + 60 * SAMPLES, 3)
    assert [one.detail for batch in batches for one in refused(batch)] == ["camera gate: the clock is right again"]
    assert [events(batch) for batch in batches] == [[(NOW + 60 * (SAMPLES + n), GOOD)] for n in range(3)]


def test_what_the_broker_has_stored_and_what_has_no_time_says_nothing_of_a_clock() -> None:
    made = intake()
    for n in range(2 * SAMPLES):
        now = NOW + 60 * n
        batch = take(made, seen("gate", now - HOUR, n), retained=(0,), received=now)
        assert events(batch) == [(now - HOUR, LATE | HISTORICAL)]
        after = {"id": f"u{n}", "camera": "yard", "label": "person"}
        payload = json.dumps({"type": "new", "before": after, "after": after}).encode()
        assert events(take(made, ("frigate/events", payload), received=now), "yard") == [(now, GOOD)]
    assert made.checks.camera_clocks.wrong == 0


def test_what_is_known_of_a_clock_goes_on_under_another_version_of_the_site() -> None:
    made = intake()
    settle(made, HOUR)
    site = made.registry.site
    gate = msgspec.structs.replace(site.cameras[0], id="north-gate", source="gate", renamed_from=("gate",))
    first = Camera(id="attic", name=gate.name, areas=("a0",))
    fresh = Intake(Registry(msgspec.structs.replace(site, version="2", cameras=(first, gate))))
    fresh.succeed(made)
    assert fresh.checks.camera_clocks.figures() == {"north-gate": -HOUR}
    now = NOW + 60 * SAMPLES
    batch = take(fresh, seen("gate", now - HOUR, 99), seen("attic", now, 1), received=now)
    assert {(one.camera, one.time) for one in told(batch, CameraEvent)} == {("north-gate", now), ("attic", now)}
