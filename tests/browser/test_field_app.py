"""The phone page as an app of its own: it opens without a link, what is done waits, and is sent once."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import expect
from signing import PASSWORD, sign_in
from sound import COUNT_TONES

from tests.waiting import until

pytestmark = pytest.mark.browser

PHONE: dict[str, Any] = {"width": 390, "height": 844, "phone": True}
KEPT = """async () => {
    // to open what is not there yet would make it, empty, and the page could keep nothing in it any more
    if (!(await indexedDB.databases()).some((one) => one.name === 'foreshock-known')) return [];
    const base = await new Promise((done) => {
        const asked = indexedDB.open('foreshock-known');
        asked.onsuccess = () => done(asked.result);
    });
    const all = base.transaction('pages').objectStore('pages').getAllKeys();
    const keys = await new Promise((done) => { all.onsuccess = () => done(all.result); });
    base.close();
    return keys;
}"""
CONTROLLED = "navigator.serviceWorker.ready.then(() => caches.match('./')).then((kept) => !!kept)"


@pytest.fixture
def phone(open_page: Any, mock: Any) -> Any:
    """Open the phone page of a unit that has an order."""
    incident = mock.do(lambda api: api.world.landslide())
    mock.do(lambda api: api.world.dispatch(incident, "user:chen", "unit-shiyan-1", "note"))
    mock.do(lambda api: api.world.site["units"].reverse())  # the files' order is no order of distance
    page = open_page("field/", who="", **PHONE)
    page.evaluate(COUNT_TONES)
    sign_in(page, "zhang")
    page.locator("[data-test=task]").wait_for()
    return page


def edges(mock: Any) -> list[str]:
    return [
        change["record"]["edge"]
        for change in mock.api.world.changes
        if change["kind"] == "dispatch" and change["record"]["edge"] != "issued"
    ]


def test_what_is_done_without_a_link_survives_a_restart_and_is_sent_once(phone: Any, mock: Any) -> None:
    assert phone.evaluate(CONTROLLED)
    until(lambda: "latest" in phone.evaluate(KEPT))  # what is known is kept
    phone.context.set_offline(True)
    phone.reload()  # from what the phone keeps
    task = phone.locator("[data-test=task]")
    expect(phone.locator("[data-test=offline]")).to_contain_text("没有网络")
    task.get_by_role("button", name="接单").click()
    expect(task.locator("[data-test=unsent]")).to_contain_text("等待送出")
    task.get_by_role("button", name="已到现场").click()
    expect(phone.locator("[data-test=waiting]")).to_have_text("2 项等待送出")
    task.get_by_role("button", name="移交其他单位").click()  # as everything that a unit does
    handing = phone.get_by_role("dialog")
    expect(handing.locator(".choice b")).to_have_text(["石岩街道应急办", "区地质灾害抢险队", "沙井第一社区应急队"])
    handing.get_by_label("查找单位").fill("沙井")
    expect(handing.get_by_role("radio")).to_have_count(1)
    handing.get_by_label("查找单位").fill("没有")
    expect(handing.get_by_role("status")).to_have_text("没有符合的单位。")
    handing.get_by_label("查找单位").fill("")
    handing.get_by_role("radio").first.check()
    handing.get_by_label("移交原因").fill("需调解")
    handing.locator("footer .primary").click()
    phone.reload()
    expect(phone.locator("[data-test=waiting]")).to_have_text("3 项等待送出")
    expect(task.locator("[data-test=unsent]")).to_contain_text("移交其他单位")
    expect(task).to_have_attribute("data-leg", "on_scene")
    made = task.locator("[data-test=unsent] li").nth(1).locator(".digits").inner_text()
    expect(task.locator(".legs [aria-current] .digits")).to_have_text(made[:5])  # when it was done, not when last told
    assert edges(mock) == []
    handed: list[Any] = []
    phone.route("**/refer", lambda route: (handed.append(route.request.post_data_json), route.fulfill(json={})))
    mock.api.lose = 1  # the first answer is lost on the way: the page sends it again, with the same id
    phone.context.set_offline(False)
    expect(phone.locator("[data-test=unsent]")).to_have_count(0, timeout=30_000)
    expect(phone.locator("[data-test=link]")).to_have_text("实时")
    assert edges(mock) == ["accepted", "on_scene"]
    assert [one["reason"][:3] for one in handed] == ["需调解"] and "在断网时记录" in handed[0]["reason"]
    said = [c["record"].get("reason", "") for c in mock.api.world.changes if c["kind"] == "dispatch"]
    assert "在断网时记录" in said[-1]


def test_a_leg_keeps_its_time_when_more_is_told_of_the_order(phone: Any, mock: Any) -> None:
    (dispatch,) = mock.api.world.dispatches.values()

    def arrive(api: Any) -> None:
        for step in ("accept", "on-scene"):
            api.world.step(dispatch["id"], "user:zhang", step, "")
        dispatch["history"][-1]["time"] = dispatch["time"] = 1_764_315_720.0  # 15:42 there
        api.world._dispatch_change(dispatch, "called", "user:zhang")  # others are called, which changes no leg

    mock.do(arrive)
    task = phone.locator("[data-test=task]")
    expect(task).to_have_attribute("data-leg", "on_scene")
    expect(task.locator(".legs [aria-current] .digits")).to_have_text("15:42")


def test_what_the_server_took_is_no_refusal_though_its_answer_was_lost(phone: Any, mock: Any) -> None:
    task = phone.locator("[data-test=task]")
    mock.api.lose = 1
    task.get_by_role("button", name="接单").click()
    expect(phone.get_by_text("已记下，恢复后自动送出一次")).to_be_visible()
    phone.evaluate("dispatchEvent(new Event('online'))")
    expect(task.locator("[data-test=unsent]")).to_have_count(0)
    expect(task).to_have_attribute("data-leg", "accepted")
    assert edges(mock) == ["accepted"]


def test_a_step_of_the_plan_that_waits_for_a_link_is_named_and_no_more_offered(phone: Any, mock: Any) -> None:
    step = {
        "id": "close",
        "text": {"zh": "封闭球场", "en": "Close the ground"},
        "role": None,
        "level": "red",
        "due": True,
    }
    more = {"contacts": [], "drafts": [], "overlays": [], "roles": {}}
    name = {"zh": "边坡预案", "en": "Slope plan"}
    plan = {"id": "slope", "version": "1", "name": name, "steps": [{**step, "ticked": None}], **more}
    (dispatch,) = mock.api.world.dispatches.values()
    mock.do(lambda api: dispatch.update(plan=plan))
    phone.reload()
    task = phone.locator("[data-test=task]")
    task.locator(".task-plan summary").first.click()
    asked: list[Any] = []
    phone.route("**/tick", lambda route: (asked.append(route.request.post_data_json["step"]), route.abort()))
    row = task.locator("[data-test=plan-steps] li")
    row.get_by_role("button", name="完成").click()
    expect(task.locator("[data-test=unsent]")).to_contain_text("完成 封闭球场")
    expect(row).to_contain_text("等待送出")
    expect(row.get_by_role("button", name="完成")).to_have_count(0)
    expect(task.locator(".task-plan summary").first).to_contain_text("1/1")
    row.get_by_role("button", name="撤销").click()  # it waits behind the tick
    phone.get_by_role("dialog").locator("input").fill("误按")
    phone.get_by_role("dialog").locator("footer .primary").click()
    expect(task.locator("[data-test=unsent] li").nth(1)).to_contain_text("撤销 封闭球场")
    expect(row.get_by_role("button", name="完成")).to_be_visible()
    assert set(asked) == {"close"}


def test_what_was_done_though_its_answer_was_lost_is_not_said_to_be_refused(phone: Any, mock: Any) -> None:
    task = phone.locator("[data-test=task]")

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    phone.route("**/accept", lose)
    task.get_by_role("button", name="接单").click()
    expect(phone.get_by_text("已记下，恢复后自动送出一次")).to_be_visible()
    phone.unroute("**/accept")
    phone.evaluate("dispatchEvent(new Event('online'))")
    expect(phone.locator("[data-test=unsent]")).to_have_count(0)
    expect(task).to_have_attribute("data-leg", "accepted")
    assert edges(mock) == ["accepted"]


def test_what_the_server_refuses_is_said_and_can_be_put_away(phone: Any, mock: Any) -> None:
    expect(phone.locator("html")).to_have_attribute("data-tones", "2")  # it can ring, which was heard at sign-in
    task = phone.locator("[data-test=task]")
    dispatch = next(iter(mock.api.world.dispatches))
    phone.route("**/accept", lambda route: route.abort())
    task.get_by_role("button", name="接单").click()
    expect(task.locator("[data-test=unsent]")).to_contain_text("等待送出")
    expect(phone.get_by_text("已记下，恢复后自动送出一次")).to_be_visible()  # the press has been dealt with
    mock.do(lambda api: api.world.step(dispatch, "user:chen", "accept", ""))  # the desk was quicker
    phone.unroute("**/accept")
    phone.evaluate("dispatchEvent(new Event('online'))")
    expect(task.locator("[data-test=unsent]")).to_contain_text("未被接受")
    task.get_by_role("button", name="关闭提示").click()
    expect(task.locator("[data-test=unsent]")).to_have_count(0)
    expect(task.get_by_role("button", name="已到现场")).to_be_visible()


def test_something_new_is_reported_with_a_small_photo(phone: Any, mock: Any, tmp_path: Any) -> None:
    import cv2
    import numpy as np

    picture = tmp_path / "big.jpg"
    cv2.imwrite(str(picture), np.full((1200, 3200, 3), 90, np.uint8))
    phone.get_by_role("link", name="上报新情况").click()
    send = phone.get_by_role("button", name="上报", exact=True)
    expect(send).to_be_disabled()
    phone.get_by_role("combobox", name="什么情况").select_option(label="烟雾")
    phone.get_by_role("combobox", name="哪个区域").select_option(index=1)
    phone.get_by_role("textbox", name="情况说明").fill("三楼有烟")
    assert phone.locator("input[type=file]").bounding_box()["width"] <= 1  # the browser's words are in its own language
    phone.get_by_label("拍照").set_input_files(picture)
    expect(phone.get_by_text("照片已附上")).to_be_visible()
    send.click()
    expect(phone.get_by_text("已上报")).to_be_visible()
    one = mock.api.world.reports[0]
    assert (one["category"], one["text"]) == ("smoke", "三楼有烟")
    assert len(one["id"]) == 32
    assert 0 < len(one["photo"]) < 60_000


def test_the_position_goes_along_only_with_consent(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    mock.do(lambda api: api.world.dispatch(incident, "user:chen", "unit-shiyan-1", "note"))
    place = {"latitude": 22.80342, "longitude": 113.87116}
    page = open_page("field/", who="zhang", geolocation=place, permissions=["geolocation"], **PHONE)
    task = page.locator("[data-test=task]")
    task.get_by_role("button", name="接单").click()
    task.get_by_role("checkbox", name="同时告知我的位置").check()
    task.get_by_role("button", name="已到现场").click()
    until(lambda: edges(mock) == ["accepted", "on_scene"])  # the page is ahead of the server
    said = [c["record"].get("reason", "") for c in mock.api.world.changes if c["kind"] == "dispatch"]
    assert said[-2] == ""
    assert "22.80342, 113.87116" in said[-1]


def test_a_new_order_sounds_from_the_sign_in_on_until_sound_is_turned_off(phone: Any, mock: Any) -> None:
    tones = phone.locator("html")
    expect(tones).to_have_attribute("data-tones", "2")  # its test
    mock.do(lambda api: api.world.dispatch("inc-underpass-level", "user:chen", "unit-shiyan-1", ""))
    expect(tones).to_have_attribute("data-tones", "4")
    phone.locator("details.person summary").click()
    phone.get_by_role("button", name="关闭声音").click()
    until(lambda: mock.do(lambda api: api.admin.muted) == ["关闭声音"])  # on record, as at the desk
    mock.do(lambda api: api.world.dispatch("inc-underpass-level", "user:chen", "unit-shiyan-1", ""))
    expect(phone.locator("[data-test=task]")).to_have_count(3)
    expect(tones).to_have_attribute("data-tones", "4")


def test_a_touch_has_a_phone_sound_where_one_had_signed_in_before(open_page: Any, mock: Any) -> None:
    page = open_page("field/", who="", **PHONE)
    page.evaluate(
        """(who) => fetch('/api/v1/session', {
            method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(who),
        })""",
        {"name": "zhang", "password": PASSWORD, "code": ""},
    )
    page.add_init_script(
        """const resume = AudioContext.prototype.resume; // as browsers have it: a touch that only begins is no leave
        AudioContext.prototype.resume = function () {
            const begins = event?.type === 'pointerdown' && event.pointerType === 'touch';
            return begins ? new Promise(() => undefined) : resume.call(this);
        };"""
    )
    page.reload()
    page.locator("header.top b").tap()
    page.locator("details.person summary").tap()
    expect(page.get_by_role("button", name="关闭声音")).to_be_visible()


def test_it_can_be_installed_and_signing_out_leaves_nothing(phone: Any, mock: Any) -> None:
    manifest = json.loads(phone.request.get(f"{mock.url}/field/manifest.webmanifest").text())
    assert (manifest["scope"], manifest["display"]) == ("./", "standalone")
    for icon in manifest["icons"]:
        assert phone.request.get(f"{mock.url}/field/{icon['src']}").ok
    assert phone.evaluate(CONTROLLED)
    until(lambda: "latest" in phone.evaluate(KEPT))
    phone.locator("details.person summary").click()
    phone.get_by_role("button", name="退出").click()
    phone.locator("input[type=password]").wait_for()
    assert phone.evaluate(KEPT) == []
    sign_in(phone, "zhang")
    expect(phone.locator("[data-test=task]")).to_have_count(1)
