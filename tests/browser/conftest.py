"""A real browser, the built page and a mock API; the tests are skipped with a reason where one is absent."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.build_web import BuildError, build

sys.path.insert(0, str(Path(__file__).parent))

from signing import sign_in

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start Chromium once a file: while it runs, playwright keeps an event loop that other tests would trip over."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}")
    try:
        build()
    except BuildError as error:
        pytest.skip(f"the page cannot be built here: {error}")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def mock(browser: Any) -> Iterator[Any]:
    """Serve a fresh made-up world."""
    from mock_api import serve

    with serve() as running:
        yield running


@pytest.fixture
def open_page(browser: Any, mock: Any) -> Iterator[Open]:
    """Give a function that opens a page, signed in as `who` unless that is empty; any page error fails the test."""
    contexts: list[Any] = []
    broken: list[str] = []

    def open_one(
        path: str = "#/",
        *,
        who: str = "chen",
        language: str = "zh-CN",
        width: int = 1440,
        height: int = 900,
        phone: bool = False,
        base: str = "",
        **more: Any,
    ) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale=language, is_mobile=phone, has_touch=phone, **more
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: broken.append(f"page error: {error}"))
        page.on("console", lambda said: broken.append(said.text) if "Content Security Policy" in said.text else None)
        page.goto(f"{base or mock.url}/{path}")
        if who:
            sign_in(page, who)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not broken
