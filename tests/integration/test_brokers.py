"""Several brokers in one run: what comes by each, what is said of one that is away, and what starts nothing."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from scripts.ports import free_port
from tests.integration.running import Mqtt, foreshock, running
from tests.integration.test_resilience import POINT, TOPIC, ask, system_alarm
from tests.sensors.conftest import MOSQUITTO, mosquitto
from tests.waiting import until

pytestmark = pytest.mark.server


@pytest.mark.skipif(MOSQUITTO is None, reason="Mosquitto is not installed")
def test_one_that_is_away_is_an_alarm_and_the_others_go_on(tmp_path: Path) -> None:
    south, north = free_port(), free_port()
    listed = tmp_path / "brokers.yaml"
    listed.write_text(
        f"- {{name: north, host: 127.0.0.1, port: {north}}}\n"
        f"- {{name: south, host: 127.0.0.1, port: {south}, version: 5, dialects: [native]}}\n"
    )
    process = mosquitto(south, tmp_path)
    late = None
    try:
        with running(tmp_path / "data", FORESHOCK_MQTT_BROKERS_FILE=str(listed)) as product:
            assert f"127.0.0.1:{north} (north)" in product.said
            duty = product.token("duty")
            for port, value in ((product.mqtt_port, 11.5), (south, 12.5)):
                client = Mqtt(port)
                client.publish(TOPIC, str(value))
                client.publish("foreshock/readings/village-02/nobody", "1")
                client.close()
                until(
                    lambda value=value: value in (ask(duty, f"/points/{POINT}/trace") or {"value": []})["value"],  # type: ignore[misc]
                    what=f"{value} in the trace",
                )
            alarm = until(lambda: system_alarm(duty, "mqtt:north"), 40, "the alarm about north")
            assert (alarm["rule"], alarm["level"]) == ("@mqtt", "yellow")
            assert f"127.0.0.1:{north}: nothing listens there" in alarm["explanation"]["clause"]
            assert system_alarm(duty, "mqtt:south") is None
            said = product.command("status").stdout
            assert "bridge-south" in said
            assert f"bridge-north: cannot reach the MQTT broker at 127.0.0.1:{north}" in said.replace("\n", " ")
            until(lambda: 'foreshock_broker_connected{broker="north"} 0.0' in metrics(product.address), what="metrics")
            shown = metrics(product.address)
            assert 'foreshock_broker_connected{broker="south"} 1.0' in shown
            assert 'foreshock_broker_connected{broker="main"} 1.0' in shown
            assert 'foreshock_broker_refused{broker="south",reason="unknown_point"} 1.0' in shown
            assert 'foreshock_quarantine{reason="unknown_point"} 2.0' in shown
            refused = product.token("analyst").get("/quarantine").json()["items"]
            assert {one["source"] for one in refused} == {"bridge", "bridge-south"}
            looked = json.loads(
                foreshock("doctor", "--data", product.data, "--json", FORESHOCK_MQTT_BROKERS_FILE=str(listed)).stdout
            )
            found = {one["what"]: (one["well"], one["said"]) for one in looked}
            assert found["MQTT broker south"] == (True, f"127.0.0.1:{south} accepts the connection")
            assert found["MQTT broker north"] == (False, f"127.0.0.1:{north}: nothing listens there")
            folder = tmp_path / "late"
            folder.mkdir()
            late = mosquitto(north, folder)
            until(lambda: (system_alarm(duty, "mqtt:north") or {}).get("state") == "RTNUN", what="north is back")
    finally:
        for one in (process, late):
            if one is not None:
                one.terminate()
                one.wait(5)


def metrics(address: str) -> str:
    return httpx.get(f"{address}/metrics", timeout=10).text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"FORESHOCK_MQTT_CA_FILE": "/nowhere/ca.crt"}, "无法读取 /nowhere/ca.crt：没有这个文件或文件夹"),
        ({"FORESHOCK_MQTT_TLS": "true"}, "FORESHOCK_MQTT_HOST（或 --mqtt-host）须指明代理"),
        ({"FORESHOCK_MQTT_SHARE": "team"}, "FORESHOCK_MQTT_HOST（或 --mqtt-host）须指明代理"),
        ({"FORESHOCK_MQTT_BROKERS": "- {name: a}"}, "FORESHOCK_MQTT_BROKERS"),
        (
            {"FORESHOCK_MQTT_BROKERS": "- {name: a, host: h, password_file: /nowhere}"},
            "FORESHOCK_MQTT_BROKERS：a：无法读取 /nowhere",
        ),
    ],
)
def test_brokers_that_cannot_be_start_nothing(given: dict[str, str], said: str, tmp_path: Path) -> None:
    done = foreshock("run", "--no-sim", "--data", tmp_path / "data", "--port", str(free_port()), **given)
    assert done.returncode == 1
    assert said in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
