"""The dashboard and the alert rules name metrics that there are, and say what to do in both languages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import yaml

from alerts.console.metrics import Metrics, names
from alerts.console.stages import STAGES
from streams.history.columns import Scored
from streams.history.influx_setup import FUNCTIONS, buckets
from streams.history.lines import Naming, alarm_lines
from tests.streams.history.test_lines import transition
from tests.streams.small_site import site

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"
METRIC = re.compile(r"foreshock_\w+")

TOLD: dict[str, Any] = {
    "worker": {
        "readings": 7,
        "engine_seconds": 1.5,
        "engine_lag": 2,
        "partitions": [0, 3],
        "refused": {"duplicate": 4},
        "log": {"transactions": 5, "failures": 0, "gaps": 1, "file_bytes": 9},
    },
    "broker": {
        "received": 1,
        "sent": 2,
        "connections": 3,
        "unacknowledged": 4,
        "refused": {"full": 1},
        "dropped": {"slow": 1},
    },
    "notifier": {
        "holder": True,
        "mqtt_delivered": 8,
        "mqtt_failed": 1,
        "mqtt_waiting": 2,
        "mqtt_dead": 3,
        "mail_answered": 4,
    },
    "camera": {"frames": 1, "pictures": 2, "clips": 1, "refused": {"black": 1}},
    "archiver": {"observations": 9, "segments": 2, "bytes": 99, "lost": 0, "damaged": 1, "lag": 1.5, "trouble": ""},
    "history": {
        "readings": 9,
        "alarms": 1,
        "failures": 1,
        "waiting": 2,
        "waiting_bytes": 99,
        "late_hours": 1,
        "lost": {"missed": 1},
    },
    "run": {"heartbeats": 6, "trouble": 0},
    "console": None,
}


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    return list(group["rules"])


def dashboard(name: str) -> dict[str, Any]:
    return dict(json.loads((MONITORING / name).read_text()))


@pytest.mark.parametrize("name", ["dashboard.json", "history-dashboard.json"])
def test_a_dashboard_is_one_that_grafana_takes_and_both_languages_read(name: str) -> None:
    board = dashboard(name)
    assert board["uid"] and board["schemaVersion"] >= 39 and re.search("[\u4e00-\u9fff]", board["title"])
    source = board["templating"]["list"][0]
    assert source["type"] == "datasource"
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        assert re.search("[\u4e00-\u9fff]", panel["title"]) and re.search("[a-z]", panel["title"])
        assert panel["datasource"] == {"type": source["query"], "uid": "${datasource}"}
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) > 0
        at = panel["gridPos"]
        places = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not places & taken
        taken |= places
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_the_history_is_asked_for_by_the_names_that_it_has() -> None:
    board = dashboard("history-dashboard.json")
    listed = board["templating"]["list"]
    queries = [target["query"] for panel in board["panels"] for target in panel["targets"]]
    asked = "\n".join([*queries, *(one["query"] for one in listed if one["type"] == "query")])
    site_ = site(points=1)
    scored = Scored(*(np.ones(1, kind) for kind in ("u4", "f8", "f8", "f4", "u2")))
    lines = [
        *Naming(site_).lines(msgspec.structs.replace(scored, point=scored.point * 0)),
        *alarm_lines([transition()]),
    ]
    fields = set(re.findall(r"[ ,](\w+)=", " ".join(lines))) | {*FUNCTIONS}
    assert set(re.findall(r'_measurement == "(\w+)"', asked)) == {"readings", "alarms"}
    assert set(re.findall(r'_field == "(\w+)"', asked)) <= fields
    assert set(re.findall(r"\br\.([a-z]\w*)", asked)) <= fields
    names = {name.replace("b", "${bucket}", 1) for name in buckets("b").values()}
    assert set(re.findall(r'bucket: "([^"]+)"', asked)) == names
    variables = {one["name"] for one in listed}
    assert set(re.findall(r"\$\{(\w+)", asked)) <= variables


def asked() -> dict[str, str]:
    """Name what is asked for, by where."""
    found = {rule["alert"]: rule["expr"] for rule in rules()}
    for panel in json.loads((MONITORING / "dashboard.json").read_text())["panels"]:
        found[panel["title"]] = " ".join(target["expr"] for target in panel["targets"])
    return found


@pytest.mark.parametrize(("where", "query"), asked().items(), ids=list(asked()))
def test_what_is_asked_for_is_there(where: str, query: str) -> None:
    wanted = set(METRIC.findall(query)) - {"foreshock"}
    assert wanted <= names(), f"{where}: {wanted - names()}"
    assert wanted or "up{" in query
    assert query.count("(") == query.count(")") and query.count("{") == query.count("}")


def test_each_rule_says_what_is_wrong_in_both_languages_and_what_to_do() -> None:
    for rule in rules():
        said = rule["annotations"]
        assert said["summary"] and said["do"] and re.search("[\u4e00-\u9fff]", said["summary_zh"]), rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning") and re.fullmatch(r"\d+[sm]", rule["for"])
    assert len({rule["alert"] for rule in rules()}) == len(rules())


def test_each_stage_is_told_of_by_the_name_that_the_page_gives_it() -> None:
    status = {
        "readings_per_second": 1.0,
        "points_total": 1,
        "points_live": 1,
        "cameras_total": 0,
        "cameras_live": 0,
        "engine_lag": 0,
        "journal_position": 3,
        "open": {"red": 1},
        "quarantine": {"unknown_point": 2},
    }
    text = Metrics(lambda: status, lambda: {"time": 1.0}, processes=lambda: TOLD).text().decode()
    there = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if not line.startswith("#")}
    assert {f"foreshock_{one.name}" for one in STAGES} <= there
    assert 'foreshock_notifier_delivered_total{target="mqtt"} 8.0' in text
    assert 'foreshock_process_up{process="console"} 0.0' in text
    assert 'foreshock_process_up{process="worker"} 1.0' in text
    assert "foreshock_engine_held_partitions 2.0" in text
    rising = {line.split(" ")[2] for line in text.splitlines() if line.startswith("# TYPE") and " counter" in line}
    assert rising and all(name.endswith("_total") or name in there for name in rising)
