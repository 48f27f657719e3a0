"""The situation: the same figures for the district and for each place below it."""

from __future__ import annotations

import time
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_each_place_has_its_own_figures_and_leads_to_those_below(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    mock.do(lambda api: api.world.dispatch(incident, "user:chen", "unit-shiyan-1", "note"))
    next(iter(mock.api.world.dispatches.values()))["deadline"] = time.time() - 60
    mock.api.world.silenced.add("village-xixiang-3.co")
    areas = mock.api.world.site["areas"]
    beside = next(one for one in areas if one["id"] == "underpass-shajing-2")
    areas.append({**beside, "id": "beside"})  # its points are those of two areas
    page = open_page("#/situation", who="li")
    rows = page.locator("[data-test=situation] tbody tr")
    expect(rows).to_have_count(4)

    def figures(name: str) -> list[str]:
        found: list[str] = rows.filter(has_text=name).locator("td").all_inner_texts()
        return [one.strip() for one in found]

    # areas; red, orange, yellow, blue; calm, partly, not known; orders, late; points
    assert figures("宝安区") == ["4", "0", "1", "1", "0", "1", "0", "1", "1", "1", "1006/1012"]  # as the header has it
    assert figures("石岩街道") == ["1", "0", "1", "0", "0", "0", "0", "0", "1", "1", "3/3"]
    assert figures("沙井街道")[0::10] == ["2", "1/1"]
    assert figures("西乡街道") == ["1", "0", "0", "0", "0", "0", "0", "1", "0", "0", "0/1"]
    page.get_by_role("link", name="石岩街道").press("Enter")
    expect(rows).to_have_count(2)
    page.get_by_role("link", name="石岩第一社区").press("Enter")
    page.get_by_role("link", name="石岩体育公园后山边坡").click()
    assert page.evaluate("location.hash") == "#/map/slope-shiyan-1"


def test_a_place_that_there_is_not_is_said_so_in_both_languages(open_page: Any, mock: Any) -> None:
    page = open_page("#/situation/none")
    expect(page.get_by_text("没有这个地方")).to_be_visible()
    page.get_by_role("button", name="EN", exact=True).click()
    expect(page.get_by_text("no such place")).to_be_visible()
