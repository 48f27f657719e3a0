"""The product with its log in a real Kafka: topics made, an alarm to a dispatch, a worker killed on the way."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import Result
from typer.testing import CliRunner

from alerts import outcome
from scripts.cli import application
from streams.kafka.address import parse
from streams.kafka.reader import KafkaReader
from streams.topics import GROUP, OBSERVATIONS, OUTCOMES
from tests.integration.running import Mqtt, Running, Stream, foreshock, running
from tests.streams.collector import Collector, attributes
from tests.waiting import until

pytestmark = pytest.mark.server

AREA = "village-01"


@pytest.fixture(scope="module")
def url(kafka: str) -> str:
    return f"kafka://{kafka}/p{uuid4().hex[:8]}"


def topics(url: str, monkeypatch: pytest.MonkeyPatch, *arguments: str, **settings: str) -> Result:
    """Run `foreshock topics apply` in this process."""
    for name, value in {"BROKER": url, **settings}.items():
        monkeypatch.setenv(f"FORESHOCK_{name}", value)
    return CliRunner().invoke(application("topics"), ["topics", "apply", *arguments])


def test_topics_are_told_first_then_made_then_left_alone(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = foreshock("run", "--no-sim", "--data", tmp_path, FORESHOCK_BROKER=url, FORESHOCK_MQTT_PORT="0")
    assert missing.returncode == 1
    assert "请先运行 `foreshock topics apply`" in missing.stderr
    told = topics(url, monkeypatch)
    assert told.exit_code == 2, told.stderr
    assert "observations: create" in told.stdout and "--yes" in told.stdout
    made = topics(url, monkeypatch, "--yes")
    assert made.exit_code == 0, made.stderr
    again = topics(url, monkeypatch, "--json")
    assert (again.exit_code, json.loads(again.stdout)["changes"]) == (0, [])
    longer = topics(url, monkeypatch, "--yes", RETENTION_DAYS="3")
    assert longer.exit_code == 0 and "observations: configure, retention.ms" in longer.stdout
    assert topics(url, monkeypatch).exit_code == 0, "as it was just set"


def dispatched(product: Running, client: Any, scope: str) -> Any:
    """Wait for the dispatched incident of a point."""

    def found() -> Any:
        listed = client.get("/alarms", params={"area": AREA}).json()["items"]
        alarm = next((one for one in listed if one["scope"] == scope and one["level"] == "orange"), None)
        incident = client.get(f"/incidents/{alarm['incident']}").json() if alarm else None
        return incident if incident and incident["dispatch_details"] else None

    return until(found, 40, f"a dispatch for {scope}")


def traced(collector: Collector, alarm: str) -> tuple[str, set[str]] | None:
    """Find the observation that raised an alarm, and the steps of its trace, once an order of it was told."""
    spans = list(collector.spans)
    root = next((one for one in spans if alarm in attributes(one).get("foreshock.alarm", ())), None)
    steps = {one.name for one in spans if root is not None and one.trace_id == root.trace_id}
    return (attributes(root)["foreshock.observation"], steps) if "dispatch" in steps else None


def test_an_overload_sends_somebody_out_and_a_killed_worker_sends_nobody_twice(url: str, tmp_path: Path) -> None:
    collector = Collector()
    traces = f"{collector.url}/v1/traces"
    with running(tmp_path / "data", FORESHOCK_BROKER=url, FORESHOCK_TRACES_URL=traces) as product:
        mqtt = Mqtt(product.mqtt_port, "foreshock/dispatches/#")
        duty = product.token("duty", "analyst")
        stream = Stream(duty)
        mqtt.overload(f"{AREA}-charging-1")
        first = dispatched(product, duty, f"{AREA}-charging-1")
        answer = duty.post(f"/incidents/{first['id']}/acknowledge", json={})
        assert answer.status_code == 200, answer.text
        cause = duty.get(f"/alarms/{first['cause']}").json()["transitions"][0]
        until(lambda: traced(collector, first["cause"]), 40, "the trace of an alarm and its order")
        traced_as, steps = traced(collector, first["cause"])
        assert traced_as == f"{cause['partition']}-{cause['offset']}", "the observation's place in Kafka"
        assert {"bridge", "log", "engine", "commit", "journal", "dispatch"} <= steps
        worker = product.children()["worker"]
        os.kill(worker, signal.SIGKILL)
        mqtt.overload(f"{AREA}-charging-5")  # acknowledged to the sensor, whoever is away
        until(lambda: product.children().get("worker", worker) != worker, 30, "another worker")
        until(
            lambda: duty.get("/points/village-01-charging-5/trace").json()["value"], 40, "the readings of its absence"
        )
        second = duty.get("/alarms", params={"area": AREA}).json()["items"]
        assert any(one["scope"] == f"{AREA}-charging-5" for one in second) or dispatched(
            product, duty, f"{AREA}-charging-5"
        )
        mqtt.publish(f"foreshock/readings/{AREA}/nowhere-1", "1")
        until(lambda: duty.get("/quarantine").json()["items"], what="the refusal")
        (refused,) = duty.get("/quarantine").json()["items"]
        assert refused["reason"] == "unknown_point"
        until(lambda: stream.edges("incident", first["id"]))
        events = [event["id"] for message in mqtt.heard for event in [json.loads(message.payload)]]
        assert events and len(events) == len(set(events)), "nobody is told twice"
        stream.close()
        mqtt.close()
        assert product.stop() < 8
    collector.close()
    with KafkaReader(parse(url)) as log:
        for partition in range(log.topics()[OUTCOMES]):
            assert log.committed(GROUP, OBSERVATIONS, partition) == log.end(OBSERVATIONS, partition)
            records = [outcome.decode(value) for _, _, value in log.read(OUTCOMES, partition, 0, limit=100_000)]
            offsets = [record.offset for record in records]
            assert offsets == sorted(set(offsets)), "what an observation brought is in the log once, in order"
