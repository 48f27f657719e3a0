"""Every process killed once, and the broker away for a while: the product goes on, says so, and replays alike."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.ports import free_port
from sensors.site import SYSTEM
from streams import course
from streams.archive.archiver import Archiver, archive_all
from streams.archive.place import Place
from streams.archive.reader import ArchiveReader
from streams.archive.store import Store
from streams.archive.survey import survey
from streams.embedded import broker as embedded
from streams.embedded.reader import LogReader
from streams.moments import FOLDER
from streams.stretch import stretch
from streams.topics import GROUP, OBSERVATIONS
from tests.integration.running import Mqtt, Running, Stream, foreshock, running
from tests.waiting import until

pytestmark = pytest.mark.server

KILLED = ("bridge", "worker", "console", "notifier", "broker", "archiver")

POINT = "village-02-charging-1"
TOPIC = f"foreshock/readings/village-02/{POINT}"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("resilience")
    with running(folder / "data", FORESHOCK_ARCHIVE=str(folder / "archive"), FORESHOCK_ARCHIVE_MINUTES="1") as started:
        yield started


@pytest.fixture(scope="module")
def duty(product: Running) -> httpx.Client:
    return product.token("duty")


@pytest.fixture
def mqtt(product: Running) -> Iterator[Mqtt]:
    client = Mqtt(product.mqtt_port)
    yield client
    client.close()


def ask(client: httpx.Client, path: str, **params: Any) -> Any:
    """Ask the API; nothing while the console is away."""
    try:
        answer = client.get(path, params=params)
    except httpx.TransportError:
        return None
    return answer.json() if answer.status_code == 200 else None


def system_alarm(duty: httpx.Client, component: str) -> Any:
    """Find the alarm about a process."""
    found = ask(duty, "/alarms", area=SYSTEM, state="all", limit=100)
    return next((one for one in (found or {}).get("items", ()) if one["scope"] == component), None)


def flows(product: Running, duty: httpx.Client, value: float) -> None:
    """See that a reading published now arrives at a trace."""
    client = Mqtt(product.mqtt_port)
    try:
        client.publish(TOPIC, str(value))
        until(lambda: value in (ask(duty, f"/points/{POINT}/trace") or {"value": []})["value"], what="the trace")
    finally:
        client.close()


@pytest.mark.parametrize("name", KILLED)
def test_a_killed_process_comes_back_and_is_an_alarm_of_the_system(
    name: str, product: Running, duty: httpx.Client
) -> None:
    before = product.children()[name]
    os.kill(before, signal.SIGKILL)
    until(lambda: product.children().get(name, before) != before, what=f"another {name}")
    alarm = until(lambda: system_alarm(duty, name), what=f"the alarm about {name}")
    assert (alarm["kind"], alarm["level"]) == ("system", "yellow")
    assert alarm["explanation"]["clause"].startswith(f"{name}: ended by SIGKILL")
    until(lambda: (system_alarm(duty, name) or {}).get("state") == "RTNUN", what=f"{name} working again")
    flows(product, duty, 20.0 + len(name) / 100)
    assert f"{name} ended by SIGKILL" in product.said


def test_processes_that_hang_are_killed_and_come_back_as_if_they_had_crashed(tmp_path: Path) -> None:
    with running(tmp_path / "data", FORESHOCK_HUNG_SECONDS="4") as product:
        duty = product.token("duty")
        flows(product, duty, 23.5)
        before = product.children()
        for pid in before.values():
            os.kill(pid, signal.SIGSTOP)
        for name, pid in before.items():
            until(lambda name=name, pid=pid: product.children().get(name, pid) != pid, 40, f"another {name}")
            assert f"{name} has given no sign of life" in product.said
        for name in before:  # only then is nothing lost on the way because somebody is still away
            back = lambda name=name: (system_alarm(duty, name) or {}).get("state") == "RTNUN"  # noqa: E731
            until(back, 40, f"the alarm about {name}, and its end")
        flows(product, duty, 24.5)


def test_the_incident_of_the_system_is_seen_acknowledged_and_never_sent_out(
    product: Running, duty: httpx.Client
) -> None:
    (incident,) = duty.get("/incidents", params={"area": SYSTEM, "state": "all"}).json()["items"]
    assert incident["kind"] == "system" and incident["title"]["en"].startswith("Foreshock itself")
    shown = duty.get(f"/incidents/{incident['id']}").json()
    assert shown["dispatch_details"] == [] and shown["suggested_units"] == []
    assert {one["scope"] for one in shown["alarm_details"]} == set(KILLED)
    acknowledged = duty.post(f"/incidents/{incident['id']}/acknowledge", json={})
    assert acknowledged.status_code == 200, acknowledged.text
    listed = product.command("alarms", "list", "--state", "all", "--area", SYSTEM)
    assert listed.returncode == 0 and SYSTEM in listed.stdout
    assert duty.get("/dispatches", params={"state": "all"}).json()["items"] == []


def test_alarms_and_the_live_stream_go_on_after_all_that(product: Running, duty: httpx.Client, mqtt: Mqtt) -> None:
    stream = Stream(duty)
    mqtt.overload("village-03-charging-1")
    until(lambda: [one for one in stream.changes if one["kind"] == "dispatch"], what="a dispatch, live")
    stream.close()
    (dispatch,) = duty.get("/dispatches").json()["items"]
    assert dispatch["leg"] == "issued"


def test_replay_agrees_with_a_run_of_many_deaths(product: Running) -> None:
    replayed = product.command("replay", "--json")
    answer = json.loads(replayed.stdout)
    assert replayed.returncode == 0 and answer["agrees"], answer
    assert answer["transitions"] >= 10
    assert "Traceback" not in product.said


def test_what_was_archived_beside_all_that_is_whole_and_replays_alike(product: Running) -> None:
    place = Place(where=str(product.data.parent / "archive"))
    with LogReader(product.data / "log.sqlite") as log:
        archive_all(Archiver(Store(place), 60.0, product.data / FOLDER), log, time.time())  # what is not due yet
        stop = log.committed(GROUP, OBSERVATIONS, 0) or 0
    seen = survey(place, product.data, whole=True)
    assert seen is not None and (seen.faults, seen.lost) == ([], 0)
    with ArchiveReader(place) as archive:
        found = course.run(archive, stretch(archive, 0, archive.end(OBSERVATIONS, 0), None, None)).difference
    assert found is not None and found.agrees and found.transitions >= 10
    assert abs(seen.observations - stop) < 30, "ticks went on meanwhile"


def test_a_backup_taken_under_way_is_put_back_and_agrees_with_itself(product: Running, tmp_path: Path) -> None:
    assert product.command("backup", str(tmp_path / "b.tar.gz")).returncode == 0
    back = tmp_path / "back"
    assert foreshock("restore", str(tmp_path / "b.tar.gz"), "--data", str(back)).returncode == 0
    answer = json.loads(foreshock("replay", "--json", "--data", str(back)).stdout)
    assert answer["agrees"] and answer["transitions"] >= 10, answer


def test_a_foreign_broker_that_is_away_is_found_again_and_counted(tmp_path: Path) -> None:
    port = free_port()
    broker = embedded.start(port, tmp_path / "broker")
    try:
        with running(tmp_path / "data", "--mqtt-host", "127.0.0.1", "--mqtt-port", str(port)) as product:
            product.mqtt_port = port
            assert "broker" not in product.children()
            duty = product.token("duty")
            flows(product, duty, 21.5)
            figures = product.data / "run" / "bridge.json"

            def bridge(name: str) -> Any:
                return json.loads(figures.read_text())[name]

            before = product.children()
            until(figures.exists, what="the bridge's first figures")
            broker.stop()
            until(lambda: bridge("lost") == 1 and not bridge("connected"), what="the loss counted")
            until(lambda: "MQTT broker" in product.said, what="the loss said")
            broker = embedded.start(port, tmp_path / "broker")
            until(lambda: bridge("connected"), what="the bridge's connection")
            assert bridge("connects") == 2
            flows(product, duty, 22.5)
            assert product.children() == before
            assert not ask(duty, "/alarms", area=SYSTEM, state="all")["items"]
    finally:
        broker.stop()
