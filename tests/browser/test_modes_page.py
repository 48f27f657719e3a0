"""Modes of the site and drills on the page: begun, in sight of everybody on watch, ended before their time."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_mode_is_begun_with_a_reason_stands_on_every_page_and_is_ended(open_page: Any, mock: Any) -> None:
    page = open_page("#/modes")
    expect(page.get_by_text("目前没有生效的模式")).to_be_visible()
    begin = page.get_by_role("button", name="进入", exact=True)
    expect(begin).to_be_disabled()  # no reason, no mode
    page.get_by_role("combobox", name="时长").select_option(label="1 小时")
    page.get_by_role("textbox", name="原因").fill("更换水泵")
    begin.press("Enter")
    expect(page.locator("[data-test=lasting] li")).to_contain_text("更换水泵")
    expect(page.locator("[data-test=modes]")).to_contain_text("检修：整个站点")
    assert [row["reason"] for row in mock.api.world.modes["items"]] == ["更换水泵"]
    page.goto(f"{mock.url}/#/alarms")
    page.locator("[data-test=modes]").get_by_role("link").click()
    page.get_by_role("button", name="提前结束").press("Enter")
    expect(page.get_by_text("目前没有生效的模式")).to_be_visible()
    expect(page.locator("[data-test=modes]")).to_have_count(0)


def test_who_may_not_begin_a_mode_sees_it_all_the_same(open_page: Any, mock: Any) -> None:
    mock.do(lambda api: api.world.put_into_mode("user:chen", "maintenance", [], 4e9, "更换水泵"))
    page = open_page("#/modes", who="duan")
    expect(page.locator("[data-test=modes]")).to_contain_text("检修：整个站点")
    expect(page.locator("[data-test=lasting] li")).to_contain_text("更换水泵")
    expect(page.get_by_role("button", name="提前结束")).to_have_count(0)
    page.goto(f"{mock.url}/#/exercises")
    expect(page.get_by_role("link", name="滑坡演练").first).to_be_visible()
    expect(page.locator("[data-test=scripts]")).to_have_count(0)
    page.get_by_role("button", name="EN", exact=True).click()
    expect(page.locator("[data-test=modes]")).to_contain_text("Maintenance: the whole site (until")
    failed: list[str] = []

    def fail_once(route: Any) -> None:
        if failed:
            route.continue_()
        else:
            failed.append(route.request.url)
            route.abort()

    page.route("**/api/v1/exercises?running=true", fail_once)
    page.reload()
    # it is asked for again sooner than in 30 s
    expect(page.locator("[data-test=exercise]")).to_contain_text("Slide drill", timeout=25_000)
    assert failed


def test_a_drill_is_started_followed_and_ended_by_key_once_it_was_said_whom_it_reaches(
    open_page: Any, mock: Any
) -> None:
    page = open_page("#/exercises")
    scripts = page.locator("[data-test=scripts] li")
    expect(scripts.filter(has_text="未知区域").get_by_role("button")).to_have_count(0)  # one with mistakes
    page.get_by_role("button", name="开始… 滑坡演练").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("只通知声明接收演练的通知目标")
    expect(dialog).to_contain_text("石岩")  # those who take part, by their names
    page.keyboard.press("Escape")
    assert mock.api.world.drill == ""
    page.get_by_role("button", name="开始… 滑坡演练").press("Enter")
    dialog.get_by_role("button", name="开始演练").press("Enter")
    course = page.locator("[data-test=course]")
    expect(course).to_contain_text("1:05 / 10:00")
    expect(course).to_contain_text("演练开始")
    assert mock.api.world.drill == "slide"
    page.get_by_role("button", name="EN", exact=True).click()
    page.get_by_role("button", name="End the drill").press("Enter")
    dialog.get_by_role("button", name="End it now").press("Enter")
    expect(course).to_have_count(0)
    expect(page.get_by_role("button", name="End the drill")).to_have_count(0)
