"""Every page passes axe in both themes and languages, on desk and phone.

With `FORESHOCK_TEST_PICTURES` naming a folder, a picture of each is kept there, to be looked at.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
from axe_playwright_python.sync_playwright import Axe

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


@pytest.mark.parametrize("name", PAGES)
def test_page_has_no_axe_violation_in_either_theme_and_language(open_page: Any, mock: Any, name: str) -> None:
    path, who, ready = PAGES[name]
    incident = mock.do(lambda api: api.world.landslide())
    mock.do(lambda api: api.world.worsen(incident))
    mock.do(lambda api: api.world.report("楼上夫妻争吵, 孩子在哭"))
    mock.do(lambda api: api.world.dispatch(incident, "user:chen", "unit-shiyan-1", "note"))
    mock.do(lambda api: api.world.put_into_mode("user:chen", "maintenance", [], time.time() + 3600, "更换水泵"))
    mock.do(lambda api: api.world.run_in_the_shadow("user:lin", "更安静"))
    mock.do(lambda api: setattr(api.world, "drill", "slide"))
    mock.do(lambda api: api.world.begin_replay("user:lin", "rules: []", "slope-creep", name == "sweep"))
    phone = name in ("field", "phone", "new-report")
    size = {"width": 390, "height": 844, "phone": True} if phone else {}
    page = open_page("#/login", who=who, reduced_motion="reduce", **size)
    page.goto(f"{mock.url}/{path}")
    for theme, language in (("dark", "zh-CN"), ("light", "en")):
        if language == "en":  # as it is opened it is dark and Chinese; what is loaded costs more than what axe does
            page.evaluate(
                "([theme, language]) => Object.assign(localStorage, "
                "{'foreshock.theme': theme, 'foreshock.language': language})",
                [theme, language],
            )
            page.reload()
        page.locator(ready).first.wait_for()
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        assert page.evaluate("document.documentElement.lang") == language
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"{name}-{theme}-{language}.png", full_page=True)
        found = Axe().run(page, options=RULES).response["violations"]
        assert not found, "\n".join(
            f"{theme}: {one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]
        )


def test_open_dialogs_have_no_axe_violation(open_page: Any, mock: Any) -> None:
    mock.do(lambda api: api.world.landslide())
    page = open_page(reduced_motion="reduce")
    page.locator("#incident-title").wait_for()
    page.get_by_role("button", name="开启声音").click()
    for key in ("关闭事件", "搁置…", "静音 2 分钟", "帮助与快捷键"):
        page.get_by_role("button", name=key).click()
        page.get_by_role("dialog").wait_for()
        found = Axe().run(page, context="dialog", options=RULES).response["violations"]
        assert not found, [one["id"] for one in found]
        page.keyboard.press("Escape")
