"""The page never looks fresher than it is, and finds back by itself."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import expect
from signing import sign_in
from wire import Wire

pytestmark = pytest.mark.browser


def test_silent_engine_is_said_loudly_within_seconds(open_page: Any, mock: Any) -> None:
    page = open_page("#/incidents/inc-underpass-level", width=390, height=400)
    expect(page.locator("[data-test=link]")).to_have_text("实时")
    page.locator("#comment").scroll_into_view_if_needed()
    assert page.evaluate("scrollY") > 400
    mock.do(lambda api: setattr(api.world, "silent", True))
    expect(page.locator("[data-test=stale]")).to_contain_text("请勿据此判断安全", timeout=12_000)
    expect(page.locator("[data-test=stale]")).to_be_in_viewport()  # wherever one has scrolled to
    mock.do(lambda api: setattr(api.world, "silent", False))
    expect(page.locator("[data-test=stale]")).to_have_count(0)


def test_a_cut_wire_is_said_loudly_though_nobody_is_told_of_it(open_page: Any, mock: Any) -> None:
    wire = Wire(urlsplit(mock.url).port)
    page = open_page(base=f"http://127.0.0.1:{mock.wait(wire.begin())}")
    expect(page.locator("[data-test=link]")).to_have_text("实时")
    mock.do(lambda _: wire.whole.clear())  # as a cable that is pulled: no connection ends
    expect(page.locator("[data-test=stale]")).to_contain_text("请勿据此判断安全", timeout=12_000)
    incident = mock.do(lambda api: api.world.landslide())
    mock.do(lambda _: wire.whole.set())
    expect(page.locator("[data-test=stale]")).to_have_count(0, timeout=15_000)
    expect(page.locator(f"[data-incident={incident}]")).to_be_visible()


def test_dropped_stream_comes_back_and_misses_nothing(open_page: Any, mock: Any) -> None:
    page = open_page()
    expect(page.locator("[data-test=link]")).to_have_text("实时")

    def drop(api: Any) -> str:
        api.refuse_streams = True
        api.drop_streams()
        incident: str = api.world.landslide()
        return incident

    incident = mock.do(drop)
    expect(page.locator("[data-test=link]")).to_have_text("连接中断")
    mock.do(lambda api: setattr(api, "refuse_streams", False))
    expect(page.locator(f"[data-incident={incident}]")).to_be_visible()
    expect(page.locator("[data-test=link]")).to_have_text("实时")


def test_resync_reads_the_lists_afresh(open_page: Any, mock: Any) -> None:
    page = open_page()
    expect(page.locator("[data-incident=inc-underpass-level]")).to_be_visible()
    expect(page.locator("[data-test=link]")).to_have_text("实时")
    mock.do(lambda api: api.resync(lambda: api.world.incidents.pop("inc-underpass-level")))
    expect(page.locator("[data-incident=inc-underpass-level]")).to_have_count(0)


def test_ended_session_leads_to_the_sign_in_page_and_back(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    page = open_page(f"#/incidents/{incident}")
    expect(page.locator("#incident-title")).to_be_visible()
    mock.do(lambda api: api.sessions.clear())
    page.keyboard.press("a")
    expect(page).to_have_url(re.compile("#/login$"))
    expect(page.locator(".hint")).to_contain_text("登录已过期")
    sign_in(page, "chen")
    expect(page).to_have_url(re.compile(f"#/incidents/{incident}$"))


def test_two_officers_see_each_other_s_hand(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    one, other = open_page(), open_page()
    other.get_by_role("button", name="EN").click()
    expect(other.locator("#incident-title")).to_be_visible()
    one.locator(".incident-head").get_by_role("button", name="确认").click()
    expect(other.locator(f"[data-incident={incident}]")).to_contain_text("Acknowledged")
    expect(other.locator(".incident-head").get_by_role("button", name="Acknowledge")).to_have_count(0)


def test_signing_out_leaves_nothing_on_the_page(open_page: Any, mock: Any) -> None:
    mock.do(lambda api: api.world.landslide())
    page = open_page()
    expect(page.locator("#incident-title")).to_be_visible()
    page.locator(".person summary").click()
    page.get_by_role("button", name="退出").click()
    expect(page).to_have_url(re.compile("#/login$"))
    expect(page.locator("body")).not_to_contain_text("边坡")
    page.goto(f"{mock.url}/#/incidents/inc-slope-creep")
    expect(page.locator(".card")).to_be_visible()
