"""The page on the real API, desk and journal: the same journey without the mock, so that the two cannot drift apart."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from orders import carry_out
from playwright.sync_api import expect
from real import PASSWORD, enter, load_fixtures, serving

from alerts.console.accounts import add_user, list_audit
from alerts.console.config import ConsoleConfig
from alerts.outcome import Explanation, Reported, Seen, Term
from scripts.build_web import STATIC
from sensors.camera.clip import keep_clip
from sensors.camera.snapshot import keep
from sensors.flags import JUMP
from sensors.observation import BAD, Command

pytestmark = pytest.mark.browser


def jpeg(grey: int) -> bytes:
    done, found = cv2.imencode(".jpg", np.full((90, 160, 3), grey, np.uint8))
    assert done
    return found.tobytes()


@pytest.fixture
def console(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Serve the real console with a real desk and journal; gives its engine, with the address as `url`."""
    fixtures = load_fixtures()
    journal = f"sqlite:///{tmp_path / 'journal.sqlite'}"
    engine = fixtures.Engine(fixtures.make_site(), journal)
    engine.picture = jpeg(60)

    async def newest(camera: str) -> tuple[float, bytes] | str:
        return (time.time(), engine.picture) if engine.picture else "camera_no_picture"

    config = ConsoleConfig(
        data=tmp_path,
        site=engine.site,
        journal=journal,
        feed=engine,
        hasher=fixtures.CHEAP,
        static=STATIC,
        newest=newest,
    )
    with serving(engine, config) as accounts:
        add_user(accounts, "chen", PASSWORD, ["duty"], language="en")
        add_user(accounts, "wang", PASSWORD, ["viewer"], language="zh-CN")
        add_user(accounts, "zhang", PASSWORD, ["field"], unit="team", language="en")
        yield engine


def test_from_first_sign_to_closed_case_on_the_real_api(browser: Any, console: Any) -> None:
    desk = enter(browser, console, "chen", viewport={"width": 1440, "height": 900})
    expect(desk.locator("[data-test=link]")).to_have_text("Live")
    phone = enter(browser, console, "zhang", viewport={"width": 390, "height": 844})
    expect(phone.locator(".no-tasks")).to_be_visible()

    console.condition(level=2)
    expect(desk.locator("#incident-title")).to_have_text("creep")
    expect(desk.locator("[data-test=announcer]")).to_contain_text("Yellow warning")
    desk.locator(".incident-head").get_by_role("button", name="Acknowledge").click()
    expect(desk.locator(".incident-head .facts")).to_contain_text("chen")
    desk.locator("#comment").fill("called the team <b>")
    desk.get_by_role("button", name="Add", exact=True).click()
    expect(desk.locator(".timeline")).to_contain_text("called the team <b>")
    permit = {"name": "permit.exe", "mimeType": "application/pdf", "buffer": b"%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n"}
    desk.get_by_label("Add a photo or PDF").set_input_files(permit)
    expect(desk.locator("[data-test=attachments] li")).to_contain_text("permit.pdf")
    expect(desk.locator(".timeline")).to_contain_text("File attached")
    desk.get_by_label("Add a photo or PDF").set_input_files({**permit, "buffer": b"MZ"})
    expect(desk.get_by_text("neither a photo (JPEG, PNG) nor a PDF")).to_be_visible()
    desk.locator(".send textarea").fill("bring tape")
    desk.locator(".send").get_by_role("button", name="Dispatch").click()

    task = phone.locator("[data-test=task]")
    expect(task).to_contain_text("bring tape")
    carry_out(expect, phone, desk)

    desk.get_by_role("button", name="Close…").click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label(re.compile("^Nuisance")).check()
    dialog.get_by_label("Why you think so").fill("a goat")
    dialog.get_by_role("button", name="Close the incident").click()
    expect(desk.locator(".queue [data-incident]")).to_have_count(0)
    for page in (desk, phone):
        page.context.close()


def test_refusals_are_said_in_the_reader_s_language(browser: Any, console: Any) -> None:
    desk = enter(browser, console, "chen", viewport={"width": 1440, "height": 900})
    console.condition(level=3)  # at the dispatch level: sent at once
    expect(desk.locator("[data-test=dispatch]")).to_be_visible()
    desk.get_by_role("button", name="Close…").click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label(re.compile("^Test")).check()
    dialog.get_by_role("button", name="Close the incident").click()
    expect(desk.locator(".notice.bad")).to_contain_text("dispatch is still open")
    desk.context.close()


def test_the_live_panel_shows_stills_until_it_is_stopped_and_says_why_there_is_none(browser: Any, console: Any) -> None:
    console.condition(level=2)
    desk = enter(browser, console, "chen", viewport={"width": 1440, "height": 900})
    live = desk.locator("[data-test=live]")
    expect(live.locator("img")).to_have_count(0)  # nobody looks until somebody asks
    live.get_by_role("button", name="Look live").click()
    still = live.get_by_role("img", name=re.compile("cam"))
    expect(still).to_be_visible()
    assert still.evaluate("one => one.naturalWidth") == 160
    first = still.get_attribute("src")
    expect(still).not_to_have_attribute("src", first)  # the next still
    console.picture = b""
    expect(live.get_by_role("status")).to_contain_text("picture")
    live.get_by_role("button", name="Stop looking").click()
    expect(live.get_by_role("status")).to_have_count(0)
    looks = list_audit(console.console.accounts, action="camera.still")
    assert [(one.actor, one.target) for one in looks] == [("user:chen", "cam")]
    desk.context.close()
    viewer = enter(browser, console, "wang", viewport={"width": 1440, "height": 900})
    expect(viewer.locator("[data-test=live]")).to_be_visible()
    expect(viewer.locator("[data-test=live] button")).to_have_count(0)  # no role to look
    viewer.context.close()


def test_the_strip_of_an_alarm_is_stepped_through_by_keyboard(browser: Any, console: Any) -> None:
    console.condition(level=2)
    alarm = console.journal.alarms().items[0]
    for number, (after, grey) in enumerate(((-600, 40), (0, 120), (1, 200))):
        args = {"camera": "cam", "sha": keep(console.config.snapshots, jpeg(grey)), "time": alarm["onset"] + after}
        taken = Command(
            id=f"snap-{number}",
            kind="snapshot",
            target=alarm["id"],
            area="slope-1",
            actor="camera:cam",
            time=time.time(),
            args=args,
        )
        console.record(console.desk.command(taken, time.time()))
        if not after:
            frames = [(alarm["onset"] + step / 4, jpeg(20 * step)) for step in range(8)]
            keep_clip(console.config.snapshots, args["sha"], frames)
    times = alarm["onset"] + np.arange(-600.0, 0.0, 10.0)
    point, score = np.zeros(60, np.uint32), np.zeros(60, np.float32)
    console.console.traces.append(point, times, np.sin(times / 60), score, seen=time.time())
    desk = enter(browser, console, "chen", viewport={"width": 1440, "height": 900})
    strip = desk.locator("[data-test=strip]")
    expect(strip.get_by_role("radio")).to_have_count(3)
    expect(strip.locator("figcaption")).to_contain_text("2 of 3")  # the one nearest to the onset
    expect(strip.get_by_role("radio").first.locator("img")).to_have_attribute("src", re.compile(r"\.jpg\?width=320$"))
    large = strip.locator("a > img")
    expect(large).to_have_attribute("src", re.compile(r"\.jpg$"))
    assert large.evaluate("one => one.decode().then(() => one.naturalWidth)") == 160
    strip.get_by_role("radio", checked=True).focus()
    desk.keyboard.press("ArrowLeft")
    expect(strip.locator("figcaption")).to_contain_text("1 of 3")
    desk.keyboard.press("End")
    expect(strip.locator("figcaption")).to_contain_text("3 of 3")
    expect(strip.get_by_role("radio", checked=True)).to_be_focused()
    lane = desk.locator("[data-test=lane] button")
    expect(lane).to_have_count(2)  # on the chart's axis: two that are a second apart on one pile, one far before
    expect(lane.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(lane.nth(1)).to_have_attribute("aria-label", re.compile("2 close together"))
    lane.nth(1).click()  # the other one of the pile
    expect(strip.locator("figcaption")).to_contain_text("2 of 3")
    strip.get_by_role("radio", checked=True).focus()
    desk.keyboard.press("Home")
    expect(strip.locator("figcaption")).to_contain_text("1 of 3")
    expect(lane.nth(0)).to_have_attribute("aria-pressed", "true")
    strip.get_by_role("button", name="Play as a clip").click()
    expect(strip.locator("figcaption")).to_contain_text("3 of 3")
    expect(strip.get_by_role("button", name="Play as a clip")).to_have_attribute("aria-pressed", "false")
    plot = desk.locator(".trace .plot").first
    box = plot.bounding_box()
    plot.click(position={"x": 70, "y": box["height"] / 2})  # on the chart, far before: the picture nearest to it
    expect(strip.locator("figcaption")).to_contain_text("1 of 3")
    strip.get_by_role("radio").nth(1).click()
    strip.get_by_role("button", name="Moving clip").press("Enter")
    clip = strip.locator("[data-test=clip]")
    where = clip.get_by_role("slider", name="Moment of the clip")
    expect(where).to_have_attribute("max", "7")
    expect(clip.get_by_role("button", name="Play")).to_be_visible()  # it has played to its end, or nobody wants motion
    where.press("Home")
    shown = clip.locator("img")
    first = shown.get_attribute("src")
    assert shown.evaluate("one => one.decode().then(() => one.naturalWidth)") == 160
    where.press("ArrowRight")
    expect(shown).not_to_have_attribute("src", first)
    strip.get_by_role("button", name="Back to the pictures").press("Enter")
    expect(strip.locator("figcaption")).to_contain_text("2 of 3")
    expect(clip).to_have_count(0)
    desk.context.close()


CIRCLES = """
window.circles = [];
const arc = CanvasRenderingContext2D.prototype.arc;
CanvasRenderingContext2D.prototype.arc = function (x, y, radius, ...rest) {
  window.circles.push(Math.round(radius / devicePixelRatio));
  return arc.call(this, x, y, radius, ...rest);
};
"""


def test_readings_of_bad_quality_are_hollow_marks_in_the_trace(browser: Any, console: Any) -> None:
    now = time.time()
    times = now - np.arange(600.0, 0.0, -1.0)
    point, value = np.zeros(600, np.uint32), np.sin(times / 60)
    console.console.traces.append(point, times, value, np.zeros(600, np.float32), seen=now)
    flags = np.zeros(600, np.uint16)
    flags[[100, 200, 300]] = BAD, JUMP, BAD
    home = np.full(600, console.console.registry.partition("slope-1"))
    console.console.quality.append(home, point, times, value, flags, now)
    console.condition(level=2)
    page = enter(browser, console, "chen", viewport={"width": 1440, "height": 900})
    page.add_init_script(CIRCLES)
    page.reload()
    trace = page.locator(".trace").first
    expect(trace).to_contain_text("○")
    expect(trace.locator(".plot")).to_have_attribute("aria-label", re.compile("poor quality: 3"))
    page.wait_for_function("window.circles.filter(one => one === 3).length >= 3")
    page.context.close()


def test_reports_are_listed_found_and_their_photos_opened_by_who_may(browser: Any, console: Any) -> None:
    now = time.time()
    photo = keep(console.config.photos, jpeg(90))
    who = "5f3a" * 6
    told = [
        Reported(id=f"r{k}", area="slope-1", category="noise", time=now - 60 * k, received=now, text=f"<b>loud {k}</b>")
        for k in range(3)
    ]
    told.append(
        Reported(
            id="r9", area="slope-2", category="family-dispute", time=now - 5, received=now, subject=who, photo=photo
        )
    )
    console.record(told)
    desk = enter(browser, console, "chen", viewport={"width": 1440, "height": 900})
    desk.get_by_role("link", name="Reports").click()
    rows = desk.locator("[data-report]")
    expect(rows).to_have_count(4)
    expect(desk.locator("[data-report=r0]")).to_contain_text("<b>loud 0</b>")  # text, never markup
    dispute = desk.locator("[data-report=r9]")
    expect(dispute).to_contain_text("Family dispute")
    expect(dispute).to_contain_text(f"Person {who[:8]}…")
    assert not list_audit(console.console.accounts, action="report.photo")
    dispute.get_by_role("button", name="Look at the photo").click()
    shown = dispute.get_by_role("img")
    expect(shown).to_be_visible()
    assert shown.evaluate("one => one.decode().then(() => one.naturalWidth)") == 160
    assert {one.target for one in list_audit(console.console.accounts, action="report.photo")} == {"r9"}
    desk.get_by_label("Category").fill("noise")
    expect(rows).to_have_count(3)
    desk.get_by_label("Category").fill("")
    dispute.get_by_role("button", name=re.compile("^Person")).click()
    expect(rows).to_have_count(1)
    desk.get_by_role("button", name=re.compile("show all again")).click()
    desk.get_by_label("Area").select_option("slope-1")
    expect(rows).to_have_count(3)
    desk.context.close()
    viewer = enter(browser, console, "wang", viewport={"width": 390, "height": 844})
    viewer.goto(f"{console.url}/#/reports")
    expect(viewer.get_by_role("heading", name="群众上报")).to_be_visible()
    expect(viewer.locator("[data-report=r9]")).to_contain_text("家庭纠纷")
    expect(viewer.get_by_role("button", name="查看照片")).to_have_count(0)
    viewer.context.close()


def test_an_alarm_says_what_was_seen_and_reported_and_leads_to_the_report(browser: Any, console: Any) -> None:
    now = time.time()
    console.record([Reported(id="r1", area="slope-1", category="gas", time=now, received=now, text="smells")])
    why = Explanation(
        clause="reports('gas', 3, '1h')",
        terms=(Term(name="reports('gas', 3, '1h')", value=1.0, holds=True),),
        events=(
            Seen(kind="debris", time=now, camera="cam", level="orange", detail="<i>rocks</i>"),
            Seen(kind="report-gas", time=now, detail="smells", report="r1", by="user:li"),
        ),
    )
    console.condition(level=2, why=why)
    desk = enter(browser, console, "chen", viewport={"width": 1440, "height": 900})
    events = desk.locator("[data-test=events] li").filter(visible=True)
    expect(events).to_have_count(2)
    expect(events.first).to_contain_text("debris")
    expect(events.first).to_contain_text("<i>rocks</i>")
    expect(desk.locator(".terms").first).to_contain_text("3 reports of “Smell of gas” in 1")
    events.nth(1).get_by_role("link", name="the report").click()
    expect(desk.locator("[data-report=r1]")).to_have_attribute("aria-current", "true")
    desk.context.close()
