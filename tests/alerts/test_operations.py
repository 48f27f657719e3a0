from __future__ import annotations

from typing import Any

from alerts.operations import begun, operations
from sensors.site import Camera, Text


def camera(id: str, area: str = "a", supplier: str = "acme") -> Camera:
    return Camera(id=id, name=Text(zh="", en=""), areas=(area,), supplier=supplier)


def change(scope: str, time: float, after: str, alarm: str = "") -> dict[str, Any]:
    return {"scope": scope, "alarm": alarm or f"alarm of {scope}", "after": after, "time": time}


def told(cameras: list[Camera], *changes: dict[str, Any], live: tuple[str, ...] = ()) -> dict[str, Any]:
    return operations(cameras, changes, dict.fromkeys(live, "live"), 1000.0, 2000.0)


def test_a_camera_without_alarms_is_in_order_and_of_one_never_heard_nobody_knows() -> None:
    found = told([camera("heard"), camera("k"), camera("j", "b", "other")], live=("heard",))
    one, known = sorted(found["cameras"], key=lambda one: one["camera"] == "heard")[-2:]
    assert (known["state"], known["troubled"], known["in_order"], known["troubles"]) == ("live", False, 1.0, 0)
    assert (one["state"], one["troubled"], one["in_order"]) == ("never", False, None)
    assert (one["repairs"], one["time_to_repair"]) == (0, None)
    assert {one["name"]: one["in_order"] for one in found["suppliers"]} == {"acme": 1.0, "other": None}


def test_nothing_is_told_of_the_time_before_the_installation() -> None:
    assert begun([], None) == 0.0
    assert begun([500.0, 300.0], 400.0) == 300.0
    assert begun([500.0], 400.0) == 400.0


def test_troubles_that_overlap_count_their_time_once_and_their_repairs_each() -> None:
    changes = [
        change("k", 1100, "UNACK", "loss"),
        change("k", 1150, "UNACK", "black"),
        change("k", 1160, "ACKED", "loss"),
        change("k", 1200, "NORM", "loss"),
        change("k", 1300, "RTNUN", "black"),
        change("k", 1400, "NORM", "black"),
    ]
    [one] = told([camera("k")], *changes)["cameras"]
    assert one["in_order"] == 0.8
    assert (one["troubles"], one["repairs"], one["time_to_repair"]) == (2, 2, 125.0)


def test_a_trouble_that_lasts_is_no_repair_and_one_from_before_counts_within_the_span_only() -> None:
    old = [change("k", 500, "UNACK", "x"), change("k", 600, "RTNUN", "x"), change("k", 900, "UNACK")]
    [one] = told([camera("k")], *old)["cameras"]
    assert (one["troubled"], one["in_order"], one["troubles"], one["repairs"]) == (True, 0.0, 1, 0)
    [one] = told([camera("k")], *old, change("k", 1500, "RTNUN"))["cameras"]
    assert (one["troubled"], one["in_order"], one["time_to_repair"]) == (False, 0.5, 600.0)


def test_what_is_shelved_says_nothing_of_the_camera() -> None:
    changes = [change("k", 1100, "UNACK"), change("k", 1200, "SHLVD"), change("k", 1300, "NORM")]
    assert told([camera("k")], *changes)["cameras"][0]["in_order"] == 0.8
    assert told([camera("k")], change("k", 1100, "SHLVD"), live=("k",))["cameras"][0]["in_order"] == 1.0


def test_the_worst_come_first_and_areas_and_suppliers_have_means() -> None:
    cameras = [camera("good"), camera("was", "b"), camera("is", "b", "other"), camera("dead", "c", "other")]
    changes = [change("was", 1000, "UNACK"), change("was", 1500, "NORM"), change("is", 1900, "UNACK")]
    found = told(cameras, *changes, live=("good", "was", "is"))
    assert [one["camera"] for one in found["cameras"]] == ["is", "dead", "was", "good"]
    assert [one["name"] for one in found["areas"]] == ["b", "a", "c"]
    worst = found["areas"][0]
    assert (worst["cameras"], worst["online"], worst["troubled"], worst["troubles"]) == (2, 2, 1, 2)
    assert round(worst["in_order"], 3) == 0.7
    by = {one["name"]: one for one in found["suppliers"]}
    assert by["acme"]["time_to_repair"] == 500.0
    assert (by["other"]["online"], by["other"]["time_to_repair"]) == (1, None)
