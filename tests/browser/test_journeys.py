"""What people do on the page, from the first sign of danger to the closed case."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import expect
from signing import sign_in
from sound import COUNT_TONES

from tests.waiting import until

pytestmark = pytest.mark.browser


def queue_item(page: Any, incident: str) -> Any:
    return page.locator(f"[data-incident={incident}]")


def test_wrong_password_says_so_and_right_one_leads_to_the_watch_page(open_page: Any) -> None:
    page = open_page("", who="")
    expect(page).to_have_url(re.compile("#/login$"))
    page.locator("input[autocomplete=username]").fill("chen")
    page.locator("input[type=password]").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("用户名或密码错误")
    page.locator("input[type=password]").fill("correct horse")
    page.keyboard.press("Enter")
    expect(page.locator(".queue")).to_be_visible()
    expect(page.locator("[data-test=link]")).to_have_text("实时")


def test_first_administrator_is_made_through_the_one_time_link(open_page: Any) -> None:
    page = open_page("#/first?token=once", who="")
    page.locator("input[autocomplete=username]").fill("wang")
    for box in page.locator("input[type=password]").all():
        box.fill("a long password")
    page.get_by_role("button", name="创建并登录").click()
    expect(page.locator(".person summary")).to_have_text("wang")
    assert "token" not in page.url


def test_incident_appears_live_and_is_announced_without_a_reload(open_page: Any, mock: Any) -> None:
    page = open_page()
    expect(queue_item(page, "inc-underpass-level")).to_be_visible()
    page.evaluate("window.stays = true")
    incident = mock.do(lambda api: api.world.landslide())
    item = queue_item(page, incident)
    expect(item).to_contain_text("位移异常加速")
    expect(item).to_contain_text("橙色")
    expect(item).to_contain_text("模拟")
    expect(page.locator("[data-test=announcer]")).to_contain_text("橙色预警")
    expect(page).to_have_title(re.compile(r"^\(1\)"))
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("ff9a3d.*%3E1%3C"))
    # nobody had chosen by hand: the more severe one comes forward by itself
    expect(page.locator("#incident-title")).to_have_text("位移异常加速，雨中蠕滑")
    expect(page.locator("[data-test=summons]")).to_have_count(0)
    mock.do(lambda api: api.world.worsen(incident))
    expect(item).to_contain_text("红色")
    expect(page.locator("[data-test=announcer]")).to_contain_text("红色预警")
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("ff6159.*%3E1%3C"))
    assert page.evaluate("window.stays") is True


def soaked(mock: Any) -> str:
    """Raise another incident, of less weight than the landslide, that waits as well."""
    title = {"zh": "降雨与土壤饱和", "en": "Rain on soaked ground"}
    raised: str = mock.do(
        lambda api: api.world.raise_alarm(
            "slope-shiyan-1", "slope-shiyan-1.displacement-1", "slope-soaked", "yellow", title, time.time() - 60,
            score=0.9, clause="value > 40", value=44.0, simulated=True,
        )
    )  # fmt: skip
    return raised


@pytest.mark.parametrize("held", [False, True], ids=["pressed twice", "held down"])
def test_a_key_acknowledges_what_was_looked_at_and_nothing_after_it(open_page: Any, mock: Any, held: bool) -> None:
    incident, other = mock.do(lambda api: api.world.landslide()), soaked(mock)
    page = open_page()
    expect(page.locator("#incident-title")).to_have_text("位移异常加速，雨中蠕滑")
    page.keyboard.down("a")
    if held:
        for _ in range(5):
            page.keyboard.down("a")  # as the keyboard repeats it
    page.keyboard.up("a")
    expect(queue_item(page, incident)).to_contain_text("已确认")
    page.keyboard.press("a")
    page.keyboard.press("?")  # what is said after it shows that the press before has been heard
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.locator("#incident-title")).to_have_text("位移异常加速，雨中蠕滑")
    expect(queue_item(page, other)).not_to_contain_text("已确认")


def test_what_comes_while_a_hand_moves_does_not_take_the_place_of_what_it_reaches_for(
    open_page: Any, mock: Any
) -> None:
    other = soaked(mock)
    page = open_page()
    expect(page.locator("#incident-title")).to_have_text("降雨与土壤饱和")
    page.mouse.move(500, 400)
    incident = mock.do(lambda api: api.world.landslide())
    expect(queue_item(page, incident)).to_contain_text("橙色")
    expect(page.locator("#incident-title")).to_have_text("降雨与土壤饱和")
    page.keyboard.press("a")
    expect(queue_item(page, other)).to_contain_text("已确认")
    expect(queue_item(page, incident)).not_to_contain_text("已确认")


@pytest.mark.parametrize("how", ["chosen in the queue", "writing", "working on it"])
def test_what_the_officer_works_on_stays_and_the_new_one_is_summoned(open_page: Any, mock: Any, how: str) -> None:
    page = open_page()
    title = page.locator("#incident-title")
    expect(title).to_have_text("下穿通道水位上涨过快")
    if how == "chosen in the queue":
        queue_item(page, "inc-underpass-level").click()
    elif how == "writing":
        page.keyboard.press("c")
        page.keyboard.type("half a wo")
    else:
        page.locator(".facts").click()
    incident = mock.do(lambda api: api.world.landslide())
    mock.do(lambda api: api.world.worsen(incident))
    summons = page.locator("[data-test=summons]")
    expect(summons).to_contain_text("新的红色预警")
    expect(title).to_have_text("下穿通道水位上涨过快")
    if how == "writing":
        page.keyboard.type("rd")
        expect(page.locator("#comment")).to_have_value("half a word")
        summons.get_by_role("link").click()
    else:
        page.keyboard.press("g")
    expect(title).to_have_text("位移异常加速，雨中蠕滑")
    expect(summons).to_have_count(0)


def test_summons_stands_on_every_page_until_it_is_answered(open_page: Any, mock: Any) -> None:
    page = open_page("#/alarms")
    page.locator("[data-test=alarms] li").first.wait_for()
    incident = mock.do(lambda api: api.world.landslide())
    expect(page.locator("[data-test=summons]")).to_contain_text("新的橙色预警")
    mock.do(lambda api: api.world.acknowledge(incident, "user:li"))
    expect(page.locator("[data-test=summons]")).to_have_count(0)


def test_what_is_played_is_marked_and_never_stands_before_what_is_real(open_page: Any, mock: Any) -> None:
    def slide(point: str, rule: str, ago: float, simulated: bool) -> str:
        area, title = point.partition(".")[0], {"zh": rule, "en": rule}
        return str(
            mock.do(
                lambda api: api.world.raise_alarm(
                    area, point, rule, "red", title, time.time() - ago,
                    score=0.9, clause="value > 40", value=44.0, simulated=simulated,
                )
            )
        )  # fmt: skip

    page = open_page("#/alarms")
    page.locator("[data-test=alarms] li").first.wait_for()
    played = slide("slope-shiyan-1.displacement-1", "drill", 1, True)
    summons = page.locator("[data-test=summons]")
    expect(summons.locator(".simulation")).to_be_visible()
    real = slide("underpass-shajing-2.level", "really", 60, False)  # of longer ago: among equals the newest leads
    expect(summons).to_contain_text("really")
    expect(summons.locator(".simulation")).to_have_count(0)
    expect(summons).to_contain_text("另有 1 起")
    summons.get_by_role("link").click()
    expect(queue_item(page, real)).to_be_visible()
    listed = page.locator("[data-incident]").evaluate_all("all => all.map((one) => one.dataset.incident)")
    assert listed.index(real) < listed.index(played)


def test_who_acknowledged_is_forgotten_when_it_gets_worse_under_way(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    mock.do(lambda api: api.world.dispatch(incident, "user:chen", "unit-shiyan-1", ""))
    page = open_page(f"#/incidents/{incident}")
    who = page.locator(".facts div").filter(has_text="确认人").locator("dd")
    expect(who).to_have_text("尚无人确认")
    mock.do(lambda api: api.world.acknowledge(incident, "user:li"))
    expect(who).to_have_text("li")
    mock.do(lambda api: api.world.worsen(incident))
    expect(who).to_have_text("尚无人确认")


def test_site_s_language_comes_first_whatever_the_browser_speaks(open_page: Any, mock: Any) -> None:
    page = open_page("#/login", who="", language="en-US")
    expect(page.get_by_role("heading", level=1)).to_have_text("登录")
    page.get_by_role("button", name="EN").click()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_header_is_one_row_at_1440_in_both_languages(open_page: Any, mock: Any) -> None:
    mock.api.world.cameras_live = 90
    page = open_page()
    header = page.locator("header.top")
    expect(header.locator("[data-test=on-duty]")).to_contain_text(re.compile(r"值班长 至 \d\d:\d\d\s*duty"))
    expect(header.locator("[data-test=points]")).to_have_class(re.compile(r"\bgood\b"))
    expect(header.locator("[data-test=cameras]")).to_have_class(re.compile(r"\bbad\b"))  # silence is not green
    for button in ("EN", "中文"):
        assert header.bounding_box()["height"] < 64
        header.get_by_role("button", name=button).click()
        expect(header.get_by_role("button", name={"EN": "中文", "中文": "EN"}[button])).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    for button in ("EN", "中文"):
        assert header.get_by_role("navigation").bounding_box()["width"] > 140  # it scrolls: some of it is seen
        header.get_by_role("button", name=button).click()
        expect(header.get_by_role("button", name={"EN": "中文", "中文": "EN"}[button])).to_be_visible()
    assert header.bounding_box()["height"] < 110
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_officer_sees_why_acknowledges_and_dispatches(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    mock.do(lambda api: api.world.worsen(incident))
    page = open_page()
    why = page.get_by_role("region", name="为何报警")
    expect(why).to_contain_text("37 分钟")
    expect(why).to_contain_text("数值高于")
    expect(why.locator("code")).to_be_hidden()
    why.get_by_text("规则原文").click()
    expect(why.locator("code")).to_contain_text("score >= 0.99")
    expect(page.locator(".trace .eta").first).to_contain_text("37 分钟")
    expect(page.get_by_role("region", name="如何解除")).to_contain_text("30 分钟")
    expect(page.locator(".plot canvas").first).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("最新")).first).to_be_visible()
    picture = page.locator(".picture img")
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 0
    page.locator(".incident-head").get_by_role("button", name="确认").click()
    expect(page).to_have_title(re.compile("^前震"))
    expect(page.locator(".incident-head .facts")).to_contain_text("chen")
    page.locator(".send textarea").fill("带上警戒带")
    page.get_by_role("button", name="派出 石岩第一社区应急队").click()
    order = page.locator("[data-test=dispatch]")
    expect(order).to_contain_text("石岩第一社区应急队")
    expect(order).to_contain_text(re.compile(r"须接单，剩余\s*0[23]:\d\d"))
    expect(queue_item(page, incident)).to_contain_text("处置中")
    expect(page.locator(".send textarea")).to_be_hidden()  # somebody is under way: the plan moves up
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    expect(page.locator(".send textarea")).to_be_visible()
    page.get_by_role("button", name=re.compile("^完成 调看边坡相机")).click()
    expect(page.locator(".plan")).to_contain_text("1/4")
    page.set_viewport_size({"width": 1440, "height": 400})  # each column scrolls; the page does not, into nothing
    assert page.evaluate("document.documentElement.scrollHeight") == 400
    page.emulate_media(media="print")  # on paper: light, what can be pressed is gone, nothing lies upon anything
    page.set_viewport_size({"width": 760, "height": 1100})  # A4
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    expect(page.locator("header.top, .queue, main button").filter(visible=True)).to_have_count(0)
    story, side = page.locator("article.incident").bounding_box(), page.locator("aside.side").bounding_box()
    assert story["width"] > 700 and side["y"] >= story["y"] + story["height"]


def test_refusal_by_the_engine_is_said_in_its_own_words(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    mock.do(lambda api: api.world.dispatch(incident, "user:chen", "unit-shiyan-1", ""))
    page = open_page(f"#/incidents/{incident}")
    page.get_by_role("button", name="关闭事件").click()
    page.get_by_label("扰动误报").check()
    page.get_by_role("dialog").get_by_role("button", name="关闭事件").click()
    expect(page.locator(".notice.bad")).to_have_text(re.compile("仍有派单未结束"))


def test_unit_works_its_task_on_the_phone_and_the_desk_follows(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    phone = open_page(who="zhang", width=390, height=844, phone=True)
    expect(phone).to_have_url(re.compile("#/field$"))
    expect(phone.locator(".no-tasks")).to_be_visible()
    desk = open_page(f"#/incidents/{incident}")
    mock.do(lambda api: api.world.dispatch(incident, "user:chen", "unit-shiyan-1", "先封闭运动场"))
    task = phone.locator("[data-test=task]")
    expect(task).to_contain_text("石岩体育公园后山边坡")
    expect(task).to_contain_text("先封闭运动场")
    for button, leg in (("接单", "accepted"), ("已到现场", "on_scene"), ("处置完成", "resolved")):
        if leg == "resolved":
            task.locator("textarea").fill("已封闭，无人员被困")
        height = task.get_by_role("button", name=button).bounding_box()["height"]
        assert height >= 48
        task.get_by_role("button", name=button).tap()
        expect(task).to_have_attribute("data-leg", leg)
        expect(desk.locator("[data-test=dispatch] .at")).to_contain_text(
            {"accepted": "接单", "on_scene": "到场", "resolved": "处置"}[leg]
        )
    expect(task.get_by_role("button", name="拒绝")).to_have_count(0)
    task.get_by_role("button", name="结束任务").tap()
    expect(phone.locator(".no-tasks")).to_be_visible()
    expect(desk.locator(".timeline")).to_contain_text("已封闭，无人员被困")


@pytest.mark.parametrize("accepted", [False, True])
def test_unit_refuses_with_a_reason_until_it_is_on_scene(open_page: Any, mock: Any, accepted: bool) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    mock.do(lambda api: api.world.dispatch(incident, "user:chen", "unit-shiyan-1", ""))
    phone = open_page(who="zhang", width=390, height=844, phone=True)
    if accepted:
        phone.get_by_role("button", name="接单").tap()
        expect(phone.locator("[data-test=task]")).to_have_attribute("data-leg", "accepted")
    phone.get_by_role("button", name="拒绝").tap()
    dialog = phone.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="拒绝")).to_be_disabled()
    dialog.get_by_role("button", name="正在处置其他任务").tap()
    dialog.get_by_role("button", name="拒绝").tap()
    expect(phone.locator(".no-tasks")).to_be_visible()


def test_language_switches_at_once_and_is_remembered(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    page = open_page(f"#/incidents/{incident}")
    expect(page.get_by_role("heading", level=1)).to_have_text("位移异常加速，雨中蠕滑")
    page.evaluate("window.stays = true")
    page.locator("header.top").get_by_role("button", name="EN").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Displacement creeping fast in rain")
    expect(page.get_by_role("region", name="Why it fired")).to_contain_text("Time until the limit")
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.evaluate("window.stays") is True
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Displacement creeping fast in rain")


def test_keyboard_alone_acknowledges_and_dispatches(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    page = open_page()
    expect(page.locator("#incident-title")).to_have_text("位移异常加速，雨中蠕滑")
    page.keyboard.press("j")
    expect(page.locator("#incident-title")).to_have_text("下穿通道水位上涨过快")
    page.keyboard.press("k")
    expect(page.locator("#incident-title")).to_have_text("位移异常加速，雨中蠕滑")
    page.keyboard.press("a")
    expect(queue_item(page, incident)).to_contain_text("已确认")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("d")
    expect(page.locator(".send input[type=radio]").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    for _ in range(8):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.send button')"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("[data-test=dispatch]")).to_contain_text("石岩街道应急办")


def test_keys_rest_while_one_writes_and_when_switched_off(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    page = open_page()
    expect(page.locator("#comment")).to_be_visible()
    page.keyboard.press("c")
    expect(page.locator("#comment")).to_be_focused()
    page.keyboard.type("ja")
    expect(page.locator("#comment")).to_have_value("ja")
    expect(queue_item(page, incident)).to_contain_text("待处理")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.get_by_label("启用单键快捷键").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator("#incident-title")).to_have_text("位移异常加速，雨中蠕滑")


def test_alarms_are_filtered_and_linked(open_page: Any, mock: Any) -> None:
    mock.do(lambda api: api.world.landslide())
    page = open_page("#/alarms")
    rows = page.locator("[data-test=alarms] li")
    expect(rows).to_have_count(2)
    page.get_by_label("等级").select_option("yellow")
    expect(rows).to_have_count(1)
    page.get_by_label("等级").select_option("")
    page.get_by_label("查找").fill("边坡")
    expect(rows).to_have_count(1)
    rows.get_by_role("link").click()
    expect(page).to_have_url(re.compile("#/alarms/alm-slope-creep$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("位移异常加速，雨中蠕滑")
    page.get_by_role("button", name="确认").click()
    expect(page.locator(".incident-head")).to_contain_text("ACKED")


def test_open_alarms_can_be_ranked_by_their_odds_and_none_is_hidden(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())

    def learn(api: Any) -> None:
        for alarm, odds in zip(api.world.alarms.values(), (0.83, 0.21), strict=True):
            alarm["odds"] = odds
        api.world.incidents[incident]["odds"] = 0.21

    mock.do(learn)
    page = open_page(f"#/incidents/{incident}")
    expect(page.locator(".incident-head")).to_contain_text("真实可能 21 %")
    page.goto(f"{mock.url}/#/alarms")
    rows = page.locator("[data-test=alarms] li")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("真实可能 21 %")  # orange leads, likely or not, unless one asks otherwise
    page.get_by_label("排序").select_option("odds")
    expect(rows).to_have_text([re.compile("真实可能 83 %"), re.compile("真实可能 21 %")])


def test_a_flood_keeps_red_in_sight_and_folds_the_rest_without_losing_any(open_page: Any, mock: Any) -> None:
    page = open_page()
    expect(page.locator("[data-test=load]")).to_contain_text("1")
    expect(queue_item(page, "inc-underpass-level")).to_be_visible()
    red = mock.do(lambda api: api.world.landslide(level="red"))
    mock.do(lambda api: setattr(api.world, "rings", 14))
    expect(page.locator("[data-test=flood]")).to_contain_text("14")
    expect(queue_item(page, red)).to_be_visible()
    folded = page.locator("[data-test=folded]")
    expect(folded.locator("summary")).to_contain_text("1")
    expect(queue_item(page, "inc-underpass-level")).to_be_hidden()
    folded.locator("summary").click()
    expect(queue_item(page, "inc-underpass-level")).to_be_visible()
    mock.do(lambda api: setattr(api.world, "rings", 3))
    expect(page.locator("[data-test=flood]")).to_have_count(0)
    expect(queue_item(page, "inc-underpass-level")).to_be_visible()


def test_reports_come_by_themselves_and_are_told_of_one_subject(open_page: Any, mock: Any) -> None:
    page = open_page("#/", who="chen")
    page.clock.install()
    mock.do(lambda api: api.world.report("楼上夫妻争吵, 孩子在哭"))
    page.goto(f"{mock.url}/#/reports")
    rows = page.locator("[data-test=reports] li")
    expect(rows).to_have_count(1)
    mock.do(lambda api: api.world.report("井盖松动", category="manhole", subject=None))
    page.clock.fast_forward(10_000)
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("井盖松动")
    rows.nth(1).get_by_role("button", name="9f3c9f3c").click()
    expect(rows).to_have_count(1)
    rows.get_by_role("button", name="照片").click()
    expect(rows.get_by_role("img")).to_be_visible()
    assert rows.get_by_role("img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


def test_an_alarm_s_page_shows_trace_picture_reasons_and_what_clears_it(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    mock.do(lambda api: api.world.worsen(incident))
    mock.api.world.leads = set(mock.api.world.alarms["alm-slope-creep"]["explanation"]["points"])
    page = open_page("#/alarms/alm-slope-creep")
    expect(page.locator(".plot canvas").first).to_be_visible()
    trace = page.locator(".trace").first
    expect(trace.locator("[data-test=forecast]")).to_have_text(re.compile(r"照此趋势到限值\s*12 分钟 \(6 分钟–"))
    expect(trace.locator(".plot")).to_have_attribute("aria-label", re.compile("照此趋势到限值 12 分钟"))
    expect(page.locator(".picture img")).to_have_js_property("complete", True)
    expect(page.get_by_role("region", name="如何解除")).to_contain_text("30 分钟")
    expect(page.locator("[data-test=summons]")).to_have_count(0)  # one looks at it already
    spans = page.get_by_role("group", name="时间范围")
    expect(spans.get_by_role("button", name="适配")).to_have_attribute("aria-pressed", "true")
    spans.get_by_role("button", name="1 天").click()
    expect(spans.get_by_role("button", name="1 天")).to_have_attribute("aria-pressed", "true")


def test_administrator_adds_an_account(open_page: Any) -> None:
    page = open_page("#/users")
    page.get_by_role("button", name="添加账号").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("用户名").fill("zhao")
    dialog.get_by_label("密码（至少 10 个字符）").fill("a long password")
    dialog.get_by_label("现场人员").check()
    dialog.get_by_label("单位").select_option("unit-geo")
    dialog.get_by_role("button", name="添加账号").click()
    expect(page.locator("table.users")).to_contain_text("zhao")


def test_viewer_is_shown_no_button_that_would_be_refused(open_page: Any, mock: Any) -> None:
    mock.do(lambda api: api.world.landslide())
    page = open_page(who="li")
    expect(page.locator("#incident-title")).to_be_visible()
    expect(page.get_by_role("button", name="确认")).to_have_count(0)
    expect(page.locator(".send")).to_have_count(0)


HOSTILE = '<img src=x onerror="window.owned=1"><script>window.owned=1</script>{n}"\'&amp;'


def test_hostile_text_is_shown_as_text_everywhere(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide(title={"zh": HOSTILE, "en": HOSTILE}))
    mock.do(lambda api: api.world.comment(incident, f"user:{HOSTILE}", HOSTILE))
    order = mock.do(lambda api: api.world.dispatch(incident, "user:chen", "unit-shiyan-1", HOSTILE))
    mock.do(lambda api: api.world.site["units"][0]["name"].update(zh=HOSTILE))
    mock.do(lambda api: api.world.users["li"].update(display=HOSTILE))
    page = open_page(f"#/incidents/{incident}")
    for path, where in (
        (f"#/incidents/{incident}", ".timeline"),
        ("#/alarms", "[data-test=alarms]"),
        (f"#/dispatches/{order}", "[data-test=task]"),
        ("#/field", "[data-test=board]"),
        ("#/users", "table.users"),
    ):
        page.goto(f"{mock.url}/{path}")
        expect(page.locator(where).first).to_contain_text("<script>window.owned=1</script>")
    page.goto(f"{mock.url}/#/incidents/%3Cimg%20src=x%3E%")
    assert page.evaluate("window.owned") is None


def test_duty_page_works_on_a_phone(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    page = open_page(width=390, height=844, phone=True)
    expect(queue_item(page, incident)).to_be_visible()
    expect(page.locator("#incident-title")).to_have_count(0)
    queue_item(page, incident).tap()
    expect(page.locator("#incident-title")).to_be_visible()
    expect(queue_item(page, incident)).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="返回列表").tap()
    expect(queue_item(page, incident)).to_be_visible()


def test_page_reflows_at_200_percent_zoom(open_page: Any, mock: Any) -> None:
    mock.do(lambda api: api.world.landslide())
    page = open_page(width=720, height=450)
    expect(page.locator(".item").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_of_five_thousand_open_alarms_and_incidents_all_are_there_and_few_stand_in_the_page(
    open_page: Any, mock: Any
) -> None:
    def flood(api: Any) -> None:
        like = {**api.world.alarms["alm-underpass-level"], "explanation": None, "rationale": None}
        case = {**api.world.incidents["inc-underpass-level"], "history": [], "title": None}
        for n in range(4999):
            of = {"id": f"alm-{n}", "rule": f"flood-{n}", "rule_title": None, "time": n, "incident": f"inc-{n}"}
            api.world.alarms[f"alm-{n}"] = {**like, **of}
            names = {"id": f"inc-{n}", "cause": f"alm-{n}", "alarms": [f"alm-{n}"], "opened": n}
            api.world.incidents[f"inc-{n}"] = {**case, **names}

    mock.do(flood)
    page = open_page("#/incidents/inc-2000")
    queue = page.locator("[data-test=queue] > li:not(.unseen)")
    chosen = page.locator("[data-test=queue] [aria-current]")
    chosen.wait_for()
    expect(chosen).to_be_in_viewport()  # far below what was drawn at first
    expect(queue.first).to_have_attribute("aria-setsize", "5000")
    assert queue.count() < 100
    for key, next in (("j", 1999), ("j", 1998), ("k", 1999)):
        page.keyboard.press(key)
        expect(chosen).to_have_attribute("data-incident", f"inc-{next}")
        expect(chosen).to_be_in_viewport(ratio=1)
    page.locator(".queue").evaluate("queue => queue.scrollTo(0, queue.scrollHeight)")
    expect(queue.last).to_have_attribute("aria-posinset", "5000")
    expect(queue.last).to_be_in_viewport()
    expect(chosen).to_have_count(0)  # who looks elsewhere is not drawn back
    page.keyboard.press("j")
    expect(chosen).to_be_in_viewport(ratio=1)
    page.evaluate("location.hash = '#/alarms'")
    rows = page.locator("[data-test=alarms] li:not(.unseen)")
    expect(page.locator(".filters [role=status]")).to_contain_text("5000")
    expect(rows.first).to_have_attribute("aria-setsize", "5000")
    assert rows.count() < 100
    page.keyboard.press("End")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(rows.last).to_have_attribute("aria-posinset", "5000")
    expect(rows.last).to_contain_text("flood-0")
    expect(rows.last).to_be_in_viewport()
    assert rows.count() < 100
    page.get_by_label("查找").fill("flood-4321")
    expect(rows).to_have_count(1)
    expect(rows).to_be_in_viewport()


def test_an_incident_is_assigned_shelved_and_closed_by_a_key_and_the_shelf_undone(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    sent = mock.do(lambda api: api.world.dispatch(incident, "user:chen", "unit-shiyan-1", "note"))
    page = open_page(f"#/incidents/{incident}")
    expect(page.locator("#incident-title")).to_be_visible()
    page.keyboard.press("p")
    page.get_by_role("dialog", name="指派报警").get_by_label("指派给").fill("wang")
    page.get_by_role("dialog").get_by_role("button", name="指派", exact=True).click()
    expect(page.locator(".incident-head .facts")).to_contain_text("指派给wang")
    expect(queue_item(page, incident)).to_contain_text("wang")
    page.keyboard.press("s")
    page.get_by_role("dialog", name="搁置报警").locator("textarea").fill("正在核对传感器")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    state = page.locator(".incident-alarms .chip.state-SHLVD")
    expect(state).to_be_visible()
    page.get_by_role("button", name="撤销").click()
    expect(state).to_have_count(0)
    page.keyboard.press("x")
    expect(page.get_by_role("dialog", name="关闭事件")).to_be_visible()
    page.keyboard.press("Escape")
    page.goto(f"{mock.url}/#/field")  # who watches over all orders sees where each stands
    board = page.locator("[data-test=board]")
    expect(board.locator("section")).to_have_count(4)
    order = board.locator("[data-leg=issued] a")
    expect(order).to_contain_text("石岩第一社区应急队")
    expect(order.locator(".countdown")).to_contain_text("须接单")
    mock.do(lambda api: api.world.step(sent, "user:zhang", "accept", ""))
    expect(board.locator("[data-leg=accepted] a .countdown")).to_contain_text("须到场")
    board.get_by_role("link").click()
    expect(page.locator("[data-test=task]")).to_be_visible()


def test_sound_is_tested_at_sign_in_sounds_for_orange_and_can_be_muted(open_page: Any, mock: Any) -> None:
    page = open_page(who="")
    page.evaluate(COUNT_TONES)
    sign_in(page, "chen")
    expect(page.locator("#incident-title")).to_be_visible()  # what opens before it is loaded is no news
    expect(page.get_by_role("button", name="静音 2 分钟")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-tones", "2")
    incident = mock.do(lambda api: api.world.landslide())
    expect(page.locator("html")).to_have_attribute("data-tones", "4")
    page.keyboard.press("m")  # asks why, with an answer under the next key
    expect(page.get_by_role("dialog").get_by_role("button", name="正在通话")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("button.mute")).to_contain_text("已静音")
    assert mock.do(lambda api: api.admin.muted) == ["正在通话"]
    mock.do(lambda api: api.world.worsen(incident))
    expect(queue_item(page, incident)).to_contain_text("红色")
    expect(page.locator("html")).to_have_attribute("data-tones", "4")
    page.get_by_role("button", name="关闭声音").click()  # for good, and on record as well
    expect(page.get_by_role("button", name="开启声音")).to_be_visible()
    until(lambda: mock.do(lambda api: api.admin.muted) == ["正在通话", "关闭声音"])


def test_what_rises_while_the_verdict_is_written_is_not_closed_unseen(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    page = open_page(f"#/incidents/{incident}")
    page.get_by_role("button", name="关闭事件").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name="扰动误报").check()
    mock.do(lambda api: api.world.worsen(incident))
    expect(queue_item(page, incident)).to_contain_text("红色")
    dialog.get_by_role("button", name="关闭事件").click()
    expect(page.get_by_role("alert").filter(has_text="期间有新报警或报警升级")).to_be_visible()
    assert mock.do(lambda api: api.world.incidents[incident]["state"]) == "open"
    dialog.get_by_role("button", name="关闭事件").click()
    expect(dialog).to_have_count(0)
    assert mock.do(lambda api: api.world.incidents[incident]["state"]) == "closed"


def test_the_key_acknowledges_what_is_shown_also_beside_the_other_queue(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    page = open_page(f"#/incidents/{incident}?kind=technical")
    expect(page.locator("#incident-title")).to_be_visible()
    page.evaluate("held = performance.now(); performance.now = () => held")  # all that follows is in one blink
    mock.do(lambda api: api.world.worsen(incident))
    expect(page.locator(".incident-head")).to_contain_text("红色")
    button = page.locator(".incident-head").get_by_role("button", name="确认")
    page.keyboard.press("a")
    expect(page.get_by_role("alert").filter(has_text="情况刚刚加重")).to_be_visible()
    expect(button).to_be_visible()
    page.evaluate("performance.now = () => held + 2000")  # by now it was seen
    page.keyboard.press("a")
    expect(button).to_have_count(0)


def test_sound_repeats_at_growing_pauses_until_acknowledged(open_page: Any, mock: Any) -> None:
    page = open_page()
    expect(page.locator("#incident-title")).to_be_visible()
    page.get_by_role("button", name="关闭声音").click()
    page.reload()
    expect(page.locator("#incident-title")).to_be_visible()
    page.keyboard.press("Shift")
    expect(page.get_by_role("button", name="开启声音")).to_be_visible()  # it stays off where it was switched off
    page.evaluate(COUNT_TONES)
    tones = page.locator("html")
    page.clock.install()
    page.get_by_role("button", name="开启声音").click()
    expect(tones).to_have_attribute("data-tones", "2")
    incident = mock.do(lambda api: api.world.landslide())
    page.clock.run_for(100)
    expect(queue_item(page, incident)).to_be_visible()
    page.clock.run_for(100)
    expect(tones).to_have_attribute("data-tones", "4")
    page.clock.run_for(20_000)
    expect(tones).to_have_attribute("data-tones", "6")
    page.clock.run_for(20_000)  # the second pause is longer
    expect(tones).to_have_attribute("data-tones", "6")
    page.clock.run_for(10_000)
    expect(tones).to_have_attribute("data-tones", "8")
    mock.do(lambda api: api.world.acknowledge(incident, "user:li"))
    for _ in range(20):
        page.clock.run_for(50)
    expect(queue_item(page, incident)).to_contain_text("已确认")
    page.clock.run_for(60_000)
    expect(tones).to_have_attribute("data-tones", "8")
    mock.do(lambda api: api.world.worsen(incident))  # red is another matter, and sounds sooner
    for _ in range(20):
        page.clock.run_for(10)
    each = int(tones.get_attribute("data-tones")) - 8
    assert each > 0
    for rung, pause in ((2, 6_000), (3, 8_000)):
        page.clock.run_for(pause)
        expect(tones).to_have_attribute("data-tones", str(8 + rung * each))


def test_incidents_of_one_place_are_merged_and_split_by_hand(open_page: Any, mock: Any) -> None:
    incident, other = mock.do(lambda api: api.world.landslide()), soaked(mock)
    page = open_page(f"#/incidents/{incident}")
    expect(page.locator("#incident-title")).to_have_text("位移异常加速，雨中蠕滑")
    found = mock.do(lambda api: api.world.incidents)
    if other == incident or found[other]["area"] != found[incident]["area"]:
        pytest.fail("the scene has no second incident in the area")
    page.get_by_role("button", name="合并…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="合并")).to_be_disabled()
    dialog.get_by_label("降雨与土壤饱和").check()
    dialog.get_by_label("原因（可不填）").fill("同一处滑坡")
    dialog.get_by_role("button", name="合并").click()
    expect(dialog).to_have_count(0)
    ordered = mock.do(lambda api: api.world.regrouped)
    assert ordered == [(incident, "merge", {"incidents": [other], "reason": "同一处滑坡"})]


def test_a_point_is_silenced_from_its_alarm_and_stands_in_the_list(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    alarm = mock.do(lambda api: api.world.incidents[incident]["alarms"][0])
    page = open_page(f"#/alarms/{alarm}")
    page.get_by_role("button", name="静默…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="静默", exact=True)).to_be_disabled()
    dialog.get_by_label("原因").fill("采石场爆破")
    dialog.get_by_role("button", name="静默", exact=True).click()
    expect(dialog).to_have_count(0)
    page.goto(page.url.split("#")[0] + "#/alarms")
    expect(page.locator("[data-test=silences]")).to_contain_text("采石场爆破")
    expect(page.locator("[data-test=silences]")).to_contain_text("不高于橙色")


def test_what_rises_together_is_suggested_and_goes_when_it_is_answered(open_page: Any, mock: Any) -> None:
    incident, other = mock.do(lambda api: api.world.landslide()), soaked(mock)
    one = {"id": "k-1", "place": "shiyan", "incidents": [incident, other], "areas": [], "since": 0.0, "simulated": True}
    mock.do(lambda api: api.world.candidates.append(one))
    page = open_page()
    suggested = page.locator("[data-test=together]")
    expect(suggested).to_contain_text("是否为同一事件")
    expect(suggested.get_by_role("link")).to_have_count(2)
    suggested.get_by_role("button", name="不是同一事件").click()
    expect(suggested).to_have_count(0)
    assert mock.do(lambda api: api.world.regrouped) == [("k-1", "drop", {})]


def test_of_an_incident_of_several_areas_the_officer_says_to_which(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())

    def link(api: Any) -> None:
        given = api.world.incident
        units = {"slope-shiyan-1": ["unit-geo"], "underpass-shajing-2": ["unit-shajing-1"]}
        more = [api.world.alarms["alm-underpass-level"]]
        api.world.incident = lambda key: (
            (row := given(key)) | {"suggested_at": units, "alarm_details": row["alarm_details"] + more}
        )
        camera = {"id": "cam-under", "name": {"zh": "下穿相机", "en": "Underpass"}, "areas": ["underpass-shajing-2"]}
        api.world.site["cameras"].append(camera)
        next(one for one in api.world.site["areas"] if one["id"] == camera["areas"][0])["cameras"] = ["cam-under"]

    mock.do(link)
    page = open_page(f"#/incidents/{incident}")
    expect(page.locator("[data-test=live]")).to_contain_text(["边坡 1 号相机", "下穿相机"])  # of both areas
    expect(page.locator(".send .choice")).to_contain_text("区地质灾害抢险队")
    page.get_by_label("前往区域").select_option(label="沙井大道下穿通道")
    expect(page.locator(".send .choice")).to_contain_text("沙井第一社区应急队")
    with page.expect_request(re.compile("/dispatch$")) as asked:
        page.get_by_role("button", name=re.compile("^派出")).click()
    assert asked.value.post_data_json["area"] == "underpass-shajing-2"
