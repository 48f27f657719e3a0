"""The data explorer: points and time are chosen, stand in the address, and go out as CSV."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_points_and_time_are_chosen_by_key_and_stand_in_the_address(open_page: Any, mock: Any) -> None:
    mock.do(lambda api: api.world.landslide())
    page = open_page("#/explore", who="lin")
    expect(page.get_by_text("选择区域和点位")).to_be_visible()
    page.get_by_role("combobox", name="区域").select_option(label="石岩体育公园后山边坡")
    for name in ("位移 1 号", "雨量"):
        box = page.get_by_role("checkbox", name=name)
        box.focus()
        page.keyboard.press("Space")
        expect(box).to_be_checked()
    page.get_by_role("button", name="6 小时").press("Enter")
    figures = page.locator("[data-test=explored] figure")
    expect(figures).to_have_count(2)
    expect(figures.first.locator("canvas")).to_be_visible()
    expect(figures.first).to_contain_text("最低")
    expect(page.locator("[data-test=explored-alarms] li")).to_contain_text("橙色")
    expect(page.locator("[data-test=explored-events] li")).to_contain_text("碎石落土")
    address = page.evaluate("location.hash")
    assert "span=21600" in address and "rain" in address
    with page.expect_download() as download:
        page.get_by_role("link", name="导出 CSV").click()
    assert download.value.suggested_filename == "readings.csv"
    page.goto(f"{mock.url}/{address}")  # as if somebody had sent it
    expect(figures).to_have_count(2)


def test_until_is_a_time_of_the_site_wherever_the_browser_is(open_page: Any, mock: Any) -> None:
    """The chooser says and takes the site's clock, +08:00, in a browser on the other side of the earth."""
    page = open_page(
        "#/explore?points=slope-shiyan-1.rain&span=3600&to=1790000000", who="lin", timezone_id="America/Los_Angeles"
    )
    until = page.get_by_label("截止")
    expect(until).to_have_value("2026-09-21T22:13")  # 14:13:20 UTC
    until.fill("2026-03-08T02:30")  # a time that there is not in Los Angeles
    page.wait_for_function("location.hash.includes('to=1772908200')")
    expect(page.locator("[data-test=poor]")).to_contain_text("1")


def test_what_was_not_read_whole_is_said(open_page: Any, mock: Any) -> None:
    page = open_page("#/explore?points=slope-shiyan-1.rain,none&span=2592000", who="lin", language="en")
    page.get_by_role("button", name="EN", exact=True).click()
    expect(page.locator("[data-test=partial]")).to_contain_text("only what came after")
    expect(page.locator("[data-test=explored] figure")).to_have_count(1)  # a point that there is not is left out
    page.route("**/api/v1/explore?**", lambda route: route.abort())
    page.get_by_role("button", name="7 d").click()
    expect(page.get_by_role("alert").get_by_role("button", name="Try again")).to_be_visible()
