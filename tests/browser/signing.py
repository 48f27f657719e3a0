"""Sign in on the page, for tests."""

from __future__ import annotations

from typing import Any

PASSWORD = "correct horse"


def sign_in(page: Any, who: str, password: str = PASSWORD) -> None:
    """Sign in on the page that stands before everything."""
    page.locator("input[autocomplete=username]").fill(who)
    page.locator("input[type=password]").fill(password)
    page.keyboard.press("Enter")
    page.locator("header.top").wait_for()


def enter(browser: Any, address: str, name: str, password: str, **size: Any) -> Any:
    """Sign in on the page as `name`, in a browser of its own; in English where the account says nothing else."""
    page = browser.new_context(locale="en", **size).new_page()
    page.set_default_timeout(15_000)
    page.goto(address)
    sign_in(page, name, password)
    return page
