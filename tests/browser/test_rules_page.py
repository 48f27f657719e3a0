"""Rules on the page: which annoys, tried changed on the past, run in the shadow, put in force, approved and back."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_rule_that_annoys_is_changed_and_tried_on_the_past(open_page: Any, mock: Any) -> None:
    page = open_page("#/rules", who="lin")
    row = page.locator("tr[data-rule=slope-creep]")
    expect(row).to_contain_text("25 %")
    expect(row).to_contain_text("7 %–59 %，共 8 起")
    expect(row).to_contain_text("复核日期已过")
    expect(row.get_by_role("img", name="误扰最多的是 3 时：6 起")).to_be_visible()
    row.get_by_role("link", name="改动试算").press("Enter")
    draft = page.get_by_role("textbox", name="规则（YAML")
    expect(draft).to_have_value(re.compile("^rules:\n- id: slope-creep\n"))
    draft.fill("rules: [changed]")
    takes = page.locator("[data-test=takes]")
    expect(takes).to_have_text("约需 2 分钟（按目前每秒 103 条读数粗估；有过一次回放后按实测推算）。")
    page.get_by_label("回放最近").select_option("604800")
    expect(takes).to_contain_text("约需 17 分钟")
    page.get_by_label("回放最近").select_option("0")
    expect(takes).to_contain_text("用时取决于记录的多少")
    page.get_by_label("回放最近").select_option("86400")
    page.get_by_role("button", name="开始回放").press("Enter")
    found = page.locator("[data-test=replay]")
    expect(found.get_by_role("heading", name="回放完成")).to_be_visible()
    expect(takes).to_contain_text("按先前的回放推算")
    mock.do(lambda api: api.world.replays[0].update(ended=api.world.replays[0]["started"] + 600))
    page.reload()
    page.get_by_label("回放最近").select_option("604800")
    expect(takes).to_have_text("约需 1 小时 10 分（按先前的回放推算）。 超过 30 分钟的回放会被停止，请选较短的时段。")
    expect(found.locator("[data-test=sides]")).to_contain_text("十分钟最多响铃")
    expect(found.locator("[data-test=changes] li")).to_contain_text("消失")
    expect(found).to_contain_text("逐条一致")
    assert mock.api.world.drafts == ["rules: [changed]"]


def test_a_sweep_says_which_threshold_and_delay_would_be_better(open_page: Any, mock: Any) -> None:
    page = open_page("#/rules/replay?rule=slope-creep", who="lin")
    expect(page.get_by_role("textbox", name="规则（YAML")).not_to_have_value("")
    page.get_by_role("button", name="扫描阈值与延时").press("Enter")
    expect(page.locator("[data-test=suggested]")).to_contain_text("value > 5.0 mm")
    expect(page.locator("[data-test=sweep] tbody tr")).to_have_count(6)
    better = page.locator("[data-test=sweep] tr", has_text="建议")
    expect(better).to_contain_text("10 分钟")  # its lead
    page.get_by_role("link", name="回到 slope-creep 的草稿").press("Enter")
    expect(page.locator("[data-test=rule-desk]")).to_be_visible()


def test_rules_run_in_the_shadow_and_are_put_in_force_with_a_reason(open_page: Any, mock: Any) -> None:
    page = open_page("#/rules/shadow", who="lin")
    begin = page.get_by_role("button", name="开始影子运行")
    expect(begin).to_be_disabled()
    page.get_by_role("textbox", name="原因").fill("更安静")
    begin.press("Enter")
    expect(page.locator("[data-test=shadow]")).to_contain_text("影子运行中")
    expect(page.locator("[data-test=compared]")).to_contain_text("消失3")
    page.get_by_role("textbox", name="原因").fill("三个安静的夜晚")
    page.get_by_role("button", name="转为在用").press("Enter")
    expect(page.locator("[data-test=shadow]")).to_contain_text("已转为在用")


def test_what_waits_is_approved_and_an_earlier_version_comes_back(open_page: Any, mock: Any) -> None:
    page = open_page("#/rules/versions", who="lin")
    page.locator("[data-test=proposals]").get_by_role("button", name="批准").press("Enter")
    expect(page.get_by_text("没有等待批准的发布")).to_be_visible()
    page.get_by_role("textbox", name="原因").fill("退回")
    page.get_by_role("button", name="回到此版本 f0e1d2c3b4a5").press("Enter")
    expect(page.locator("[data-test=publications] li").filter(has_text="f0e1d2c3b4a5")).to_contain_text("生效中")
    asked = page.get_by_role("alert").filter(has_text="version 未提高")
    expect(asked).to_contain_text("1 条规则的判定已变而 version 未提高：slope-creep")


def test_who_only_watches_sees_the_rules_and_changes_none(open_page: Any, mock: Any) -> None:
    page = open_page("#/rules/versions", who="duan")
    expect(page.locator("[data-test=publications] li")).to_have_count(3)
    expect(page.get_by_role("button", name="批准")).to_have_count(0)
    page.get_by_role("link", name="影子运行").click()
    expect(page.get_by_text("还没有影子运行")).to_be_visible()
    expect(page.get_by_role("button", name="开始影子运行")).to_have_count(0)


def test_a_draft_is_dropped_only_once_that_was_asked(open_page: Any, mock: Any) -> None:
    kept = {"rule": "slope-creep", "text": "rules: []", "base": "", "begun": 1.0, "changed": 1.0}
    mock.do(lambda api: api.world.rule_drafts.update({"slope-creep": kept}))
    page = open_page("#/rules/edit", who="lin")
    gone: list[str] = []
    page.on("request", lambda asked: gone.append(asked.url) if asked.method == "DELETE" else None)
    drop = page.get_by_role("button", name="放弃草稿 slope-creep")
    drop.press("Enter")
    asking = page.get_by_role("dialog", name="放弃 slope-creep 的草稿？")
    expect(asking).to_contain_text("无法找回")
    asking.get_by_role("button", name="取消").press("Enter")
    expect(asking).to_have_count(0)
    expect(drop).to_be_focused()
    assert gone == []
    drop.press("Enter")
    with page.expect_request(lambda asked: asked.method == "DELETE"):
        asking.get_by_role("button", name="放弃草稿").press("Enter")
