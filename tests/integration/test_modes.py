"""A mode of the site on the real product: begun at the terminal, kept over a kill, replayed as it was."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.integration.running import ROOT, Mqtt, Running, running
from tests.waiting import until

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]

AREA = "village-01"


def told(product: Running, *arguments: str) -> Any:
    answer = product.command(*arguments, "--json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


RULE = """
rules:
  - id: drill-signal
    title: {zh: 演练信号, en: drill signal}
    scope: area
    where: {areas: [forest-01]}
    levels:
      yellow: {when: "seen('flare', '10m')"}
    rationale:
      cause: {zh: 演练, en: A drill}
      consequence: {zh: 无, en: None}
      response: {zh: 按演练脚本, en: As the drill says}
      time_to_respond: 15 min
      owner: {zh: 值班员, en: Duty officer}
      review: "2027-10-31"
    tests:
      - name: a flare is yellow
        step: 60 s
        others: {humidity-1: {quantity: humidity, values: "60*4"}}
        events: [{kind: flare, at: 90 s}]
        expect: "none*2 yellow*2"
"""

SCRIPT = """
title: {zh: 演练, en: drill}
areas: [forest-01]
units: [team-shiyan-guantian, office-shiyan]
lasts: 5 min
objectives: {acknowledge: 4 min, dispatch: 4 min, accept: 5 min, on_scene: 5 min}
steps:
  - {at: 0, event: {camera: forest-01-cam-1, kind: flare}}
  - {at: 2 min, act: {do: acknowledge}}
  - {at: 2 min, act: {do: dispatch, unit: team-shiyan-guantian}}
  - {at: 3 min, act: {do: accept, unit: team-shiyan-guantian}}
  - {at: 4 min, act: {do: on_scene, unit: team-shiyan-guantian}}
  - {at: 4 min, act: {do: resolve, unit: office-shiyan}}
  - {at: 4 min, act: {do: accept, unit: team-shiyan-guantian}}
"""


def exercised(product: Running, folder: Path) -> None:
    """Run a drill to its report: its camera speaks over MQTT, and only who takes part is sent."""
    script = folder / "drill.yaml"
    script.write_text(SCRIPT, encoding="utf-8")
    mqtt = Mqtt(product.mqtt_port, "frigate/events", "foreshock/dispatches/#")
    ran = product.command("exercise", "run", str(script), "--speed", "30", "--out", str(folder / "report.pdf"))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")
    (event,) = mqtt.on("frigate/events")
    assert (event["after"]["label"], event["after"]["simulated"]) == ("flare", True)
    (drill,) = told(product, "exercise", "list")
    report = told(product, "exercise", "report", drill["id"])
    (incident,) = report["incidents"]
    assert {leg["leg"] for leg in incident["legs"] if leg["met"]} == {"acknowledge", "dispatch", "accept", "on_scene"}
    assert report["score"] == 1.0
    missed = [(one["do"], one["of"], one["reason"]) for one in report["missed"]]
    assert missed == [
        ("resolve", "office-shiyan", "exercise.nothing_there"),
        ("accept", "team-shiyan-guantian", "dispatch.already_done"),
    ]
    assert "接单 team-shiyan-guantian: 该步骤已完成" in ran.stdout
    duty = product.token("duty")
    kept = duty.get(f"/incidents/{incident['id']}").json()
    assert (kept["state"], kept["exercise"], kept["disposition"]) == ("closed", drill["id"], "test")
    assert {one["unit"] for one in kept["dispatch_details"]} <= {"team-shiyan-guantian", "office-shiyan"}
    mqtt.close()


def test_an_alarm_under_maintenance_is_listed_sends_nobody_and_rings_when_it_ends(tmp_path: Path) -> None:
    folder, data = tmp_path / "site", tmp_path / "data"
    shutil.copytree(ROOT / "examples" / "district", folder)
    (folder / "rules" / "drill.yaml").write_text(RULE, encoding="utf-8")
    with running(data, "--site", str(folder)) as product:
        unknown = product.command("mode", "begin", "maintenence", "--for", "1 h", "--reason", "x")
        assert unknown.returncode == 1 and "是否想写 maintenance" in unknown.stderr
        nowhere = product.command(
            "mode", "begin", "maintenance", "--area", "village-1", "--for", "1 h", "--reason", "x"
        )
        assert nowhere.returncode == 1 and "village-01" in nowhere.stderr
        words = ("--area", AREA, "--for", "1 h", "--reason", "the charger is exchanged")
        begun = product.command("mode", "begin", "maintenance", *words)
        assert begun.returncode == 0, begun.stdout + begun.stderr
        mqtt = Mqtt(product.mqtt_port)
        mqtt.overload()
        until(lambda: told(product, "alarms", "shelved"), 20, "the suppressed alarm")
        mqtt.close()
        (alarm,) = told(product, "alarms", "shelved")
        assert (alarm["state"], alarm["rule"], alarm["aside"]["mode"]) == ("DSUPR", "charging-current", "maintenance")
        assert product.token("duty").get("/dispatches").json()["items"] == []
    with running(data, "--site", str(folder)) as product:
        (mode,) = told(product, "mode", "list")
        assert (mode["mode"], mode["area"], mode["state"]) == ("maintenance", AREA, "on")
        ended = product.command("mode", "end", "maintenance", "--area", AREA)
        assert ended.returncode == 0, ended.stderr
        shown = told(product, "alarms", "show", alarm["id"])
        assert shown["state"] == "UNACK" and [step["edge"] for step in shown["transitions"]][-1] == "unsuppress"
        exercised(product, tmp_path)
        again = product.command("mode", "end", "maintenance", "--area", AREA)
        assert again.returncode == 1 and "该处未处于此模式" in again.stderr
    from tests.integration.running import foreshock

    same = foreshock("replay", "--data", data)
    assert same.returncode == 0, same.stdout + same.stderr
