"""The page never looks fresher than it is, and finds back by itself."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import expect
from signing import sign_in
from sound import COUNT_TONES
from wire import Wire

pytestmark = pytest.mark.browser
SITE_CLOCK = """() => {
    const real = performance.timeOrigin + performance.now();
    const said = document.querySelector("header.top").innerText.match(/\\d\\d:\\d\\d:\\d\\d/)[0].split(":").map(Number);
    const site = (real / 1000 + 8 * 3600) % 86400;
    const off = Math.abs(said[0] * 3600 + said[1] * 60 + said[2] - site);
    return Math.min(off, 86400 - off);
}"""  # seconds by which the site's clock in the header is off


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


def test_a_page_that_opens_on_a_silent_engine_never_looks_healthy(open_page: Any, mock: Any) -> None:
    mock.do(lambda api: vars(api.world).update(silent=True, started=time.time() - 60))
    page = open_page()
    expect(page.locator("[data-test=stale]")).to_contain_text(re.compile("画面停在 [67][0-9] 秒前"), timeout=12_000)


def test_what_the_way_holds_up_is_said_to_be_old_though_it_keeps_coming(open_page: Any, mock: Any) -> None:
    mock.do(lambda api: setattr(api.world, "held", 20.0))
    page = open_page()
    expect(page.locator("[data-test=stale]")).to_contain_text(re.compile("画面停在 2[0-9] 秒前"), timeout=12_000)
    assert page.evaluate(SITE_CLOCK) < 3  # though all that is heard is 20 s old
    mock.do(lambda api: setattr(api.world, "held", 0.0))
    expect(page.locator("[data-test=stale]")).to_have_count(0, timeout=15_000)
    expect(page.locator("[data-test=link]")).to_have_text("实时")


def test_a_clock_that_is_set_makes_no_page_old(open_page: Any, mock: Any) -> None:
    page = open_page()
    expect(page.locator("[data-test=link]")).to_have_text("实时")
    page.evaluate("() => { const now = Date.now; Date.now = () => now() + 3600_000; }")
    count = "loud += document.querySelectorAll('[data-test=stale]').length"
    page.evaluate(f"() => {{ window.loud = 0; setInterval(() => {{ {count} }}, 20) }}")
    page.wait_for_function(f"() => ({SITE_CLOCK})() < 3")  # the real time, an hour before what the machine says
    assert page.evaluate("loud") == 0


def test_that_alarms_do_not_get_here_is_said_loudly_though_the_engine_speaks(open_page: Any, mock: Any) -> None:
    page = open_page()
    phone = open_page("field/", who="zhang", width=390, height=844, phone=True)
    expect(page.locator("[data-test=link]")).to_have_text("实时")
    mock.do(lambda api: setattr(api.world, "trouble", "unwritten"))
    expect(page.locator("[data-test=stale]")).to_have_text("报警无法写入，不会出现在本页。 请勿据此判断安全。")
    expect(page.locator("[data-test=link]")).to_have_text("数据陈旧")
    expect(phone.locator("[data-test=offline]")).to_have_text("报警无法写入，不会出现在本页。")
    expect(phone.locator("[data-test=link]")).to_have_text("数据陈旧")
    mock.do(lambda api: setattr(api.world, "trouble", ""))
    expect(page.locator("[data-test=stale]")).to_have_count(0)
    expect(phone.locator("[data-test=link]")).to_have_text("实时")


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


def test_a_stream_that_never_opens_is_said_loudly_and_asked_for_anew(open_page: Any, mock: Any) -> None:
    page = open_page(who="")
    page.route("**/api/v1/changes*", lambda _: None)  # as by a proxy that holds back what has no end
    sign_in(page, "chen")
    expect(page.locator("[data-incident=inc-underpass-level]")).to_be_visible()
    page.evaluate("real = performance.now.bind(performance); performance.now = () => real() + 6000")
    expect(page.locator("[data-test=stale]")).to_contain_text("请勿据此判断安全")
    incident = mock.do(lambda api: api.world.landslide())
    page.unroute("**/api/v1/changes*")
    page.evaluate("performance.now = () => real() + 13000")  # nothing was heard for too long
    expect(page.locator(f"[data-incident={incident}]")).to_be_visible()
    expect(page.locator("[data-test=stale]")).to_have_count(0)


def test_an_order_that_got_no_answer_is_done_once_however_often_it_is_given(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    page = open_page(f"#/incidents/{incident}")
    said = page.locator(".timeline .said", has_text="裂缝在变宽")

    def write(times: int) -> None:
        page.locator("#comment").fill("裂缝在变宽")
        page.locator(".timeline button").click()
        expect(said).to_have_count(times)

    def lose(route: Any) -> None:
        route.fetch()  # the server has it
        route.abort()

    mock.do(lambda api: setattr(api, "lose", 1))
    write(1)
    expect(page.locator("#comment")).to_have_value("裂缝在变宽")  # no answer came
    page.locator(".timeline button").click()
    expect(page.locator("#comment")).to_have_value("")
    expect(said).to_have_count(1)
    page.route("**/comment", lose, times=1)
    write(2)  # answered before, so it is meant anew
    expect(page.locator(".notice, [role=alert]").last).to_contain_text("无法连接服务器")
    page.route("**/comment", lambda route: route.fulfill(status=429), times=1)
    page.locator(".timeline button").click()  # which says nothing of what became of the one before
    expect(page.get_by_text("请求过多，请稍后再试")).to_be_visible()
    page.locator(".timeline button").click()
    expect(page.locator("#comment")).to_have_value("")
    expect(said).to_have_count(2)
    edges = [one["record"]["edge"] for one in mock.api.world.changes if one["kind"] == "incident"]
    assert edges.count("commented") == 2


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


def unheard(api: Any, change: Callable[[], Any]) -> Any:
    """Change the world so that no listener is told."""
    heard, api.world.publish = api.world.publish, lambda change: None
    try:
        return change()
    finally:
        api.world.publish = heard


def test_resync_reads_the_lists_afresh_and_sounds_what_is_new(open_page: Any, mock: Any) -> None:
    page = open_page(who="")
    page.evaluate(COUNT_TONES)
    sign_in(page, "chen")
    tones = page.locator("html")
    expect(page.locator("[data-incident=inc-underpass-level]")).to_be_visible()
    expect(page.locator("[data-test=link]")).to_have_text("实时")
    expect(tones).to_have_attribute("data-tones", "2")  # its test

    def rise(api: Any) -> str:
        api.world.incidents.pop("inc-underpass-level")
        incident: str = unheard(api, api.world.landslide)
        api.resync(lambda: None)
        return incident

    incident = mock.do(rise)
    expect(page.locator("[data-incident=inc-underpass-level]")).to_have_count(0)
    expect(page.locator(f"[data-incident={incident}]")).to_be_visible()
    expect(tones).to_have_attribute("data-tones", "4")

    page.evaluate(
        """() => {
            const real = window.setTimeout;
            window.held = []; // what waits to be drawn with more of its kind
            window.setTimeout = (act, after, ...more) => (after === 40 ? held.push(act) : real(act, after, ...more));
        }"""
    )

    def close(api: Any) -> None:
        api.world.worsen(incident)
        api.resync(lambda: api.world.incidents.pop(incident))

    mock.do(close)
    expect(page.locator(f"[data-incident={incident}]")).to_have_count(0)
    assert page.evaluate("held.map((act) => act()).length") > 0
    page.evaluate("new Promise(requestAnimationFrame)")
    assert (
        page.locator(f"[data-incident={incident}]").count() == 0
    )  # what is older than the lists is not laid over them
    assert int(tones.get_attribute("data-tones")) > 4  # though it was heard


def test_resync_reads_the_open_incident_afresh_too(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    page = open_page(f"#/incidents/{incident}")
    expect(page.locator("[data-test=link]")).to_have_text("实时")
    expect(page.locator("#incident-title")).to_be_visible()
    page.evaluate("held = performance.now(); performance.now = () => held")  # all that follows is in one blink

    def change(api: Any) -> None:
        api.world.comment(incident, "user:duan", "裂缝在变宽")
        api.world.worsen(incident)

    mock.do(lambda api: api.resync(lambda: unheard(api, lambda: change(api))))
    expect(page.locator("[data-test=incident]")).to_contain_text("裂缝在变宽", timeout=15_000)
    expect(page.locator(".incident-head")).to_contain_text("红色")
    page.keyboard.press("a")
    expect(page.get_by_role("alert").filter(has_text="情况刚刚加重")).to_be_visible()


def test_that_an_open_incident_could_not_be_read_again_is_said(open_page: Any, mock: Any) -> None:
    incident = mock.do(lambda api: api.world.landslide())
    page = open_page(f"#/incidents/{incident}")
    expect(page.locator("#incident-title")).to_be_visible()
    page.route(f"**/api/v1/incidents/{incident}", lambda route: route.abort())
    mock.do(lambda api: api.world.comment(incident, "user:duan", "裂缝在变宽"))
    failed = page.locator(".chosen .failed")
    expect(failed).to_be_visible()
    page.unroute(f"**/api/v1/incidents/{incident}")
    failed.get_by_role("button").click()
    expect(page.locator("[data-test=incident]")).to_contain_text("裂缝在变宽")
    expect(failed).to_have_count(0)


def test_what_is_over_is_let_go_of_by_a_page_that_stays_open(open_page: Any, mock: Any) -> None:
    page = open_page(who="li")
    expect(page.locator("[data-test=link]")).to_have_text("实时")

    def pass_by(api: Any) -> None:
        known = api.world.alarms["alm-underpass-level"]
        for number in range(900):
            row = {**known, "id": f"gone-{number}", "state": "UNACK", "transitions": [], "incident": None}
            api.world._alarm_change(row, "return", "NORM")

    mock.do(pass_by)
    incident = mock.do(lambda api: api.world.landslide())  # what comes after it all
    expect(page.locator(f"[data-incident={incident}]")).to_be_visible()
    debugger = page.context.new_cdp_session(page)
    every = debugger.send("Runtime.evaluate", {"expression": "Map.prototype"})["result"]["objectId"]
    maps = debugger.send("Runtime.queryObjects", {"prototypeObjectId": every})["objects"]["objectId"]
    count = """function () {
        const gone = (one) => [...one.values()].filter((row) => row && row.state === 'NORM').length;
        return Math.max(...this.map(gone));
    }"""
    asked = {"functionDeclaration": count, "objectId": maps, "returnByValue": True}
    assert debugger.send("Runtime.callFunctionOn", asked)["result"]["value"] == 500


def test_who_may_do_less_by_now_is_shown_so_once_the_stream_is_back(open_page: Any, mock: Any) -> None:
    mock.do(lambda api: api.world.landslide())
    page = open_page(who="duan")
    head = page.locator(".incident-head")
    expect(head.get_by_role("button", name="确认")).to_be_visible()

    def lessen(api: Any) -> None:
        api.world.users["duan"]["roles"] = ["viewer"]
        api.drop_streams()

    mock.do(lessen)
    expect(head.get_by_role("button", name="确认")).to_have_count(0)
    expect(page.locator("[data-test=link]")).to_have_text("实时")


def test_nothing_that_was_read_before_stays_with_who_may_not_see_it_by_now(open_page: Any, mock: Any) -> None:
    page = open_page("#/alarms/alm-underpass-level", who="duan")
    expect(page.locator("main h1")).to_be_visible()
    page.route("**/api/v1/alarms/alm-underpass-level", lambda route: route.fulfill(status=404))

    def confine(api: Any) -> None:
        api.world.users["duan"]["places"] = ["xixiang"]
        api.world.rings = 14
        api.drop_streams()

    mock.do(confine)
    expect(page.locator("main .failed")).to_be_visible()
    expect(page.locator("main h1")).to_have_count(0)
    expect(page.locator("[data-test=flood]")).to_contain_text("您的辖区有 0 起红色")


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
