"""`foreshock models` on a site's own history: learn from it, compare on it, tell drift."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from alerts.console import schema
from scripts.cli import application
from sensors.observation import SIMULATED
from streams import area_models, settings
from streams.figures import write_figures
from streams.processes import console
from tests.streams.history.recorded import pair, recorded
from tests.streams.small_site import START

ROWS = 900
TROUBLE = slice(700, 730)


def run(data: Path, *words: str) -> tuple[int, str]:
    """Run a command in English, unless `words` say in which language."""
    spoken = () if "--language" in words else ("--language", "en")
    found = CliRunner().invoke(application("models"), ["models", *words, *spoken, "--data", str(data)])
    return found.exit_code, found.output


def history() -> np.ndarray:
    """Two points that go together, and a slide of the first that raises an alarm."""
    values = pair(ROWS)
    values[TROUBLE, 0] += 30.0
    return values


@pytest.fixture(scope="module")
def site_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = recorded(tmp_path_factory.mktemp("own"), history())
    for hour in (0.0, 0.1):
        code, said = train(data, hour)
        assert code == 0, said
    return data


def train(data: Path, hour: float = 0.0, *more: str) -> tuple[int, str]:
    begin = str(int(START + 3600.0 * hour))
    return run(data, "train", "a0", "--from", begin, "--to", str(int(START + 5000.0)), *more)


def versions(data: Path) -> list[str]:
    return [one["version"] for one in json.loads(run(data, "list", "--json")[1])]


def test_a_model_is_learnt_from_what_the_site_has_logged(site_data: Path) -> None:
    latest, first = json.loads(run(site_data, "list", "--json")[1])
    assert first["points"] == ["p0", "p3"]
    assert (first["rows"], latest["rows"]) == (500, 464)
    assert (first["begin"], first["end"]) == (START, START + 4990.0)
    assert first["source"] == "the site's own log"
    assert first["in_force"] is False and first["drift"] is None


def test_what_the_log_has_let_go_of_is_learnt_from_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORESHOCK_HISTORY_GIGABYTES", "1")
    data = recorded(tmp_path, pair(ROWS), still=False, begin=400)
    code, said = train(data)
    assert code == 0, said
    [kept] = json.loads(run(data, "list", "--json")[1])
    assert (kept["rows"], kept["begin"]) == (500, START)


def test_a_log_in_kafka_that_nothing_was_kept_of_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = recorded(tmp_path, pair(60), still=False)
    monkeypatch.setenv("FORESHOCK_BROKER", "kafka://127.0.0.1:9092")
    code, said = train(data)
    assert code == 1 and "only read forwards" in " ".join(said.split())


def test_what_was_under_alarm_is_left_out_and_said(site_data: Path) -> None:
    end = str(int(START + 10.0 * ROWS))
    code, said = run(site_data, "train", "a0", "--from", str(int(START)), "--to", end)
    assert code == 0, said
    assert "under alarm" in said and f"of {ROWS}" in said
    code, all_of_it = run(site_data, "train", "a0", "--from", str(int(START)), "--to", end, "--ignore", "creep",
                          "--ignore", "novel")  # fmt: skip
    assert code == 0 and "under alarm" not in all_of_it, all_of_it
    for one in versions(site_data)[:2]:
        (site_data / "models" / f"{one}.model").unlink()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nowhere", "--from", "3 d"), "no area nowhere"),
        (("a0",), "say from when to learn"),
        (("a0", "--from", "yesterday"), "is no moment"),
        (("a0", "--from", "2 h", "--to", "3 h"), "--to must be later"),
        (("a0", "--from", "2 h"), "no reading of p0, p3"),
        (("a0", "--from", "2 h", "--point", "p0"), "two points at least"),
        (("a0", "--from", "2 h", "--point", "p1", "--point", "p0"), "no point p1"),
        (("a1", "--from", str(int(START))), "never moved: p1, p4; leave them out with --without p1 --without p4"),
        (("a0", "--from", str(int(START)), "--to", str(int(START) + 100)), "30 are needed"),
        (("a0", "--time", "t"), "name it with --csv"),
    ],
)
def test_what_cannot_be_learnt_is_refused_with_what_would_help(
    site_data: Path, words: tuple[str, ...], says: str
) -> None:
    code, said = run(site_data, "train", *words)
    assert code == 1
    assert says in said


def test_an_exercise_is_no_history_unless_asked_for(tmp_path: Path) -> None:
    data = recorded(tmp_path, pair(200), dict.fromkeys(range(200), SIMULATED))
    code, said = train(data)
    assert code == 1 and "--simulated learns from a simulation" in said
    code, said = train(data, 0.0, "--simulated")
    assert code == 0, said


def test_two_models_are_compared_on_what_neither_was_learnt_from(site_data: Path) -> None:
    latest, first = versions(site_data)
    end = str(int(START + 10.0 * ROWS))
    code, said = run(site_data, "compare", first[:6], latest[:6], "--to", end, "--ignore", "novel", "--json")
    assert code == 0, said
    answer = json.loads(said)
    assert answer["held_out"] is True and answer["area"] == "a0"
    assert [one["version"] for one in answer["models"]] == [first, latest]
    for one in answer["models"]:
        assert one["known"] == one["found"] == 1
        assert one["false"] < 0.02 and one["points"]["p0"] > 0.5
        assert set(one["points"]) == {"p0", "p3"}
    code, said = run(site_data, "compare", first, latest, "--to", end)
    assert code == 0 and "found after" in said and "too good" not in said
    code, said = run(site_data, "compare", first, latest, "--from", str(int(START)), "--to", end, "--language", "zh-CN")
    assert code == 0 and "这些数字偏好" in said and "每天误报" in said


def test_what_cannot_be_compared_is_said(site_data: Path) -> None:
    latest, first = versions(site_data)
    code, said = run(site_data, "compare", first, "fff0")
    assert code == 1 and "no model of version" in said
    code, said = run(site_data, "compare", first, latest, "--to", str(int(START + 100.0)))
    assert code == 1 and "no history after what both were learnt from" in said


def test_the_list_says_who_promoted_what_and_what_is_in_drift(site_data: Path) -> None:
    version = versions(site_data)[0]
    assert run(site_data, "promote", version, "--reason", "after the repair")[0] == 0
    (mine,) = [one for one in json.loads(run(site_data, "list", "--json")[1]) if one["in_force"]]
    assert mine["version"] == version and mine["promoted"]["by"].endswith("@terminal")
    assert mine["promoted"]["reason"] == "after the repair"
    (site_data / "run").mkdir(exist_ok=True)
    told = {"area": "a0", "version": version, "rows": 4000.0, "outside": [3000.0, 3900.0, 10.0]}
    write_figures(site_data, "worker", {"models": [told]})
    (mine,) = [one for one in json.loads(run(site_data, "list", "--json")[1]) if one["in_force"]]
    assert mine["drift"]["drifted"] is True and mine["drift"]["points"] == ["p0"]
    said = run(site_data, "list")[1]
    assert "in drift" in said and "older than its data's drift" in said and "已落后于数据漂移" not in said
    said = run(site_data, "list", "--language", "zh-CN")[1]
    assert "已漂移" in said and "已落后于数据漂移" in said and "older than" not in said
    for command in (["status", "--json"], ["doctor", "--json"]):
        answer = CliRunner().invoke(application(command[0]), [*command, "--data", str(site_data)])
        assert f"model {version} of a0 is older than its data's drift" in answer.output
        assert "已落后于数据漂移" in answer.output
    shown = CliRunner().invoke(application("status"), ["status", "--data", str(site_data)]).output
    assert "is older than its data's drift" not in shown and "已落后于数据漂移" in shown
    (plain,) = console.models(settings.load({}, data=str(site_data)))
    assert schema.AreaModel.model_validate(plain).drift is not None and set(plain["warning"]) == {"en", "zh"}
    (site_data / "run" / "worker.json").unlink()
    area_models.set_promoted(site_data, {})
