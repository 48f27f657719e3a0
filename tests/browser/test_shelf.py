"""The shelf on the page: put on with a reason by keyboard, listed with a countdown, warned of, taken off."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

ALARM = "alm-underpass-level"


def test_an_alarm_is_shelved_by_keyboard_listed_and_taken_off(open_page: Any, mock: Any) -> None:
    page = open_page(f"#/alarms/{ALARM}")
    page.get_by_role("button", name="搁置…").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="搁置报警")
    expect(dialog.get_by_role("radio", name="1 小时")).to_be_checked()
    expect(dialog.get_by_role("button", name="搁置", exact=True)).to_be_disabled()  # no reason, no shelf
    dialog.get_by_role("radio", name="1 小时").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("液位计正在清洗")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    facts = page.locator("[data-test=aside]")
    expect(facts).to_contain_text("液位计正在清洗")
    expect(facts.locator(".digits")).to_have_text(re.compile(r"^(3:59:\d\d|4:00:00)$"))
    expect(page.locator(".head-line")).to_contain_text("SHLVD")

    page.goto(f"{mock.url}/#/alarms")
    page.get_by_label("状态").select_option("aside")
    row = page.locator("[data-test=alarms] li")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("期间 0 次未提示")
    mock.do(lambda api: api.world.hide(ALARM))
    expect(row).to_contain_text("期间 1 次未提示")
    row.get_by_role("button", name="取消搁置").click()
    expect(row).to_have_count(0)
    page.get_by_label("状态").select_option("open")
    expect(page.locator("[data-test=alarms]").get_by_text("UNACK").first).to_be_visible()


def test_an_alarm_is_assigned_by_a_key_to_oneself_or_to_another(open_page: Any, mock: Any) -> None:
    page = open_page(f"#/alarms/{ALARM}")
    expect(page.get_by_role("button", name="指派…")).to_be_visible()
    page.keyboard.press("p")
    dialog = page.get_by_role("dialog", name="指派报警")
    to = dialog.get_by_label("指派给")
    expect(to).not_to_have_value("")  # oneself
    to.fill("")
    expect(dialog.get_by_role("button", name="指派", exact=True)).to_be_disabled()
    to.fill("wang")
    dialog.get_by_label("原因").fill("熟悉此泵站")
    dialog.get_by_role("button", name="指派", exact=True).click()
    expect(dialog).to_be_hidden()
    expect(page.locator(".facts")).to_contain_text("wang")
    expect(page.locator(".timeline")).to_contain_text("熟悉此泵站")


def test_a_shelf_that_soon_ends_is_said(open_page: Any, mock: Any) -> None:
    page = open_page()
    expect(page.locator("[data-test=link]")).to_have_text("实时")
    mock.do(lambda api: api.world.shelve(ALARM, "user:chen", 300, "cleaning"))
    mock.do(lambda api: api.world.warn(ALARM))
    expect(page.get_by_role("status").filter(has_text="搁置将于")).to_be_visible()


def test_a_latched_alarm_offers_its_reset_once_its_condition_is_gone(open_page: Any, mock: Any) -> None:
    page = open_page(f"#/alarms/{ALARM}")
    mock.do(lambda api: api.world.acknowledge_alarm(ALARM, "user:chen"))
    head, reset = page.locator(".head-line"), page.get_by_role("button", name="复位", exact=True)
    expect(head).to_contain_text("ACKED")
    expect(reset).to_have_count(0)
    mock.do(lambda api: api.world.latch(ALARM))
    expect(head).to_contain_text("待复位")
    reset.click()
    expect(head).to_contain_text("NORM")
    expect(reset).to_have_count(0)


def test_another_operator_who_comes_second_is_told(open_page: Any, mock: Any) -> None:
    page = open_page(f"#/alarms/{ALARM}")
    page.get_by_role("button", name="搁置…").click()
    mock.do(lambda api: api.world.shelve(ALARM, "user:bo", 3600, "also"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("清洗")
    dialog.get_by_role("button", name="搁置", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="已处于搁置状态")).to_be_visible()


def test_a_viewer_sees_the_shelf_but_no_buttons(open_page: Any, mock: Any) -> None:
    mock.do(lambda api: api.world.users["chen"].update(roles=["viewer"]))
    mock.do(lambda api: api.world.shelve(ALARM, "user:bo", 3600, "also"))
    page = open_page(f"#/alarms/{ALARM}")
    expect(page.locator("[data-test=aside]")).to_contain_text("also")
    expect(page.get_by_role("button", name="取消搁置")).to_have_count(0)


def test_a_folded_ring_is_marked_and_makes_no_sound(open_page: Any, mock: Any) -> None:
    page = open_page("#/alarms")
    incident = mock.do(lambda api: api.world.landslide())
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("ff9a3d.*%3E1%3C"))
    alarm = incident.replace("inc-", "alm-")
    mock.do(lambda api: api.world.chatter(alarm, 3))
    expect(page.locator("[data-test=alarms] li").first).to_contain_text("频繁报警 ×3")
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("f2a33a.*%3E1%3C"))
