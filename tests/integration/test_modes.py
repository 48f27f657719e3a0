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


def test_an_alarm_under_maintenance_is_listed_sends_nobody_and_rings_when_it_ends(tmp_path: Path) -> None:
    folder, data = tmp_path / "site", tmp_path / "data"
    shutil.copytree(ROOT / "examples" / "district", folder)
    with running(data, "--site", str(folder)) as product:
        unknown = product.command("mode", "begin", "maintenence", "--for", "1 h", "--reason", "x")
        assert unknown.returncode == 1 and "did you mean 'maintenance'" in unknown.stderr
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
        again = product.command("mode", "end", "maintenance", "--area", AREA)
        assert again.returncode == 1 and "not on there" in again.stderr
    from tests.integration.running import foreshock

    same = foreshock("replay", "--data", data)
    assert same.returncode == 0, same.stdout + same.stderr
