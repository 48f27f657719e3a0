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
