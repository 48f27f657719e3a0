"""Nothing vanishes, on the running product: refused, found, the site mended, replayed once."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
import paho.mqtt.client
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from typer.testing import CliRunner

from alerts.console.accounts import add_token, open_accounts
from scripts.cli import application
from scripts.product import Product
from streams.bundle import Bundle
from tests.streams.small_site import rules, site
from tests.waiting import until

pytestmark = pytest.mark.server

SITE = msgspec.structs.replace(site(), console="http://127.0.0.1")
SMALL = msgspec.structs.replace(SITE, points=SITE.points[:4], version="v0")


def publish(product: Product, messages: list[tuple[str, str]]) -> None:
    client = paho.mqtt.client.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", product.settings.mqtt_port)
    client.loop_start()
    for topic, payload in messages:
        client.publish(topic, payload, qos=1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


def api(product: Product, folder: Path, role: str) -> httpx.Client:
    accounts = open_accounts(folder / "accounts.sqlite")
    secret = add_token(accounts, role, [role])[1]
    accounts.close()
    base = f"http://127.0.0.1:{product.settings.port}/api/v1"
    return httpx.Client(base_url=base, headers={"Authorization": f"Bearer {secret}"}, timeout=20)


def test_what_was_refused_is_taken_in_once_after_the_site_was_mended(tmp_path: Path) -> None:
    now = time.time()

    def reading(age: float, value: float) -> str:
        return json.dumps({"value": value, "time": (now - age) * 1000})

    with Product(tmp_path, Bundle(site=SMALL, rules=rules())) as product:
        publish(
            product,
            [("foreshock/readings/a1/p4", reading(90 - k, 30.0)) for k in range(3)]
            + [("foreshock/readings/a2/p5", reading(10, 1.0)), ("foreshock/readings/a0/p0", "{")],
        )
        until(lambda: product.figures("bridge").get("refused", {}).get("unknown_point") == 4, what="the refusals")
    with Product(tmp_path, Bundle(site=SITE, rules=rules())) as product:
        analyst, duty = api(product, tmp_path, "analyst"), api(product, tmp_path, "duty")
        kept = duty.get("/quarantine", params={"reason": "unknown_point", "limit": 3}).json()
        assert len(kept["items"]) == 3 and kept["cursor"]
        rest = duty.get("/quarantine", params={"reason": "unknown_point", "cursor": kept["cursor"]}).json()
        assert [one["topic"] for one in rest["items"]] == ["foreshock/readings/a1/p4"]
        assert duty.post("/quarantine/replay", json={}).status_code == 403

        def replay(**body: Any) -> dict[str, Any]:
            answer = analyst.post("/quarantine/replay", json=body)
            assert answer.status_code == 200, answer.text
            told: dict[str, Any] = answer.json()
            return told

        assert replay(dry_run=True)["outcomes"] == {"accepted": 4, "refused": 1}
        assert replay(topic="/p4")["readings"] == 3
        until(lambda: analyst.get("/points/p4/trace").json()["value"] == [30.0, 30.0, 30.0], what="the trace")
        publish(product, [("foreshock/readings/a2/p5", reading(0, 2.0))])  # live again before its past is taken in
        until(lambda: analyst.get("/points/p5/trace").json()["value"] == [2.0], what="the live reading")
        words = ["quarantine", "replay", "--json", "--data", str(tmp_path)]
        second = CliRunner().invoke(application("quarantine"), words)
        assert second.exit_code == 0, second.output
        told = json.loads(second.stdout)
        assert told["outcomes"] == {"accepted": 1, "refused": 1, "taken_before": 3} and told["readings"] == 1
        assert replay()["outcomes"] == {"refused": 1, "taken_before": 4}
        until(lambda: analyst.get("/points/p5/trace").json()["value"] == [1.0, 2.0], what="the trace")
        assert analyst.get("/points/p4/trace").json()["value"] == [30.0, 30.0, 30.0]
        assert duty.get("/alarms").json()["items"] == [], "30 mm would be red now; it was history"
        counted = duty.get("/quarantine/statistics").json()
        assert (counted["messages"], counted["replayed"]) == (5, 4)
