"""Data quality on the page: the worst points and the way to their readings, what was refused and what a mend takes."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_poor_point_leads_to_its_readings_and_what_was_refused_is_taken_after_a_mend(open_page: Any) -> None:
    page = open_page("#/inputs", who="lin")
    row = page.locator("[data-test=quality] tbody tr")
    expect(row).to_contain_text("突跳 3")
    expect(row).to_contain_text("快 1 分钟")
    expect(row.get_by_role("link", name="数据探查")).to_have_attribute(
        "href", "#/explore?points=slope-shiyan-1.rain&span=86400"
    )
    page.get_by_role("link", name="摄像机", exact=True).press("Enter")
    cameras = page.locator("[data-test=cameras] tbody tr")
    expect(cameras).to_have_count(1)
    page.get_by_label("状态").select_option("live")
    expect(cameras).to_have_count(0)
    page.get_by_label("状态").select_option("stale")
    expect(cameras).to_have_count(1)
    expect(cameras).to_contain_text(re.compile(r"失联.*故障中.*72\.5.*3.*1 小时 30 分"))
    page.get_by_role("link", name="隔离区").press("Enter")
    refused = page.locator("[data-test=refused] li")
    refused.locator("summary").press("Enter")
    expect(refused.locator("pre")).to_have_text("0.12")
    take = page.get_by_role("button", name="补收", exact=True)
    expect(take).to_be_disabled()  # first one looks at what would come of it
    page.get_by_role("button", name="试解码").press("Enter")
    expect(page.locator("[data-test=again]")).to_contain_text("可接收 1")
    take.press("Enter")
    expect(refused).to_contain_text("已补收")


def test_who_is_on_duty_sees_what_was_refused_and_takes_nothing(open_page: Any) -> None:
    page = open_page("#/inputs/quarantine", who="duan")
    expect(page.locator("[data-test=refused] li")).to_have_count(1)
    expect(page.locator("[data-test=again]")).to_have_count(0)
