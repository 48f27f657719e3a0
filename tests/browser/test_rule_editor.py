"""An analyst's change by the page, keyboard only, on the real loader, replay and publication: there and back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from real import PASSWORD, enter, load_fixtures, serving

from alerts.console.accounts import add_user, list_audit, save_draft
from alerts.console.config import ConsoleConfig
from rules.rule import load_rules
from scripts.build_web import STATIC
from sensors.observation import Command
from streams import bundle, publication
from streams.bundle import Bundle
from streams.draft_desk import DraftDesk
from streams.processes.console import shown
from streams.replay_desk import ReplayDesk
from streams.settings import Settings
from tests.browser.test_accessibility import RULES as WCAG
from tests.scripts.test_replay import made
from tests.streams.taking import Taking
from tests.waiting import until

pytestmark = pytest.mark.browser

WRITTEN = """\
rules:
  - id: creep
    title: {zh: 位移, en: displacement}
    where: {quantity: displacement}
    levels:
      yellow: {when: value > 10, clear: value < 5, for: 20 s}
      orange: {when: value > 20, clear: value < 15}
      red: {when: "value > 30 and seen('debris', '5 min')"}
    rationale:
      {cause: rain, consequence: slides, response: close, time_to_respond: 30 min, owner: roads, review: "2026-01-31"}
    tests:
      - {name: calm, step: 1m, point: {values: "0*3"}, expect: none*3}
"""
CHANGED = "      orange: {when: value > 25, clear: value < 15}\n"


class Place:
    """A folder of rules, what is in force of it, and a worker that takes up what is proposed."""

    def __init__(self, folder: Path) -> None:
        self.data, self.folder = made(folder), folder / "site"
        self.file = self.folder / "rules" / "all.yaml"
        self.file.parent.mkdir(parents=True)
        self.file.write_text(WRITTEN, encoding="utf-8")
        site = bundle.unpack(publication.read(self.data)).site
        self.content = Bundle(site=site, rules=load_rules(self.folder / "rules", site, self.folder))
        self.settings = Settings(data=str(self.data), site=str(self.folder))
        self.worker = Taking(self.data, self.content)


@pytest.fixture
def console(browser: Any, tmp_path: Path) -> Iterator[Any]:
    fixtures = load_fixtures()
    place = Place(tmp_path)
    journal = f"sqlite:///{tmp_path / 'journal.sqlite'}"
    engine = fixtures.Engine(fixtures.make_site(), journal)
    engine.place = place
    drafts = DraftDesk(place.settings)
    config = ConsoleConfig(
        data=place.data,
        site=engine.site,
        journal=journal,
        feed=engine,
        rules=shown(place.content),
        hasher=fixtures.CHEAP,
        static=STATIC,
        draft_desk=drafts,
        replay_desk=ReplayDesk(place.settings),
    )
    with serving(engine, config) as accounts:
        add_user(accounts, "lin", PASSWORD, ["analyst"], language="en")
        save_draft(accounts, "user:wei", "creep", "rules: []", "", 2.0**31)
        yield engine
    drafts.close()
    place.worker.close()


def annoy(console: Any) -> None:
    """Have the rule ring once for nothing."""
    console.condition(level=2, rule="creep")
    incident = console.open_incident()
    closing = Command(
        id="c1",
        kind="close",
        target=incident["id"],
        area=incident["area"],
        actor="user:chen",
        time=incident["opened"] + 60.0,
        args={"disposition": "nuisance", "reason": "a goat"},
    )
    console.record(console.desk.command(closing, closing.time))


def is_clean(page: Any) -> None:
    found = Axe().run(page, context="main", options=WCAG).response["violations"]
    assert not found, [(one["id"], [node["target"] for node in one["nodes"]]) for one in found]


def settled(page: Any) -> None:
    """Wait for as long as a list of completions has to stand before a key takes from it."""
    page.wait_for_function("since => performance.now() > since + 150", arg=page.evaluate("performance.now()"))


def test_a_rule_that_annoys_is_changed_tried_published_and_taken_back_by_the_keyboard(
    browser: Any, console: Any
) -> None:
    annoy(console)
    file = console.place.file
    page = enter(browser, console, "lin", viewport={"width": 1440, "height": 1000}, reduced_motion="reduce")
    page.goto(f"{console.url}/#/rules")
    row = page.locator("tr[data-rule=creep]")
    expect(row).to_contain_text("review was due 2026-01-31")
    expect(row).to_contain_text("0 %", timeout=20_000)  # none of its alarms was real; SciPy takes its time
    row.get_by_role("link", name="Edit creep").press("Enter")

    expect(page.locator("[data-test=others]")).to_contain_text("wei began a draft of this rule before you")
    tests, problems = page.locator("[data-test=tests]"), page.locator("[data-test=problems]")
    expect(tests).to_contain_text("1 of 1 pass", timeout=30_000)  # a process is started for it
    code = page.get_by_role("textbox", name="Rule creep (YAML)")
    code.focus()
    page.keyboard.press("Control+Home")
    for _ in range(6):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Home")
    page.keyboard.press("Shift+End")
    page.keyboard.type("orange: {when: valu > 25, clear: value < 15}")
    expect(problems).to_contain_text("line 7")
    expect(problems).to_contain_text("did you mean 'value'?")
    expect(tests.get_by_role("heading")).to_have_text("Its own tests: not run")
    expect(tests.locator("li")).to_contain_text("not run")
    page.keyboard.press("Home")
    for _ in range(len("orange: {when: valu")):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+Space")
    expect(page.get_by_role("option", name="value")).to_be_visible()
    settled(page)
    page.keyboard.press("Enter")
    expect(problems).to_contain_text("No problems")
    expect(tests).to_contain_text("1 of 1 pass")
    expect(page.locator("[data-test=raise]")).to_contain_text("from 1")
    expect(page.locator("[data-test=difference]")).to_contain_text("value > 25")
    is_clean(page)

    road = page.locator("[data-test=road]")
    expect(road).to_contain_text("press “Replay”")  # for that only opens the page
    road.get_by_role("button", name="Try on the past").press("Enter")
    draft = page.get_by_role("textbox", name=re.compile("Rules"))
    expect(draft).to_have_value(re.compile("value > 25"))
    page.get_by_label("Over the last").select_option("0")
    page.get_by_role("button", name="Replay", exact=True).press("Enter")
    found = page.locator("[data-test=replay]")
    expect(found.get_by_role("heading", name="Done")).to_be_visible(timeout=60_000)
    expect(found.locator("[data-test=changes] li").first).to_contain_text("creep")
    expect(found.locator("[data-test=seats]")).to_contain_text("lead")
    is_clean(page)
    found.get_by_role("link", name="Back to the draft of creep").press("Enter")

    expect(page.locator("[data-test=saved]")).to_contain_text("Your draft")
    expect(problems).to_contain_text("No problems")
    road.get_by_label(re.compile("^Why")).fill("is it calmer?")
    road.get_by_role("button", name="In the shadow").press("Enter")
    page.get_by_role("link", name="Back to the draft of creep").press("Enter")
    assert [topic for topic, _ in console.others] == ["observations"] * console.place.content.site.partitions

    expect(problems).to_contain_text("No problems")
    road.get_by_label(re.compile("^Why")).fill("a goat walks there")
    road.get_by_role("button", name="Put in force").press("Enter")
    history = page.locator("[data-test=rule-history]")
    expect(history.locator("> ul > li")).to_have_count(2)
    expect(history.locator("> ul > li").first).to_contain_text("value > 20 → value > 25")
    assert file.read_text() == WRITTEN.replace("      orange: {when: value > 20, clear: value < 15}\n", CHANGED)

    page.get_by_role("button", name="中文").press("Enter")
    page.get_by_label("退回的原因").fill("山羊不见了")
    is_clean(page)
    history.get_by_role("button", name="回到此版本").press("Enter")
    expect(history.locator("> ul > li")).to_have_count(3)
    until(lambda: bundle.unpack(publication.read(console.place.data)).rules == console.place.content.rules)
    until(lambda: file.read_text() == WRITTEN)
    actions = [one.action for one in list_audit(console.console.accounts)]
    assert {"rules.draft", "replays.start", "rules.shadow"} <= set(actions) and actions.count("rules.publish") == 2
    page.context.close()
