"""Every page passes axe in both themes and languages, on desk and phone; each is dark in one and light in the other.

With `FORESHOCK_TEST_PICTURES` naming a folder, a picture of each is kept there, to be looked at.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
from axe_playwright_python.sync_playwright import Axe
from signing import sign_in

pytestmark = pytest.mark.browser

PICTURES = os.environ.get("FORESHOCK_TEST_PICTURES", "")
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
PAGES = {
    "watch": ("#/", "chen", "#incident-title"),
    "alarms": ("#/alarms", "chen", "[data-test=alarms] li"),
    "alarm": ("#/alarms/alm-slope-creep", "chen", ".plot canvas"),
    "reports": ("#/reports", "chen", "[data-test=reports] li"),
    "models": ("#/models", "lin", "[data-test=area-models]"),
    "triage": ("#/models/triage", "lin", "[data-test=calibration-curve]"),
    "points": ("#/models/points", "lin", "[data-test=point-calibration]"),
    "kinds": ("#/models/kinds", "lin", "[data-test=guessed] li"),
    "handover": ("#/handover", "chen", "form.sign"),
    "exercises": ("#/exercises/e1", "chen", "[data-test=course] progress"),
    "scripts": ("#/exercises", "chen", "[data-test=scripts] li"),
    "rules": ("#/rules", "lin", "[data-test=rules] tbody tr"),
    "replay": ("#/rules/replay", "lin", "[data-test=changes] li"),
    "editor": ("#/rules/edit/slope-creep", "lin", "[data-test=tests] li"),
    "drafts": ("#/rules/edit", "lin", "form.filters"),
    "sweep": ("#/rules/replay", "lin", "[data-test=sweep-chart]"),
    "shadow": ("#/rules/shadow", "lin", "[data-test=compared]"),
    "versions": ("#/rules/versions", "lin", "[data-test=proposals] li"),
    "modes": ("#/modes", "chen", "[data-test=lasting] li"),
    "map": ("#/map/slope-shiyan-1", "chen", "[data-test=chosen-area] .map-parts li"),
    "situation": ("#/situation", "chen", "[data-test=share-lines]"),
    "wall": ("#/wall", "chen", "[data-test=wall-cameras] img"),
    "explore": ("#/explore?points=slope-shiyan-1.rain&span=3600", "lin", "[data-test=explored] canvas"),
    "quality": ("#/inputs", "lin", "[data-test=quality] tbody tr"),
    "cameras": ("#/inputs/cameras", "lin", "[data-test=cameras] tbody tr"),
    "board": ("#/field", "chen", "[data-test=board] li"),
    "quarantine": ("#/inputs/quarantine", "lin", "[data-test=refused] li"),
    "notifications": ("#/notifications", "chen", "[data-test=target]"),
    "users": ("#/users", "chen", "table.users"),
    "tokens": ("#/admin/tokens", "chen", "[data-test=tokens]"),
    "sessions": ("#/admin/sessions", "chen", "[data-test=sessions]"),
    "audit": ("#/admin/audit", "chen", "[data-test=audit]"),
    "system": ("#/admin/system", "chen", "[data-test=backups] p"),
    "account": ("#/account", "chen", "[data-test=second-step]"),
    "report": ("#/report", "li", "[data-test=report-places]"),
    "field": ("#/field", "zhang", "[data-test=task]"),
    "phone": ("field/", "zhang", "[data-test=task]"),
    "new-report": ("field/#/report", "zhang", "input[type=file]"),
    "login": ("#/login", "", ".card"),
    "first": ("#/first?token=x", "", ".card"),
}


class Room:
    """One world for all pages, and one page a person: each is opened by its link, as from within."""

    def __init__(self, browser: Any, mock: Any) -> None:
        self.mock = mock
        self.broken: list[str] = []
        self._browser = browser
        self._pages: dict[tuple[str, bool], Any] = {}
        incident = mock.do(lambda api: api.world.landslide())
        mock.do(lambda api: api.world.worsen(incident))
        mock.do(lambda api: api.world.report("楼上夫妻争吵, 孩子在哭"))
        mock.do(lambda api: api.world.dispatch(incident, "user:chen", "unit-shiyan-1", "note"))
        mock.do(lambda api: api.world.put_into_mode("user:chen", "maintenance", [], time.time() + 3600, "更换水泵"))
        mock.do(lambda api: api.world.run_in_the_shadow("user:lin", "更安静"))
        mock.do(lambda api: setattr(api.world, "drill", "slide"))

    def page(self, who: str, phone: bool) -> Any:
        if (who, phone) not in self._pages:
            size = {"width": 390, "height": 844} if phone else {"width": 1440, "height": 900}
            context = self._browser.new_context(
                viewport=size, locale="zh-CN", is_mobile=phone, has_touch=phone, reduced_motion="reduce"
            )
            page = self._pages[who, phone] = context.new_page()
            page.set_default_timeout(15_000)
            page.on("pageerror", lambda error: self.broken.append(f"page error: {error}"))
            page.goto(f"{self.mock.url}/#/login")
            if who:
                sign_in(page, who)
        return self._pages[who, phone]

    def close(self) -> None:
        for page in self._pages.values():
            page.context.close()


@pytest.fixture(scope="module")
def room(browser: Any) -> Iterator[Room]:
    from mock_api import serve

    with serve() as mock:
        made = Room(browser, mock)
        yield made
        made.close()


def shown(page: Any) -> tuple[str, str]:
    return tuple(page.evaluate("[document.documentElement.dataset.theme, document.documentElement.lang]"))


def switch(page: Any, theme: str, language: str) -> None:
    """Show the other theme and language at once, by the page's own buttons; a page before the log-in is loaded anew."""
    shade = page.locator(".person .menu button")
    if not shade.count():
        page.evaluate(
            "([theme, language]) => Object.assign(localStorage, "
            "{'foreshock.theme': theme, 'foreshock.language': language})",
            [theme, language],
        )
        page.reload()
        return
    for _ in range(2):  # dark, light, as the system is: which is light here
        if shown(page)[0] != theme:
            shade.first.dispatch_event("click")
    if shown(page)[1] != language:
        page.locator(f"button[lang={language}]").first.dispatch_event("click")


def violations(page: Any) -> list[Any]:
    """Run axe, which a document keeps once it was put there."""
    axe = Axe()
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe.axe_script)
    found: list[Any] = page.evaluate("options => axe.run(options)", RULES)["violations"]
    return found


@pytest.mark.parametrize("name", PAGES)
def test_page_has_no_axe_violation_in_either_theme_and_language(room: Room, name: str) -> None:
    path, who, ready = PAGES[name]
    if name in ("replay", "sweep"):
        room.mock.do(lambda api: api.world.begin_replay("user:lin", "rules: []", "slope-creep", name == "sweep"))
    page = room.page(who, name in ("field", "phone", "new-report"))
    page.goto(f"{room.mock.url}/{path}")
    page.locator(ready).first.wait_for()
    first = shown(page)
    for theme, language in (first, ("light" if first[0] == "dark" else "dark", "en" if first[1] != "en" else "zh-CN")):
        if (theme, language) != shown(page):
            switch(page, theme, language)
        page.locator(ready).first.wait_for()
        assert shown(page) == (theme, language)
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"{name}-{theme}-{language}.png", full_page=True)
        found = violations(page)
        assert not found, "\n".join(
            f"{theme}: {one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]
        )
    assert not room.broken


def test_open_dialogs_have_no_axe_violation(open_page: Any, mock: Any) -> None:
    mock.do(lambda api: api.world.landslide())
    page = open_page(reduced_motion="reduce")
    page.locator("#incident-title").wait_for()
    for key in ("关闭事件", "搁置…", "静音 2 分钟", "帮助与快捷键"):
        page.get_by_role("button", name=key).click()
        page.get_by_role("dialog").wait_for()
        found = Axe().run(page, context="dialog", options=RULES).response["violations"]
        assert not found, [one["id"] for one in found]
        page.keyboard.press("Escape")
