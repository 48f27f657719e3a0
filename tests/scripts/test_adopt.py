"""`foreshock adopt` at the embedded broker."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from scripts.cli import application
from streams import running
from tests.scripts.conftest import publishing
from tests.sensors.adoption.test_guess import DISTRICT
from tests.sensors.adoption.test_proposal import merged

pytestmark = pytest.mark.server


def adopt(port: int, data: Path, sent: dict[str, str], *arguments: str) -> Result:
    """Watch for a second while somebody publishes."""
    where = ["--seconds", "1", "--data", str(data), "--mqtt-port", str(port), "--site", str(DISTRICT)]
    with publishing(port, [(topic, payload.encode()) for topic, payload in sent.items()]):
        return CliRunner().invoke(application("adopt"), ["adopt", *where, *arguments])


def test_it_proposes_points_that_load_and_leaves_the_site_alone(port: int, tmp_path: Path) -> None:
    sent = {
        "plant/slope-01/level": '{"value": 2, "unit": "m"}',
        "foreshock/alarms/slope-01": '{"level": 3}',
        "foreshock/readings/slope-01/slope-01-tilt-1": "1",
    }
    result = adopt(port, tmp_path, sent)
    assert result.exit_code == 0
    proposed = yaml.safe_load(result.stdout)
    assert [one["topic"] for one in proposed["signals"]["mapped"]] == ["plant/slope-01/level"]
    assert [(one["quantity"], one["areas"]) for one in proposed["points"]] == [("level", ["slope-01"])]
    assert "foreshock/alarms" not in result.stdout, "our own orders are no sensor"
    assert "plant-slope-01-level" in {one.id for one in merged(result.stdout, tmp_path / "site").points}


def test_it_writes_a_new_file_only(port: int, tmp_path: Path) -> None:
    file = tmp_path / "proposed.yaml"
    first = adopt(port, tmp_path, {"plant/rain": "3"}, "plant/#", "--area", "slope-01", "--write", str(file))
    assert first.exit_code == 0 and "proposes 1 point(s)" in first.stdout
    assert yaml.safe_load(file.read_text(encoding="utf-8"))["points"][0]["areas"] == ["slope-01"]
    again = adopt(port, tmp_path, {}, "--write", str(file))
    assert again.exit_code == 1 and "there already" in again.stderr


def test_an_unknown_area_is_a_sentence_with_a_guess(port: int, tmp_path: Path) -> None:
    result = adopt(port, tmp_path, {}, "--area", "slope-1")
    assert result.exit_code == 1 and "no such area" in result.stderr and "slope-01" in result.stderr


def test_a_flood_of_topics_is_watched_in_bounds(port: int, tmp_path: Path) -> None:
    sent = {f"flood/slope-01/{number}/level": "1" for number in range(60)}
    result = adopt(port, tmp_path, sent, "--most", "10")
    assert len(yaml.safe_load(result.stdout)["points"]) == 10
    assert "of further topics were not looked at" in result.stdout


def test_site_and_broker_are_those_of_the_run_unless_others_are_named(port: int, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    running.note_port(tmp_path, port)
    running.note_site(tmp_path, DISTRICT)
    watched = ["adopt", "plant/#", "--seconds", "1", "--data", str(tmp_path), "--area", "slope-02"]
    with publishing(port, [("plant/rain", b"3")]):
        told = CliRunner().invoke(application("adopt"), watched)
    assert yaml.safe_load(told.stdout)["points"][0]["areas"] == ["slope-02"], told.stderr
    running.note_site(tmp_path, tmp_path / "gone")
    told = CliRunner().invoke(application("adopt"), watched)
    assert told.exit_code == 1 and str(tmp_path / "gone") in told.stderr.replace("\n", "")
