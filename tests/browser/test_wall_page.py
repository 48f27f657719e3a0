"""The wall display: what is open in large, honest calm, and the cameras near open incidents before those chosen."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import expect
from signing import sign_in

pytestmark = pytest.mark.browser


def test_cameras_near_open_incidents_come_before_those_that_were_chosen(open_page: Any, mock: Any) -> None:
    more = {"id": "cam-village", "name": {"zh": "村口", "en": "Village"}, "areas": ["village-xixiang-3"]}
    mock.api.world.site["cameras"].append(more)
    page = open_page("#/wall")
    tiles = page.locator("[data-test=wall-cameras] figure")
    expect(page.get_by_text("没有选择相机")).to_be_visible()
    page.get_by_text("选择相机（0）").click()
    page.get_by_role("checkbox", name="村口").check()
    expect(tiles).to_have_count(1)
    expect(tiles.locator("img")).to_be_visible()
    assert page.evaluate("location.hash") == "#/wall?cameras=cam-village"
    mock.do(lambda api: api.world.landslide())
    expect(tiles).to_have_count(2)
    expect(tiles.first).to_have_attribute("data-camera", "cam-slope-1")
    expect(tiles.first).to_contain_text("事件附近")
    expect(page.locator("[data-test=wall-open] li").first).to_contain_text("石岩体育公园后山边坡")


def test_cameras_of_all_that_is_not_calm_come_forward(open_page: Any, mock: Any) -> None:
    more = {"id": "cam-village", "name": {"zh": "村口", "en": "Village"}, "areas": ["village-xixiang-3"]}
    mock.api.world.site["cameras"].append(more)
    (village,) = (area for area in mock.api.world.site["areas"] if area["id"] == "village-xixiang-3")
    village["cameras"].append("cam-village")
    incident = mock.do(lambda api: api.world.landslide())

    def put(api: Any, case: str) -> None:
        like = next(iter(api.world.alarms.values()))
        made = {**like, "id": "alm-co", "rule": "co", "area": "village-xixiang-3", "incident": case, "state": "ACKED"}
        api.world.alarms["alm-co"] = made
        api.world.incidents[incident]["alarms"] = [id for id in ("alm-slope-creep", "alm-co") if case == incident]

    mock.do(lambda api: put(api, incident))
    page = open_page("#/wall")
    tiles = page.locator("[data-test=wall-cameras] figure")
    expect(tiles).to_have_count(2)  # the alarm was merged into the incident of another area
    mock.do(lambda api: put(api, "inc-closed"))
    page.reload()
    expect(tiles.last).to_have_attribute("data-camera", "cam-village")  # it outlived its incident
    expect(tiles).to_have_count(2)


def test_calm_that_is_not_heard_of_is_not_counted_and_who_may_not_look_is_told(open_page: Any, mock: Any) -> None:
    mock.api.world.silenced.add("village-xixiang-3.co")
    page = open_page("#/wall", who="li")
    expect(page.locator("[data-test=wall-honest]")).to_contain_text("2/3")
    expect(page.get_by_text("不能实时查看相机")).to_be_visible()
    page.get_by_role("button", name="EN", exact=True).click()
    expect(page.locator("[data-test=wall-honest]")).to_contain_text("all points heard")


def test_nothing_is_called_calm_before_what_is_open_has_come(open_page: Any, mock: Any) -> None:
    page = open_page("#/wall", who="")
    page.route("**/api/v1/incidents?*", lambda route: route.abort())
    sign_in(page, "li")
    expect(page.locator("[data-test=wall-honest]")).to_contain_text("3/3")
    expect(page.locator("[data-test=wall-counts] li:not(.wall-honest) b")).to_have_text(["–"] * 4)
    page.goto(f"{mock.url}/#/map")
    expect(page.locator("[data-test=areas] [data-area=village-xixiang-3]")).to_contain_text("情况不明")


def test_a_camera_without_a_picture_says_so(open_page: Any, mock: Any) -> None:
    mock.do(lambda api: api.world.landslide())
    mock.api.world.models_broken = True
    page = open_page("#/wall")
    expect(page.locator("[data-test=wall-cameras] figure")).to_contain_text("没有画面")
