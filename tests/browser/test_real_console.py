"""The page on the real API, desk and journal: the same journey without the mock, so that the two cannot drift apart."""

from __future__ import annotations

import importlib.util
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
import uvicorn
from playwright.sync_api import expect

from alerts.console.accounts import add_user
from alerts.console.app import create_app
from alerts.console.config import ConsoleConfig
from scripts.build_web import STATIC

pytestmark = pytest.mark.browser

FIXTURES = Path(__file__).parents[1] / "alerts" / "console" / "conftest.py"
PASSWORD = "correct horse battery"


def load_fixtures() -> Any:
    spec = importlib.util.spec_from_file_location("console_fixtures", FIXTURES)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def console(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Serve the real console with a real desk and journal; gives its engine, with the address as `url`."""
    fixtures = load_fixtures()
    journal = f"sqlite:///{tmp_path / 'journal.sqlite'}"
    engine = fixtures.Engine(fixtures.make_site(), journal)
    config = ConsoleConfig(
        data=tmp_path, site=engine.site, journal=journal, feed=engine, hasher=fixtures.CHEAP, static=STATIC
    )
    app = create_app(config)
    accounts = app.state.console.accounts
    add_user(accounts, "chen", PASSWORD, ["duty"], language="en")
    add_user(accounts, "zhang", PASSWORD, ["field"], unit="team", language="en")
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    stopped = threading.Event()

    def beat() -> None:
        while not stopped.wait(0.5):
            engine.pulse(time=time.time(), readings_per_second=12.5)

    heart = threading.Thread(target=beat, daemon=True)
    heart.start()
    engine.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    yield engine
    stopped.set()
    heart.join(5)
    server.should_exit = True
    thread.join(10)
    listener.close()
    engine.journal.close()


def enter(browser: Any, console: Any, name: str, **size: Any) -> Any:
    page = browser.new_context(locale="en", **size).new_page()
    page.set_default_timeout(15_000)
    page.goto(console.url)
    page.locator("input[autocomplete=username]").fill(name)
    page.locator("input[type=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator("header.top").wait_for()
    return page


def test_from_first_sign_to_closed_case_on_the_real_api(browser: Any, console: Any) -> None:
    desk = enter(browser, console, "chen", viewport={"width": 1440, "height": 900})
    expect(desk.locator("[data-test=link]")).to_have_text("Live")
    phone = enter(browser, console, "zhang", viewport={"width": 390, "height": 844})
    expect(phone.locator(".no-tasks")).to_be_visible()

    console.condition(level=2)
    expect(desk.locator("#incident-title")).to_have_text("creep")
    expect(desk.locator("[data-test=announcer]")).to_contain_text("Yellow warning")
    desk.locator(".incident-head").get_by_role("button", name="Acknowledge").click()
    expect(desk.locator(".incident-head .facts")).to_contain_text("chen")
    desk.locator("#comment").fill("called the team <b>")
    desk.get_by_role("button", name="Add", exact=True).click()
    expect(desk.locator(".timeline")).to_contain_text("called the team <b>")
    desk.locator(".send textarea").fill("bring tape")
    desk.locator(".send").get_by_role("button", name="Dispatch").click()

    task = phone.locator("[data-test=task]")
    expect(task).to_contain_text("bring tape")
    for button, leg in (("Accept", "accepted"), ("On scene", "on_scene"), ("Resolved", "resolved")):
        task.get_by_role("button", name=button).click()
        expect(task).to_have_attribute("data-leg", leg)
    expect(desk.locator("[data-test=dispatch] .at")).to_contain_text("Resolved")
    task.get_by_role("button", name="Close the task").click()
    expect(phone.locator(".no-tasks")).to_be_visible()

    desk.get_by_role("button", name="Close…").click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label(re.compile("^Nuisance")).check()
    dialog.get_by_label("Why you think so").fill("a goat")
    dialog.get_by_role("button", name="Close the incident").click()
    expect(desk.locator(".queue [data-incident]")).to_have_count(0)
    for page in (desk, phone):
        page.context.close()


def test_refusals_are_said_in_the_reader_s_language(browser: Any, console: Any) -> None:
    desk = enter(browser, console, "chen", viewport={"width": 1440, "height": 900})
    console.condition(level=3)  # at the dispatch level: sent at once
    expect(desk.locator("[data-test=dispatch]")).to_be_visible()
    desk.get_by_role("button", name="Close…").click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label(re.compile("^Test")).check()
    dialog.get_by_role("button", name="Close the incident").click()
    expect(desk.locator(".notice.bad")).to_contain_text("dispatch is still open")
    desk.context.close()
