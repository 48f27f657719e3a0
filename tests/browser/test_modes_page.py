"""Modes of the site on the page: begun with a reason, in sight of everybody on watch, ended before their time."""

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
    page.get_by_role("button", name="EN", exact=True).click()
    expect(page.locator("[data-test=modes]")).to_contain_text("Maintenance: the whole site (until")
