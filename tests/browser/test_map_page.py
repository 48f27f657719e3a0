"""The map and the list beside it say the same: what is open, what is calm, and what nobody knows."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from mock_site import plan
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_list_and_map_show_what_is_open_what_is_calm_and_what_is_silent(open_page: Any, mock: Any) -> None:
    mock.api.world.silenced.add("village-xixiang-3.co")
    mock.do(lambda api: api.world.landslide())
    page = open_page("#/map")
    rows = page.locator("[data-test=areas] li")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("橙色预警")
    expect(page.locator("[data-test=areas] [data-area=village-xixiang-3]")).to_contain_text("情况不明")
    for area in ("slope-shiyan-1", "underpass-shajing-2", "village-xixiang-3"):
        expect(page.locator(f"[data-test=map] [data-area={area}]")).to_have_count(1)
    expect(page.locator("[data-test=map] [data-area=slope-shiyan-1] .level-orange")).to_be_visible()
    expect(page.locator("[data-test=map] .map-label")).to_have_text("宝安<img src=x onerror=alert(1)>")
    assert page.locator("[data-test=map] img").count() == 0  # no picture, of no tile server and of no name
    page.get_by_role("combobox", name="显示").select_option(label="有点位失联")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="EN", exact=True).click()
    expect(rows).to_contain_text("No data: not known")


def join(world: Any, incident: str | None) -> None:
    """Have an alarm of another area in an incident, as when it was merged into it: None, in one that is not shown."""
    title = {"zh": "一氧化碳", "en": "Carbon monoxide"}
    other = world.raise_alarm(
        "village-xixiang-3", "village-xixiang-3.co", "co", "yellow", title, time.time() - 60,
        score=0.9, clause="value > 40", value=44.0, simulated=True,
    )  # fmt: skip
    (alarm,) = world.incidents.pop(other)["alarms"]
    world.alarms[alarm]["incident"] = incident or "inc-elsewhere"
    if incident is None:
        return
    world.incidents[incident]["alarms"].append(alarm)


def test_an_area_is_chosen_by_key_or_by_its_mark_and_leads_to_its_incident_and_back(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    mock.api.world.plan = plan()
    mock.do(lambda api: api.world.dispatch(incident, "user:chen", "unit-shiyan-1", "note"))
    mock.do(lambda api: join(api.world, incident))
    page = open_page("#/map")
    link = page.locator("[data-test=areas] [data-area=slope-shiyan-1]")
    link.focus()
    page.keyboard.press("Enter")
    chosen = page.locator("[data-test=chosen-area]")
    expect(chosen).to_contain_text("石岩第一社区应急队")
    expect(chosen.locator(".map-parts li")).to_have_count(4)
    expect(page.locator("[data-test=map] .map-part .part-point")).to_have_count(3)
    expect(page.locator("[data-test=map] path.map-route")).to_have_count(1)  # what its plan draws
    expect(page.locator("[data-test=map] .map-name", has_text="撤离路线")).to_be_visible()
    chosen.get_by_role("link", name="橙色").first.click()
    page.get_by_role("link", name="在地图上查看").click()
    expect(chosen).to_be_visible()
    page.get_by_role("link", name="← 全部区域").click()
    page.locator("[data-test=map] [data-area=village-xixiang-3]").click()
    expect(chosen).to_contain_text("固戍城中村")
    expect(chosen.get_by_role("link", name="黄色")).to_have_attribute("href", re.compile(incident))
    expect(page.locator("[data-test=map] [data-area=village-xixiang-3] .level-yellow")).to_be_visible()  # no calm there
    assert page.evaluate("location.hash") == "#/map/village-xixiang-3"


def test_an_area_is_not_calm_whose_incident_is_closed_or_not_ones_own_while_its_alarm_lasts(
    open_page: Any, mock: Any
) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    page = open_page("#/")
    mock.do(lambda api: api.world.acknowledge(incident, "user:duan"))
    for one in ("inc-underpass-level", incident):
        mock.do(lambda api, one=one: api.world.close(one, "user:duan", "nuisance", "x"))
    expect(page.locator(".calm [data-test=outside]")).to_contain_text("2 条报警仍未恢复，其事件已关闭")
    expect(page.locator(".calm > .shape")).to_be_visible()  # no line of a calm pulse
    page.goto(f"{mock.url}/#/wall")
    expect(page.locator("[data-test=outside]")).to_be_visible()
    expect(page.locator(".wall-calm")).to_have_count(0)
    page.goto(f"{mock.url}/#/map")
    row = page.locator("[data-test=areas] [data-area=slope-shiyan-1]")
    for _ in range(2):  # as it was told of the end, and as it reads all anew
        expect(row).to_contain_text("橙色预警: 位移异常加速")
        expect(page.locator("[data-test=map] [data-area=slope-shiyan-1] .level-orange")).to_be_visible()
        page.reload()
    # what is open there is less than the alarm that outlived its incident
    mock.do(lambda api: join(api.world, None))
    mock.do(lambda api: api.world.users["chen"].update(places=["xixiang"]))
    page.reload()
    row = page.locator("[data-test=areas] [data-area=village-xixiang-3]")
    expect(row).to_contain_text("黄色预警: 一氧化碳")
    row.click()
    expect(page.locator("[data-test=chosen-area] [data-test=outside] a[href*=alm-co]")).to_be_visible()
    page.goto(f"{mock.url}/#/")
    expect(page.locator(".calm [data-test=outside]")).to_contain_text("或属于别处")
    page.get_by_role("button", name="EN", exact=True).click()
    expect(page.locator(".calm [data-test=outside]")).to_contain_text("closed or of other places")


def test_a_phone_has_no_sideways_scroll_and_a_strange_area_is_said_so(open_page: Any, mock: Any) -> None:
    page = open_page("#/map/none", width=390, height=844, phone=True)
    expect(page.get_by_role("alert")).to_contain_text("没有这个区域")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
