"""Two scenes from the first sign to the follow-up visit, on the real product: a landslide, and a dispute at home.

`docs/tutorials/scenes.md` tells them step by step.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest

from tests.browser.conftest import browser as browser
from tests.browser.orders import carry_out
from tests.browser.signing import enter
from tests.integration.running import PASSWORD, Mqtt, Running, running
from tests.waiting import until

pytestmark = pytest.mark.server

SLOPE, RAIN, VILLAGE = "slope-02", "rain-yanluo-1", "village-02"
WEEK = 7 * 86400


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("scenes") / "data") as started:
        yield started


@pytest.fixture(scope="module")
def duty(product: Running) -> httpx.Client:
    return product.token("duty", "dispatcher")


def done(answer: httpx.Response) -> dict[str, Any]:
    """Give the answer to an order that must have been done."""
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def reached(duty: httpx.Client, rule: str, area: str, level: str) -> dict[str, Any] | None:
    """Find the alarm of a rule once it is at a level."""
    listed = duty.get("/alarms", params={"area": area}).json()["items"]
    return next((one for one in listed if (one["rule"], one["level"]) == (rule, level)), None)


def test_a_landslide_from_the_rain_to_the_follow_up_visit(product: Running, duty: httpx.Client) -> None:
    mqtt = Mqtt(product.mqtt_port, "foreshock/dispatches/#")
    now = time.time()
    for ago in range(540, -1, -20):  # it rains, and what crept begins to run
        at, run = (now - ago) * 1000, (540 - ago) / 540
        mqtt.publish(f"foreshock/readings/{SLOPE}/{RAIN}", {"value": 28.0, "time": at})
        for number, reach in ((1, 44.0), (2, 30.0)):
            reading = {"value": reach * run**3, "time": at}
            mqtt.publish(f"foreshock/readings/{SLOPE}/{SLOPE}-displacement-{number}", reading)
    alarm = until(partial(reached, duty, "slope-creep", SLOPE, "red"))
    incident = f"/incidents/{alarm['incident']}"
    seen = duty.get(incident).json()
    assert (seen["level"], seen["area"]) == ("red", SLOPE)
    assert len(seen["alarms"]) >= 2, "both points are one incident"
    (sent,) = seen["dispatch_details"]
    assert sent["unit"] == "team-yanluo-tangxiachong", "the community's own team goes first"
    done(duty.post(f"{incident}/acknowledge", json={}))

    team = product.token("field", unit=sent["unit"])
    order = f"/dispatches/{sent['id']}"
    done(team.post(f"{order}/accept", json={}))
    called = [unit for unit in seen["suggested_units"] if unit != sent["unit"]][:2]
    assert len(called) == 2
    done(team.post(f"{order}/call", json={"units": called, "note": "close the road below"}))  # the community whistles
    together = until(lambda: [one for one in duty.get(incident).json()["dispatch_details"] if one["lead"]] or None)
    assert {one["unit"] for one in together} == {sent["unit"], *called}
    assert {one["lead"] for one in together} == {sent["unit"]}
    assert until(lambda: mqtt.on(f"foreshock/dispatches/{called[0]}"))[0]["data"]["lead"] == sent["unit"]
    for step, note in (("on-scene", ""), ("resolve", "the sports ground and the road are closed, nobody is below")):
        done(team.post(f"{order}/{step}", json={"note": note}))
    led = {one["unit"]: one["lead"] for one in duty.get(incident).json()["dispatch_details"]}
    assert {led[unit] for unit in called} == {called[0]}, "the next leads"
    for one in together:
        if one["unit"] != sent["unit"]:
            done(duty.post(f"/dispatches/{one['id']}/close", json={"reason": "the cordon stands"}))

    done(team.post(f"{order}/feed-back", json={"reason": "told the works below and the community"}))
    done(team.post(f"{order}/follow-up", json={"seconds": WEEK, "note": "survey the crown crack"}))
    for one in duty.get("/alarms", params={"area": SLOPE}).json()["items"]:  # the sensors went down with the slope
        if one["incident"] == alarm["incident"]:
            gone = {"seconds": 2 * WEEK, "reason": "buried"}
            done(duty.post(f"/alarms/{one['id']}/out-of-service", json=gone))
    closing = {"disposition": "real", "reason": "two slides, nobody hurt"}
    done(duty.post(f"{incident}/close", json=closing))
    assert duty.get(order).json()["leg"] == "follow_up", "the visit outlives the case"
    done(team.post(f"{order}/close", json={"reason": "no new movement, the crack is covered"}))
    edges = [one["edge"] for one in duty.get(order).json()["history"]]
    assert [edge for edge in edges if edge not in ("raised", "lead")] == [
        *("issued", "accepted", "on_scene", "resolved", "fed_back", "follow_up", "closed"),
    ]
    mqtt.close()


def add_people(browser: Any, product: Running, unit: str) -> None:
    """Make the first administrator by the printed link, on the page, and accounts for an officer and a team."""
    token = re.search(r"first\?token=(\S+)", product.said)
    assert token is not None
    page = browser.new_context().new_page()
    page.goto(f"{product.address}/#/first?token={token[1]}")
    page.locator("input[autocomplete=username]").fill("boss")
    for box in page.locator("input[type=password]").all():
        box.fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator("header.top").wait_for()
    users, headers = f"{product.address}/api/v1/users", {"Origin": product.address}
    headers["X-Foreshock-CSRF"] = page.request.get(f"{product.address}/api/v1/me").json()["csrf"]
    for one in ({"name": "chen", "roles": ["duty", "dispatcher"]}, {"name": "zhou", "roles": ["field"], "unit": unit}):
        added = page.request.post(users, headers=headers, data={**one, "password": PASSWORD, "language": "en"})
        assert added.ok, added.text()
    page.context.close()


def test_a_landslide_is_played_through_the_page(browser: Any, product: Running, duty: httpx.Client) -> None:
    expect = pytest.importorskip("playwright.sync_api").expect
    area, unit = "slope-04", "team-yanluo-hongqiaotou"
    add_people(browser, product, unit)
    desk = enter(browser, product.address, "chen", PASSWORD, viewport={"width": 1440, "height": 900})
    phone = enter(browser, product.address, "zhou", PASSWORD, viewport={"width": 390, "height": 844})
    expect(phone.locator(".no-tasks")).to_be_visible()

    mqtt = Mqtt(product.mqtt_port)
    now = time.time()
    for ago in range(540, -1, -20):
        at, run = (now - ago) * 1000, (540 - ago) / 540
        mqtt.publish(f"foreshock/readings/{area}/{RAIN}", {"value": 28.0, "time": at})
        mqtt.publish(f"foreshock/readings/{area}/{area}-displacement-1", {"value": 22.0 * run**3, "time": at})
    alarm = until(partial(reached, duty, "slope-creep", area, "orange"))
    desk.goto(f"{product.address}/#/incidents/{alarm['incident']}")
    head = desk.locator(".incident-head")
    expect(head).to_contain_text("Orange warning")
    expect(desk.locator(".trace [data-test=forecast]")).to_contain_text("At this pace the limit in")
    head.get_by_role("button", name="Acknowledge").click()
    expect(head.locator(".facts")).to_contain_text("chen")

    carry_out(expect, phone, desk)

    for one in duty.get(f"/incidents/{alarm['incident']}").json()["alarms"]:  # the sensor went down with the slope
        desk.goto(f"{product.address}/#/alarms/{one}")
        desk.get_by_role("button", name="Out of service…").click()
        out = desk.get_by_role("dialog")
        out.get_by_role("radio").nth(2).check()
        out.get_by_label("Why").fill("buried")
        out.get_by_role("button", name="Take out of service").click()
        expect(out).to_have_count(0)
    desk.goto(f"{product.address}/#/incidents/{alarm['incident']}")
    desk.get_by_role("button", name="Close…").click()
    closing = desk.get_by_role("dialog")
    closing.get_by_label(re.compile("^Real")).check()
    closing.get_by_label("Why you think so").fill("a slide, nobody hurt")
    closing.get_by_role("button", name="Close the incident").click()
    expect(desk.locator(".incident-head .state-closed")).to_be_visible()
    assert duty.get(f"/incidents/{alarm['incident']}").json()["disposition"] == "real"
    mqtt.close()
    desk.goto(f"{product.address}/#/exercises")
    begin_and_end_a_drill(expect, desk, duty)


def begin_and_end_a_drill(expect: Any, desk: Any, duty: httpx.Client) -> None:
    """Start the example's drill on the page, see it run, and end it."""
    desk.get_by_role("button", name=re.compile("^Start… Yangtai Hill")).click()
    desk.get_by_role("dialog").get_by_role("button", name="Start the drill").click()
    expect(desk.locator("[data-test=exercise]")).to_contain_text("Yangtai Hill")  # the banner
    expect(desk.locator("[data-test=course]")).to_contain_text("The exercise begins")
    (runs,) = duty.get("/exercises", params={"running": True}).json()["items"]
    assert runs["actor"] == "user:chen"
    desk.get_by_role("button", name="End the drill").click()
    desk.get_by_role("dialog").get_by_role("button", name="End it now").click()
    expect(desk.locator("[data-test=exercise]")).to_have_count(0)
    assert duty.get(f"/exercises/{runs['id']}").json()["ended"] is not None


def test_a_dispute_at_home_from_the_third_report_to_the_mediators_feedback(
    product: Running, duty: httpx.Client
) -> None:
    for text in ("shouting at night", "she was pushed", "he threatens to come back"):
        report = {"category": "family-dispute", "area": VILLAGE, "subject": "Li Moumou, 13 Sample Lane", "text": text}
        done(duty.post("/reports", json=report))
    alarm = until(partial(reached, duty, "repeated-family-dispute", VILLAGE, "orange"))
    heard = duty.get("/reports", params={"category": "family-dispute"}).json()["items"]
    assert len({one["subject"] for one in heard}) == 1 and "Li" not in heard[0]["subject"], "a keyed hash, no name"
    incident = f"/incidents/{alarm['incident']}"
    (sent,) = duty.get(incident).json()["dispatch_details"]
    order = f"/dispatches/{sent['id']}"

    team = product.token("field", unit=sent["unit"])
    done(team.post(f"{order}/accept", json={}))
    done(team.post(f"{order}/refer", json={"to": "mediation-centre", "reason": "both want to talk, not the police"}))
    assert team.post(f"{order}/on-scene", json={}).status_code in (403, 404), "it is theirs no more"
    mediators = product.token("field", unit="mediation-centre")
    for step in ("accept", "on-scene", "resolve"):
        done(mediators.post(f"{order}/{step}", json={"note": step}))
    done(mediators.post(f"{order}/refer", json={"to": "psychological-support", "reason": "she asked for it"}))
    support = product.token("field", unit="psychological-support")
    for step in ("accept", "on-scene", "resolve"):
        done(support.post(f"{order}/{step}", json={"note": step}))
    early = support.post(f"{order}/close", json={"reason": "done"}, headers={"Accept-Language": "en"})
    assert (early.status_code, early.json()["error"]["message"]) == (409, "Feed back first what was done")
    done(support.post(f"{order}/feed-back", json={"reason": "told the community officer who reported"}))
    done(support.post(f"{order}/follow-up", json={"seconds": WEEK}))
    done(support.post(f"{order}/close", json={"reason": "they live apart, all is calm"}))
    trail = duty.get(order).json()["history"]
    assert [(one["previous"], one["unit"]) for one in trail if one["edge"] == "referred"] == [
        (sent["unit"], "mediation-centre"),
        ("mediation-centre", "psychological-support"),
    ]
    assert trail[-1]["reason"] == "they live apart, all is calm"

    # closed with what it was while the fourteen days still count three reports; a fourth opens a case at once
    done(duty.post(f"{incident}/close", json={"disposition": "real", "reason": "they live apart"}))
    assert reached(duty, "repeated-family-dispute", VILLAGE, "orange") is None
    done(duty.post("/reports", json=report | {"text": "he is back"}))
    again = until(partial(reached, duty, "repeated-family-dispute", VILLAGE, "orange"))
    assert again["incident"] != alarm["incident"] and again["state"] == "UNACK"
    done(duty.post(f"/incidents/{again['incident']}/acknowledge", json={}))
