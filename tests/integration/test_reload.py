"""A changed site takes force while readings flow: none is lost or taken twice, and what is open stays open."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sensors import frame
from sensors.observation import FRAME
from streams.embedded.reader import LogReader
from streams.topics import OBSERVATIONS
from tests.integration.running import ROOT, Mqtt, Running, running
from tests.waiting import until

pytestmark = pytest.mark.server

AREA = "village-01"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reload") / "site"
    shutil.copytree(ROOT / "examples" / "district", folder)
    main = folder / "site.yaml"
    text = main.read_text(encoding="utf-8")
    assert "flood: {least: 20," in text
    main.write_text(text.replace("flood: {least: 20,", "flood: {least: 100000,"), encoding="utf-8")  # we send fast
    return folder


@pytest.fixture(scope="module")
def product(site: Path) -> Iterator[Running]:
    with running(site.parent / "data", "--site", str(site)) as started:
        yield started


def logged(data: Path) -> list[float]:
    """List the values of the frames in the log that are numbers of the test's own."""
    values: list[float] = []
    with LogReader(data / "log.sqlite") as log:
        for partition in range(log.topics()[OBSERVATIONS]):
            at, end = log.start(OBSERVATIONS, partition), log.end(OBSERVATIONS, partition)
            while at < end:
                found = log.read(OBSERVATIONS, partition, at, end, limit=500)
                for _, _, value in found:
                    if value[:1] == bytes((FRAME,)):
                        values += [one for one in frame.decode(value).value.tolist() if one < 1.0]
                at = found[-1][0] + 1
    return values


def change(site: Path, old: str, new: str) -> None:
    for file in (site / "areas").glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        if old in text:
            file.write_text(text.replace(old, new), encoding="utf-8")
            return
    raise AssertionError(f"no file has {old!r}")


def test_a_rename_and_new_points_take_force_under_way(product: Running, site: Path) -> None:
    duty = product.token("duty", "analyst")
    mqtt = Mqtt(product.mqtt_port)
    mqtt.overload()
    assert until(lambda: duty.get("/incidents").json()["items"], 30)
    [before] = duty.get("/incidents").json()["items"]
    going, sent = threading.Event(), [0]

    def publish() -> None:
        while not going.is_set():
            sent[0] += 1
            mqtt.publish(f"foreshock/readings/{AREA}/{AREA}-temperature-2", sent[0] / 1e6)
            time.sleep(0.03)  # the sensor's own pace: the chart keeps what it sends here as single readings

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        assert until(lambda: sent[0] > 200)
        change(site, f"- id: {AREA}\n", f"- id: village-east\n    renamed_from: {AREA}\n")
        told = product.command("reload", "--reason", "a better name")
        assert told.returncode == 0, told.stdout + told.stderr
        assert f"区域改名 1 个（{AREA} → village-east）" in told.stdout
        here = sent[0]
        assert until(lambda: sent[0] > here + 200)
    finally:
        going.set()
        thread.join()
    assert until(lambda: len(logged(product.data)) >= sent[0], 20)
    counts = Counter(round(value * 1e6) for value in logged(product.data))
    assert [n for n in range(1, sent[0] + 1) if counts[n] != 1] == []

    assert until(lambda: duty.get("/incidents").json()["items"][0]["area"] == "village-east", 20)
    [after] = duty.get("/incidents").json()["items"]
    assert (after["id"], after["state"]) == (before["id"], before["state"])
    assert until(lambda: "village-east" in {one["id"] for one in duty.get("/site").json()["areas"]})
    trace = duty.get("/points/village-east-temperature-2/trace").json()
    assert len(trace["time"]) > 200
    assert duty.get(f"/points/{AREA}-temperature-2/trace").json()["time"]  # by its former id as well
    mqtt.close()


def test_a_broken_site_is_refused_whole_and_a_signal_reloads(product: Running, site: Path) -> None:
    analyst = product.token("duty", "analyst")
    [newest, *_] = analyst.get("/publications").json()["items"]
    assert newest["in_force"]
    change(site, "id: village-east\n", "id: village-east\n    nonsense: 1\n")
    told = product.command("reload")
    assert told.returncode == 1
    assert "未知字段" in told.stderr and "现行版本继续生效" in told.stderr
    answer = analyst.post("/publications", json={"reason": "try"})
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["file"].startswith("areas/")
    assert product.token("duty").post("/publications", json={}).status_code == 403
    assert analyst.get("/publications").json()["items"][0] == newest

    change(site, "    nonsense: 1\n", "    tags: [night]\n")
    os.kill(product.process.pid, signal.SIGHUP)
    assert until(lambda: analyst.get("/publications").json()["items"][0]["author"] == "signal", 30)
    assert product.process.poll() is None

    back = analyst.post("/publications", json={"version": newest["version"], "reason": "as it was"})
    assert back.status_code == 200, back.text
    assert back.json()["difference"]["areas"]["changed"] == ["village-east"]
    assert until(
        lambda: (
            {one["version"] for one in analyst.get("/publications").json()["items"] if one["in_force"]}
            == {newest["version"]}
        )
    )
