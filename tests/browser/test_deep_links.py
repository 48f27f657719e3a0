"""What a list is asked for stands in its address: a link, a reload and the way back show the same."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

# what is chosen by hand on a page, and the address that it makes; the page is left and come back to by that address
SELECT, TYPE, TICK, PRESS = "select", "type", "tick", "press"
FILTERS: dict[str, list[tuple[str, str, str, str]]] = {
    "#/alarms": [
        (SELECT, ".filters select >> nth=0", "stale", "state=stale"),
        (SELECT, ".filters select >> nth=1", "red", "level=red"),
        (TYPE, ".filters input", "rain", "find=rain"),
    ],
    "#/reports": [
        (SELECT, ".filters select >> nth=0", "day", "period=day"),
        (SELECT, ".filters select >> nth=1", "slope-shiyan-1", "area=slope-shiyan-1"),
        (TYPE, ".filters input", "noise", "category=noise"),
    ],
    "#/inputs": [(SELECT, ".filters select", "slope-shiyan-1", "area=slope-shiyan-1")],
    "#/inputs/cameras": [
        (SELECT, ".filters select >> nth=0", "slope-shiyan-1", "area=slope-shiyan-1"),
        (SELECT, ".filters select >> nth=1", "live", "state=live"),
    ],
    "#/inputs/quarantine": [(TYPE, ".filters input >> nth=1", "cams/7", "topic=cams%2F7")],
    "#/rules": [
        (TYPE, ".filters input", "slope", "find=slope"),
        (SELECT, ".filters select", "90", "days=90"),
    ],
    "#/models/points": [
        (SELECT, ".filters select >> nth=0", "slope-shiyan-1", "area=slope-shiyan-1"),
        (SELECT, ".filters select >> nth=1", "known", "state=known"),
        (TYPE, ".filters input", "rain", "find=rain"),
    ],
    "#/map": [
        (SELECT, ".filters select", "silent", "show=silent"),
        (TYPE, ".filters input", "slope", "find=slope"),
    ],
    "#/modes": [(TICK, "main input[type=checkbox] >> nth=-1", "", "past=1")],
    "#/admin/audit": [
        (SELECT, ".filters select", "session", "action=session"),
        (TYPE, ".filters input >> nth=0", "user:chen", "actor=user%3Achen"),
    ],
    "#/admin/tokens": [(TICK, "main input[type=checkbox]", "", "old=1")],
    "#/models/triage": [(PRESS, "[data-test=triage-models] tbody button.code >> nth=0", "", "version=0b5e77c1d2a3")],
    "#/explore": [
        (SELECT, ".explore-choice select", "slope-shiyan-1", "area=slope-shiyan-1"),
        (TICK, "[data-test=points] input >> nth=0", "", "points=slope-shiyan-1.displacement-1"),
        (PRESS, ".filters .segments button >> nth=1", "", "span=21600"),
    ],
    "#/alarms/alm-underpass-level": [(PRESS, ".evidence .segments button >> nth=3", "", "span=86400")],
    "#/": [(PRESS, ".queue .segments button >> nth=1", "", "kind=technical")],
}
OF_ANALYSTS = ("#/inputs", "#/rules", "#/models", "#/explore")


def stands(page: Any, kind: str, where: str, value: str) -> None:
    """Expect a filter to be as it was chosen."""
    control = page.locator(where)
    if kind == TICK:
        expect(control).to_be_checked()
    elif kind == PRESS:
        expect(control).to_have_attribute("aria-pressed", "true")
    else:
        expect(control).to_have_value(value)


@pytest.mark.parametrize("who", ["chen", "lin"])
def test_every_filter_of_every_list_is_in_its_address(open_page: Any, mock: Any, who: str) -> None:
    page = open_page(who=who)
    asked: dict[str, list[tuple[str, str, str, str]]] = {}
    for path, filters in FILTERS.items():
        if path.startswith(OF_ANALYSTS) != (who == "lin"):
            continue
        page.goto(f"{mock.url}/{path}")
        for kind, where, value, query in filters:
            control = page.locator(where)
            if kind == SELECT:
                control.select_option(value)
            elif kind == TYPE:
                control.fill(value)
                control.press("Enter")
            else:
                control.click()
            expect(page).to_have_url(re.compile(rf"[?&]{re.escape(query)}(&|$)"))
        asked[page.url] = filters
    for address, filters in asked.items():  # by link
        page.goto(address)
        for kind, where, value, _ in filters:
            stands(page, kind, where, value)
    page.reload()
    for kind, where, value, _ in filters:
        stands(page, kind, where, value)
    for filters in list(asked.values())[-2::-1]:  # and one step back after the other
        page.go_back()
        for kind, where, value, _ in filters:
            stands(page, kind, where, value)


def test_an_address_that_asks_for_nonsense_shows_the_list_as_usual(open_page: Any, mock: Any) -> None:
    page = open_page()
    for path in ("#/alarms?state=%00", "#/reports?period=toString", "#/map?show=constructor"):
        page.goto(f"{mock.url}/{path}")
        expect(page.locator(".filters select >> nth=0")).to_have_value(re.compile("^(open|fortnight|all)$"))
