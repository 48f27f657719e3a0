"""From an MQTT topic to a person sent out and back, over real MQTT and HTTP, and what bad input does on the way."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import msgspec
import pytest

from tests.integration.running import PASSWORD, Mqtt, Receiver, Running, Stream, foreshock, running
from tests.waiting import until

pytestmark = pytest.mark.server

SECRET = "a secret of the webhook"
AREA = "village-01"
ODD = "50% of #3?"
"""A folder whose name means something in an address of a database."""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    started = Receiver(SECRET.encode())
    yield started
    started.close()


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Running]:
    webhook = {
        "FORESHOCK_WEBHOOK_URL": receiver.url,
        "FORESHOCK_WEBHOOK_SECRET": SECRET,
        "FORESHOCK_WEBHOOK_PRIVATE": "true",
    }
    with running(tmp_path_factory.mktemp("spine") / ODD, **webhook) as started:
        yield started


@pytest.fixture(scope="module")
def mqtt(product: Running) -> Iterator[Mqtt]:
    client = Mqtt(product.mqtt_port, "foreshock/alarms/#", "foreshock/dispatches/#")
    yield client
    client.close()


@pytest.fixture(scope="module")
def duty(product: Running) -> httpx.Client:
    return product.token("duty", "analyst")


@pytest.fixture(scope="module")
def administrator(product: Running) -> httpx.Client:
    """Claim the first administrator with the printed link, as the page does; log in again as anybody would."""
    token = re.search(r"token=(\S+)", product.said)
    assert token is not None
    client = httpx.Client(base_url=f"{product.address}/api/v1", timeout=20)
    claim = {"token": token[1], "name": "boss", "password": PASSWORD}
    assert client.post("/first-administrator", json=claim).status_code == 200
    assert client.post("/first-administrator", json=claim).status_code >= 400
    fresh = httpx.Client(base_url=f"{product.address}/api/v1", timeout=20)
    assert fresh.get("/me").status_code == 401
    assert fresh.post("/session", json={"name": "boss", "password": "not this one"}).status_code == 401
    entered = fresh.post("/session", json={"name": "boss", "password": PASSWORD})
    assert entered.status_code == 200
    fresh.headers["X-Foreshock-CSRF"] = entered.json()["csrf"]
    return fresh


def trace(client: httpx.Client, point: str) -> list[float]:
    found: list[float] = client.get(f"/points/{point}/trace").json()["value"]
    return found


def test_every_dialect_brings_readings_to_the_traces(mqtt: Mqtt, duty: httpx.Client) -> None:
    now = time.time()
    columns = {"points": [f"{AREA}-co-1", f"{AREA}-smoke-1"], "values": [3.5, 0.4]}
    mqtt.publish(f"foreshock/readings/{AREA}/{AREA}-charging-2", "21.25")
    mqtt.publish(f"foreshock/readings/{AREA}/{AREA}-charging-3", {"value": 22.5, "time": now * 1000})
    mqtt.publish(f"foreshock/frames/{AREA}", columns)
    packed = {"points": [f"{AREA}-co-2", f"{AREA}-temperature-1"], "times": [now * 1000] * 2, "values": [4.5, 25.5]}
    mqtt.publish(f"foreshock/frames/{AREA}", msgspec.msgpack.encode(packed))
    mqtt.publish(f"site/{AREA}/{AREA}-charging-4", {"ts": int(now * 1000), "value": 23.75})
    expected = {
        "charging-2": 21.25,
        "charging-3": 22.5,
        "co-1": 3.5,
        "smoke-1": 0.4,
        "co-2": 4.5,
        "temperature-1": 25.5,
        "charging-4": 23.75,
    }
    for point, value in expected.items():
        until(partial(trace, duty, f"{AREA}-{point}"), what=point)
        assert trace(duty, f"{AREA}-{point}") == pytest.approx([value]), point


def test_an_overload_becomes_a_closed_case(
    product: Running, mqtt: Mqtt, receiver: Receiver, duty: httpx.Client, administrator: httpx.Client
) -> None:
    stream = Stream(duty)
    mqtt.overload()

    # the alarm says where, why, and what clears it
    def raised() -> Any:
        listed = duty.get("/alarms", params={"area": AREA}).json()["items"]
        return next((one for one in listed if one["rule"] == "charging-current" and one["level"] == "orange"), None)

    alarm = until(raised)
    assert (alarm["scope"], alarm["state"], alarm["kind"]) == (f"{AREA}-charging-1", "UNACK", "risk")
    assert not alarm["simulated"]
    shown = duty.get(f"/alarms/{alarm['id']}").json()
    assert shown["explanation"]["clause"] == "beyond('red')"
    assert f"{AREA}-charging-1" in shown["explanation"]["points"]
    assert shown["rationale"]["response"]["en"].startswith("Limit")
    incident = duty.get(f"/incidents/{alarm['incident']}").json()
    assert (incident["level"], incident["state"], incident["cause"]) == ("orange", "dispatched", alarm["id"])

    # somebody was sent at once, and told three ways
    (dispatch,) = incident["dispatch_details"]
    unit = dispatch["unit"]
    told = until(lambda: mqtt.on(f"foreshock/dispatches/{unit}"))
    event = told[0]
    assert event["specversion"] == "1.0"
    assert all(isinstance(event[name], str) and event[name] for name in ("id", "source", "type", "time", "subject"))
    assert event["datacontenttype"] == "application/json"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", event["time"])
    assert (event["data"]["incident"], event["data"]["unit"]["id"]) == (incident["id"], unit)
    headers, body = until(lambda: receiver.requests)[0]
    assert receiver.genuine(headers, body)
    assert not receiver.genuine(headers, body + b" ")
    assert json.loads(body)["id"] == event["id"] == headers["webhook-id"]
    late = Mqtt(product.mqtt_port, "foreshock/alarms/#")  # the summary is retained
    summary = until(lambda: late.on(f"foreshock/alarms/{AREA}"))[-1]
    late.close()
    assert summary["area"] == AREA and alarm["id"] in json.dumps(summary)

    # each by who may
    field = product.token("field", unit=unit)
    viewer = product.token("viewer")
    assert viewer.post(f"/incidents/{incident['id']}/acknowledge", json={}).status_code == 403
    assert field.get(f"/incidents/{incident['id']}").status_code == 403
    assert httpx.get(f"{product.address}/api/v1/alarms").status_code == 401
    assert duty.post(f"/incidents/{incident['id']}/acknowledge", json={}).status_code == 200
    again = duty.post(f"/incidents/{incident['id']}/acknowledge", json={}, headers={"Accept-Language": "en"})
    assert (again.status_code, again.json()["error"]["message"]) == (409, "The incident is already acknowledged")
    assert field.post(f"/dispatches/{dispatch['id']}/resolve", json={}).status_code == 409  # not on scene yet
    for step in ("accept", "on-scene", "resolve"):
        answer = field.post(f"/dispatches/{dispatch['id']}/{step}", json={"note": step})
        assert answer.status_code == 200, answer.text
    closed = {"disposition": "real", "reason": "a tapped line"}
    assert duty.post(f"/incidents/{incident['id']}/close", json=closed).status_code == 409  # a dispatch is open
    order = f"/dispatches/{dispatch['id']}"
    assert field.post(f"{order}/close", json={"note": "cut off"}).status_code == 409  # not fed back yet
    assert field.post(f"{order}/feed-back", json={"reason": "told the tenants"}).status_code == 200
    assert field.post(f"{order}/close", json={"note": "cut off"}).status_code == 409  # nobody is to go again
    assert field.post(f"{order}/follow-up", json={"seconds": 7 * 86400}).status_code == 200
    assert administrator.post(f"/incidents/{incident['id']}/close", json=closed).status_code == 409  # still active
    mqtt.calm()
    until(lambda: duty.get(f"/alarms/{alarm['id']}").json()["state"] == "NORM")
    closing = administrator.post(f"/incidents/{incident['id']}/close", json=closed)
    assert closing.status_code == 200, closing.text
    assert duty.get(f"/incidents/{incident['id']}").json()["disposition"] == "real"

    # the visit outlives the case
    assert duty.get(order).json()["leg"] == "follow_up"
    assert field.post(f"{order}/close", json={"reason": "the wiring is new"}).status_code == 200

    # and every step came live
    legs = ["issued", "accepted", "on_scene", "resolved", "fed_back", "follow_up", "closed"]
    until(lambda: stream.edges("dispatch", dispatch["id"]) == legs, what="the dispatch's legs")
    until(lambda: stream.edges("incident", incident["id"])[-1:] == ["closed"])
    edges = stream.edges("alarm", alarm["id"])
    assert edges[0] == "alarm" and edges[-2:] == ["acknowledge", "return"]
    positions = [one["position"] for one in stream.changes]
    assert positions == sorted(set(positions))
    until(lambda: stream.pulses)
    stream.close()
    assert len({json.loads(body)["id"] for _, body in receiver.requests}) == len(receiver.requests)
    until(lambda: [one["data"]["edge"] for one in mqtt.on(f"foreshock/dispatches/{unit}")] == legs)


def test_the_terminal_lists_shows_and_acknowledges(product: Running, mqtt: Mqtt, duty: httpx.Client) -> None:
    mqtt.overload(f"{AREA}-charging-5")

    def raised() -> Any:
        listed = json.loads(product.command("alarms", "list", "--json").stdout)
        mine = (one for one in listed if one["scope"] == f"{AREA}-charging-5" and one["level"] == "orange")
        return next(mine, None)

    alarm = until(raised)
    table = product.command("alarms", "list", "--area", AREA)
    assert table.returncode == 0 and alarm["id"] in table.stdout and "橙" in table.stdout
    shown = product.command("alarms", "show", alarm["id"])
    assert shown.returncode == 0
    assert "beyond('red')" in shown.stdout and "解除：" in shown.stdout and "NORM → UNACK" in shown.stdout
    assert json.loads(product.command("alarms", "show", alarm["id"], "--json").stdout)["id"] == alarm["id"]
    acknowledged = product.command("alarms", "ack", alarm["id"])
    assert (acknowledged.returncode, acknowledged.stderr) == (0, "")
    assert duty.get(f"/alarms/{alarm['id']}").json()["acknowledged_by"].endswith("@terminal")
    again = product.command("alarms", "ack", alarm["id"], "--language", "en")
    assert again.returncode == 1 and "refused: The alarm is already acknowledged" in again.stderr
    missing = product.command("alarms", "show", "a-[red]no", "--language", "en")
    assert missing.returncode == 1 and "there is no alarm a-[red]no" in missing.stderr


def test_status_and_doctor_tell_of_a_running_product(product: Running, duty: httpx.Client) -> None:
    status = product.command("status", "--json")
    assert status.returncode == 0
    answer = json.loads(status.stdout)
    assert answer["running"] and answer["pulse"]["points_total"] >= 1005
    assert {"bridge", "notifier", "worker"} <= set(answer["processes"])
    told = product.command("status")
    assert told.returncode == 0 and "正在运行" in told.stdout and "未结束" in told.stdout
    findings = json.loads(product.command("doctor", "--json").stdout)
    found = {one["what"]: one for one in findings}
    assert all(found[what]["well"] for what in ("site", "data folder", "log", "journal", "accounts", "keys")), found
    assert "free" in found["disk"]["said"]
    looked = product.command("doctor")
    assert looked.returncode == (0 if all(one["well"] for one in findings) else 1)


def test_users_and_tokens_are_kept_from_the_terminal(product: Running) -> None:
    added = foreshock(
        *("users", "add", "chen", "--role", "duty", "--display", "[bold]陈[/bold]", "--data", str(product.data)),
        given=PASSWORD + "\n",
    )
    assert added.returncode == 0, added.stderr
    assert "[bold]陈[/bold]" in product.command("users", "list").stdout
    assert any(one["name"] == "chen" for one in json.loads(product.command("users", "list", "--json").stdout))
    client = httpx.Client(base_url=f"{product.address}/api/v1", timeout=20)
    assert client.post("/session", json={"name": "chen", "password": PASSWORD}).status_code == 200
    assert client.get("/me").json()["roles"] == ["duty"]
    assert product.command("users", "disable", "chen").returncode == 0
    assert client.get("/me").status_code == 401
    assert product.command("users", "disable", "nobody").returncode == 1
    weak = foreshock("users", "add", "li", "--role", "duty", "--data", str(product.data), given="short\n")
    assert weak.returncode == 1 and "Traceback" not in weak.stderr
    token = product.token("viewer")
    assert token.get("/me").status_code == 200
    listed = json.loads(product.command("tokens", "list", "--json").stdout)
    mine = next(one for one in listed if one["name"] == "test-viewer" and not one["revoked"])
    assert product.command("tokens", "revoke", mine["id"]).returncode == 0


def test_bad_input_is_counted_by_reason_kept_raw_and_harms_nothing(
    product: Running, mqtt: Mqtt, duty: httpx.Client
) -> None:
    topic = f"foreshock/readings/{AREA}/{AREA}-charging-6"
    now = time.time()
    fine = {"value": 20, "time": now * 1000}
    sent: dict[str, tuple[str, Any]] = {
        "malformed": (topic, '{"value": 2'),
        "oversized": (topic, b"9" * 1_200_000),
        "unknown_point": (f"foreshock/readings/{AREA}/nobody", "1"),
        "unknown_topic": ("foreshock/readings/nowhere/nobody", "1"),
        "not_finite": (topic, '{"value": NaN}'),
        "future": (topic, {"value": 20, "time": (now + 3600) * 1000}),
        "ancient": (topic, {"value": 20, "time": (now - 90 * 86400) * 1000}),
    }
    before = duty.get("/status").json()["quarantine"]
    mqtt.publish(topic, fine)
    for where, payload in sent.values():
        mqtt.publish(where, payload)
    mqtt.publish(topic, fine)  # the same reading again: the engine's to refuse

    def counted() -> dict[str, int]:
        after = duty.get("/status").json()["quarantine"]
        return {reason: count - before.get(reason, 0) for reason, count in after.items()}

    wanted = dict.fromkeys((*sent, "duplicate"), 1)
    until(lambda: all(counted().get(reason, 0) >= 1 for reason in wanted), what="all reasons")
    assert {reason: counted()[reason] for reason in wanted} == wanted
    newest = duty.get("/quarantine", params={"limit": 100}).json()["items"]
    kept = {one["reason"]: one for one in reversed(newest)}
    assert kept["malformed"]["raw"] == '{"value": 2' and kept["malformed"]["topic"] == topic
    assert kept["oversized"]["size"] >= 1_200_000 and len(kept["oversized"]["raw"]) <= 4096
    only = duty.get("/quarantine", params={"reason": "future"}).json()["items"]
    assert {one["reason"] for one in only} == {"future"}
    assert set(product.children()) == {"broker", "bridge", "worker", "console", "notifier"}
    mqtt.publish(topic, "24.5")
    until(lambda: 24.5 in trace(duty, f"{AREA}-charging-6"))
    metrics = httpx.get(f"{product.address}/metrics").text
    assert 'foreshock_quarantine{reason="malformed"}' in metrics and "foreshock_points_total 1005.0" in metrics
    assert httpx.get(f"{product.address}/readyz").json()["ok"]


def test_replay_agrees_and_nothing_was_said_but_what_is_worth_it(product: Running) -> None:
    assert json.loads(product.command("replay", "--json").stdout)["agrees"]
    replayed = product.command("replay", "--language", "en")
    assert replayed.returncode == 0 and "outcomes are the same" in replayed.stdout
    assert "Traceback" not in product.said


def test_all_of_it_is_in_the_folder_whatever_it_is_called(product: Running) -> None:
    made = {one.name for one in product.data.iterdir()}
    assert made >= {"log.sqlite", "journal.sqlite", "accounts.sqlite", "outbox.sqlite"}
    assert list(product.data.parent.iterdir()) == [product.data], "nothing was made beside it"
