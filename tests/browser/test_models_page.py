"""Models and calibration on the page: compared, promoted with a reason, taken back; ten thousand points; YAML."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

NEW, OLD = "3f2a91c07b11", "91c03f2a22b7"


def row(page: Any, version: str) -> Any:
    return page.locator(f"tr[data-version='{version}']")


def test_two_models_are_compared_and_one_is_promoted_by_keyboard(open_page: Any, mock: Any) -> None:
    page = open_page("#/models", who="lin")
    expect(page.get_by_role("link", name="模型", exact=True)).to_have_attribute("aria-current", "page")
    expect(row(page, OLD)).to_contain_text("生效中")
    expect(row(page, OLD)).to_contain_text("第一个模型")
    expect(row(page, NEW)).to_contain_text("93 %")
    page.get_by_role("checkbox", name=f"对比 {NEW}").press("Space")
    expect(page.get_by_text("再勾选一个以对比")).to_be_visible()
    page.get_by_role("checkbox", name=f"对比 {OLD}").press("Space")
    compared = page.locator("[data-test=compare]")
    expect(compared.locator("tr.differs").filter(has_text="方法")).to_contain_text("孤立森林")
    expect(compared).to_contain_text(f"foreshock models compare {NEW} {OLD}")
    page.get_by_role("button", name=f"启用 {NEW}").press("Enter")
    dialog = page.get_by_role("dialog", name=re.compile("启用模型"))
    expect(dialog).to_contain_text(f"以 {NEW} 取代生效中的 {OLD}")
    put = dialog.get_by_role("button", name="启用", exact=True)
    expect(put).to_be_disabled()  # no reason, no promotion
    dialog.get_by_role("textbox").fill("夜间误报更少")
    put.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("status").filter(has_text="已生效")).to_be_visible()
    expect(row(page, NEW)).to_contain_text("生效中")
    expect(row(page, NEW)).to_contain_text("夜间误报更少")
    expect(row(page, OLD)).not_to_contain_text("生效中")
    assert mock.do(lambda api: api.world.models.said[NEW]["by"]) == "user:lin"


def test_going_back_is_refused_where_another_is_in_force_by_now(open_page: Any, mock: Any) -> None:
    page = open_page("#/models", who="lin")
    page.get_by_role("button", name="EN", exact=True).click()
    page.get_by_role("button", name=f"Go back {OLD}").click()
    mock.do(lambda api: api.world.models.promote(NEW, "user:bo", "meanwhile"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("too loud")
    dialog.get_by_role("button", name="Go back", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="is in force by now")).to_be_visible()
    page.keyboard.press("Escape")
    page.reload()
    page.get_by_role("button", name=f"Go back {NEW}").click()
    dialog.get_by_role("textbox").fill("too loud")
    dialog.get_by_role("button", name="Go back", exact=True).click()
    expect(row(page, OLD)).to_contain_text("In force")


def test_who_may_only_look_sees_no_buttons_and_others_no_page(open_page: Any) -> None:
    page = open_page("#/models", who="duan")
    expect(row(page, OLD)).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^(启用|回退)"))).to_have_count(0)
    page = open_page("#/models", who="li")
    expect(page.get_by_role("heading", name="没有这个页面")).to_be_visible()
    expect(page.get_by_role("link", name="模型", exact=True)).to_have_count(0)


def test_a_model_in_drift_is_said_above_the_list(open_page: Any, mock: Any) -> None:
    mock.do(lambda api: setattr(api.world.models, "drifting", True))
    page = open_page("#/models", who="lin")
    expect(page.locator("[data-test=model-warnings]")).to_contain_text("已落后于数据漂移")
    expect(row(page, OLD)).to_contain_text("已漂移：47 %")


def test_triage_shows_its_calibration_curve_and_as_a_table(open_page: Any) -> None:
    page = open_page("#/models/triage", who="lin")
    curve = page.get_by_role("img", name=re.compile("给出 8 %，实际 11 %"))
    expect(curve).to_be_visible()
    expect(page.locator(".model-bins tbody tr")).to_have_count(5)
    expect(row(page, "c4d5e6f70819")).to_contain_text("此后 64 个中 41 % 真实")
    page.get_by_role("button", name="0b5e77c1d2a3", exact=True).click()
    expect(page.get_by_role("heading", name="校准曲线：0b5e77c1d2a3")).to_be_visible()
    page.get_by_label("与另一个对比").select_option("c4d5e6f70819")
    expect(page.locator("[data-test=compare] tr.differs").filter(has_text="Brier 分数（0 最好）")).to_contain_text(
        "0.158"
    )


def test_ten_thousand_points_are_read_page_by_page_the_worst_first(open_page: Any) -> None:
    page = open_page("#/models/points", who="lin")
    rows = page.locator("[data-test=point-calibration] tbody tr")
    expect(rows).to_have_count(50)
    expect(page.get_by_role("img", name=re.compile("0.999：9,000 个测点中"))).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="第 1–50 个，共 10,000 个")).to_be_visible()
    expect(rows.first).to_contain_text("偏多")
    first = rows.first.get_attribute("data-point")
    page.get_by_role("button", name="下一页").press("Enter")
    expect(page.get_by_role("status").filter(has_text="第 51–100 个")).to_be_visible()
    expect(page.locator(f"tr[data-point='{first}']")).to_have_count(0)
    page.get_by_role("button", name=re.compile("^测点")).press("Enter")
    expect(rows.first).to_have_attribute("data-point", "slope-shiyan-1.p00000")
    expect(page.get_by_role("columnheader", name=re.compile("^测点"))).to_have_attribute("aria-sort", "ascending")
    page.get_by_label("状态").select_option("learning")
    expect(page.get_by_role("status").filter(has_text=re.compile("共 33[34] 个"))).to_be_visible()
    expect(rows.first).to_contain_text("学习中")
    page.get_by_label("状态").select_option("")
    page.get_by_label("测点编号").fill("p00005")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("推断为计数器")
    expect(rows.first).to_contain_text("区域类型设定")
    page.get_by_label("测点编号").fill("no such point")
    expect(page.get_by_text("没有符合条件的测点")).to_be_visible()


def test_a_guessed_kind_comes_with_the_lines_that_declare_it(open_page: Any) -> None:
    page = open_page("#/models/kinds", who="lin")
    item = page.locator("[data-test=guessed] li").first
    expect(item).to_contain_text("当作计数器处理")
    expect(item.locator("pre")).to_contain_text("rain: {kind: counter}")
    item.get_by_role("button", name=re.compile("复制")).press("Enter")
    expect(page.get_by_role("status").filter(has_text=re.compile("已复制|已选中"))).to_be_visible()


@pytest.mark.parametrize("tab", ["areas", "triage", "points", "kinds"])
def test_a_server_that_cannot_answer_is_said_and_asked_again(open_page: Any, mock: Any, tab: str) -> None:
    mock.do(lambda api: setattr(api.world, "models_broken", True))
    page = open_page(f"#/models/{tab}", who="lin")
    expect(page.locator(".failed")).to_be_visible()
    mock.do(lambda api: setattr(api.world, "models_broken", False))
    page.get_by_role("button", name="重试").click()
    expect(page.locator(".model-table, [data-test=guessed] li").first).to_be_visible()
    expect(page.locator(".failed")).to_have_count(0)


def test_where_nothing_was_learnt_or_guessed_it_says_so(open_page: Any, mock: Any) -> None:
    def empty(api: Any) -> None:
        api.world.models.areas, api.world.models.triage, api.world.models.guessed, api.world.models.points = (
            [],
            [],
            [],
            [],
        )

    mock.do(empty)
    page = open_page("#/models", who="lin")
    empty_pages = {
        "areas": "尚未学习任何区域模型",
        "triage": "尚未学习研判模型",
        "kinds": "没有推断的类型",
        "points": "没有符合条件的测点",
    }
    for tab, said in empty_pages.items():
        page.goto(f"{mock.url}/#/models/{tab}")
        expect(page.locator(".empty").filter(has_text=said)).to_be_visible()


@pytest.mark.parametrize("tab", ["areas", "triage", "points", "kinds"])
def test_the_pages_reflow_at_200_percent_zoom(open_page: Any, tab: str) -> None:
    page = open_page(f"#/models/{tab}", who="lin", width=640, height=450)
    page.locator(".model-table, [data-test=guessed] li").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".tabs a").last.bounding_box()["x"] < 640
