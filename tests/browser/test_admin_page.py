"""Administration and reports in a real browser: tokens, sessions, audit, checks, backups, the second step, a report."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_token_is_shown_once_and_can_be_revoked(open_page: Any, mock: Any) -> None:
    page = open_page("#/admin/tokens")
    rows = page.locator("[data-test=tokens] tbody tr")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="创建令牌").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input:not([type=checkbox])").fill("probe")
    dialog.get_by_label("限于").select_option("slope-shiyan-1")
    dialog.get_by_role("checkbox", name="分析员").check()  # whose work is the whole site's
    expect(dialog.get_by_label("限于")).to_be_disabled()
    expect(dialog.locator("[data-test=places]")).to_have_count(0)
    dialog.get_by_role("checkbox", name="分析员").uncheck()
    expect(dialog.locator("[data-test=places]")).to_contain_text("石岩体育公园后山边坡")
    page.get_by_role("button", name="创建", exact=True).click()
    expect(page.locator("[data-test=secret]")).to_contain_text("fsk_")
    page.get_by_role("button", name="已保存").click()
    expect(page.locator("[data-test=secret]")).to_have_count(0)
    expect(rows.filter(has_text="probe")).to_contain_text("石岩体育公园后山边坡")
    rows.filter(has_text="probe").get_by_role("button", name="吊销").click()
    expect(rows.filter(has_text="probe")).to_have_count(0)
    page.get_by_label("也显示已过期和已吊销的").check()
    expect(rows.filter(has_text="已吊销")).to_contain_text("probe")


def test_sessions_end_and_the_audit_is_filtered_by_its_address_and_says_whether_it_is_whole(
    open_page: Any, mock: Any
) -> None:
    page = open_page("#/admin/sessions")
    rows = page.locator("[data-test=sessions] tbody tr")
    expect(rows.filter(has_text="当前会话")).to_have_count(1)
    rows.filter(has_text="li").get_by_role("button", name="结束").click()
    expect(rows).to_have_count(1)

    page.goto(f"{mock.url}/#/admin/audit?action=session")
    entries = page.locator("[data-test=audit] tbody tr")
    expect(entries).to_have_count(35)
    expect(page.locator("[data-test=chain]")).to_contain_text("完整")
    page.locator(".filters select").select_option("")
    expect(entries).to_have_count(50)
    assert page.evaluate("location.hash") == "#/admin/audit"
    page.get_by_role("button", name="更早的记录").click()
    expect(entries).to_have_count(70)
    mock.api.admin.broken = 12
    page.reload()
    expect(page.locator("[data-test=chain]")).to_contain_text("第 12 条")


def test_what_is_kept_of_somebody_is_given_as_a_file_and_erased_once_it_is_typed(open_page: Any, mock: Any) -> None:
    page = open_page("#/users")
    page.get_by_role("button", name="EN", exact=True).click()
    page.get_by_role("button", name="Their data li", exact=True).click()
    dialog = page.get_by_role("dialog", name="What is kept of li")
    with page.expect_download() as kept:
        dialog.get_by_role("button", name="Download").click()
    assert kept.value.suggested_filename == "li.json" and '"user:li"' in kept.value.path().read_text()
    erase = dialog.get_by_role("button", name="Erase for good")
    dialog.get_by_label("Type “li” to confirm").fill("lu")
    expect(erase).to_be_disabled()
    dialog.get_by_label("Type “li” to confirm").fill("li")
    erase.press("Enter")
    expect(page.get_by_text("12 lines of the journal changed. 3 more")).to_be_visible()
    page.get_by_role("button", name="Reports about somebody").press("Enter")
    page.get_by_label("What they were called").fill("138 0000")
    page.get_by_label("Type “138 0000” to confirm").fill("138 0000")
    page.get_by_role("button", name="Erase for good").press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert mock.api.admin.asked == [("export", "li"), ("erase", "li"), ("erase", "138 0000")]


def test_checks_and_backups_run_on_demand_and_say_what_they_found(open_page: Any, mock: Any) -> None:
    page = open_page("#/admin/system")
    page.get_by_role("button", name="EN", exact=True).click()
    checks, backups = page.locator("[data-test=checks]"), page.locator("[data-test=backups]")
    expect(checks).to_contain_text("Not checked since the start")
    checks.get_by_role("button", name="Check now").click()
    expect(checks).to_contain_text("1 need attention")
    expect(checks).to_contain_text("rules/fire.yaml:12")
    expect(backups).to_contain_text("There is no backup yet")
    backups.get_by_role("button", name="Back up now").click()
    expect(backups.locator("[data-test=last-backup]")).to_contain_text("0 s ago")
    expect(backups).to_contain_text("3.4 GB")


def test_a_second_step_is_set_up_and_then_asked_for(open_page: Any, mock: Any) -> None:
    page = open_page("#/account")
    page.get_by_label("请再次输入密码").fill("correct horse")
    page.get_by_role("button", name="设置").click()
    expect(page.locator("[data-test=second-secret]")).to_be_visible()
    page.get_by_label("动态验证码").fill("123456")
    page.get_by_role("button", name="启用").click()
    expect(page.get_by_text("✓ 已启用")).to_be_visible()
    other = open_page("#/login", who="")
    other.locator("input[autocomplete=username]").fill("chen")
    other.locator("input[type=password]").fill("correct horse")
    other.keyboard.press("Enter")
    other.get_by_label("动态验证码").fill("000000")
    other.keyboard.press("Enter")
    expect(other.get_by_role("alert")).to_contain_text("错误")
    other.get_by_label("动态验证码").fill("123456")
    other.keyboard.press("Enter")
    other.locator("header.top .clock").wait_for()


def test_a_report_is_reached_by_its_address_and_leads_to_other_spans_and_places(open_page: Any, mock: Any) -> None:
    page = open_page("#/report/?period=week&day=2026-11-18", who="li")
    steps = page.locator(".report-steps")
    expect(steps).to_contain_text("2026-11-16 – 2026-11-22")
    expect(page.locator("[data-test=worse] li")).to_have_count(3)
    expect(page.locator("[data-test=never]")).to_contain_text("5 个中有 1 个从未收到数据")
    assert page.locator("[data-test=alarm-bars] .level-bar").count() > 7
    steps.get_by_role("link", name="上一期").click()
    expect(steps).to_contain_text("2026-11-09 – 2026-11-15")
    page.get_by_role("link", name="石岩街道").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("石岩街道")
    page.get_by_role("link", name="月报").press("Enter")
    expect(page.locator(".tabs [aria-current]")).to_have_text("月报")
    sheet = page.get_by_role("link", name="打开 PDF").get_attribute("href")
    assert sheet and "period=month" in sheet and "language=zh-CN" in sheet and "place=shiyan" in sheet


def test_a_span_without_anything_and_one_that_cannot_be_read_say_so(open_page: Any, mock: Any) -> None:
    mock.api.admin.calm = True
    page = open_page("#/report", who="li")
    page.get_by_role("button", name="EN", exact=True).click()
    expect(page.get_by_text("there is nothing to compare with")).to_be_visible()
    expect(page.get_by_text("what was before is not known")).to_be_visible()
    expect(page.locator("[data-test=report-times] tbody tr").first).to_contain_text("—")
    mock.api.broken = True
    page.reload()
    expect(page.get_by_role("alert").first).to_be_visible()
    mock.api.broken = False
    page.get_by_role("button", name="Try again").first.click()
    expect(page.locator("[data-test=figures]")).to_be_visible()


def test_the_situation_page_has_this_weeks_times_and_availability(open_page: Any, mock: Any) -> None:
    page = open_page("#/situation", who="li")
    page.get_by_role("button", name="EN", exact=True).click()
    lately = page.locator("[data-test=lately]")
    expect(lately).to_contain_text("8 orders, 2 of them overdue")
    expect(lately.locator("[data-test=report-times] tbody tr")).to_have_count(5)
    expect(lately.locator("[data-test=share-lines]")).to_be_visible()


def test_the_roles_and_places_of_an_account_are_changed(open_page: Any, mock: Any) -> None:
    page = open_page("#/admin/users")
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="duan", exact=True))
    row.get_by_role("button", name="修改 duan").click()
    dialog = page.get_by_role("dialog", name="修改账号 duan")
    dialog.get_by_role("checkbox", name="调度员").check()
    places = dialog.get_by_role("combobox")
    for label in ("石岩街道", "石岩体育公园后山边坡"):
        places.select_option(label=label)
    dialog.get_by_role("button", name="石岩街道").click()  # taken away again
    dialog.get_by_role("button", name="修改", exact=True).click()
    expect(row).to_contain_text("石岩体育公园后山边坡")
    changed = mock.do(lambda api: dict(api.world.users["duan"]))
    assert changed["places"] == ["slope-shiyan-1"] and "dispatcher" in changed["roles"]


def test_an_administrator_who_must_sets_up_the_second_step_before_anything_else(open_page: Any, mock: Any) -> None:
    mock.do(lambda api: setattr(api.admin, "must_second", True))
    page = open_page("#/login", who="")
    page.locator("input[autocomplete=username]").fill("chen")
    page.locator("input[type=password]").fill("correct horse")
    page.keyboard.press("Enter")
    expect(page.get_by_text("请先完成设置")).to_be_visible()
    expect(page.locator("header.top, nav")).to_have_count(0)
    page.get_by_label("请再次输入密码").fill("correct horse")
    page.get_by_role("button", name="设置").click()
    page.get_by_label("动态验证码").fill("123456")
    page.get_by_role("button", name="启用").click()
    expect(page.locator("header.top")).to_be_visible()


def test_a_test_that_a_target_did_not_take_is_no_success(open_page: Any, mock: Any) -> None:
    page = open_page("#/notifications", who="chen")
    answers = [{"id": "t", "done": True, "error": "timeout"}, {"id": "t", "done": True, "error": ""}]
    page.route("**/notifications/duty-mail/test", lambda route: route.fulfill(json=answers.pop(0)))
    button = page.locator("[data-test=target]").get_by_role("button", name="测试")
    button.click()
    expect(page.locator(".notice.bad")).to_have_text(re.compile("duty-mail 未收到：timeout"))
    button.click()
    expect(page.locator(".notice.good")).to_have_text(re.compile("duty-mail 已收到测试通知"))


def test_only_who_comes_on_duty_is_offered_to_sign_and_what_is_simulated_is_marked(open_page: Any, mock: Any) -> None:
    mock.do(lambda api: api.world.landslide())
    next(iter(mock.api.world.incidents.values()))["simulated"] = True
    page = open_page("#/handover")
    expect(page.locator("form.sign")).to_be_visible()
    expect(page.locator(".sheet-part").first).to_contain_text("模拟")
    mock.api.world.incoming = "zhao"
    page.reload()
    expect(page.get_by_text("只能由接班人员签收一次")).to_be_visible()
    expect(page.locator("form.sign")).to_have_count(0)


def test_the_sheet_that_is_about_to_be_signed_is_read_again_each_minute(open_page: Any, mock: Any) -> None:
    page = open_page("#/handover")
    expect(page.locator("form.sign")).to_be_visible()
    mock.do(lambda api: setattr(api.world, "silent", True))  # else the page goes by the server's clock
    incident = mock.do(lambda api: api.world.landslide())
    mock.do(lambda api: api.world.incidents.pop("inc-underpass-level"))
    page.clock.set_fixed_time(time.time() + 61)
    expect(page.locator(f".sheet-part a[href='#/incidents/{incident}']")).to_be_visible()
