"""`foreshock evaluate counts | triage`: tables, JSON, pictures, and sentences where nothing can be measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from scripts.cli import application
from tests.models.evaluation.test_tally import drawn, write
from tests.models.triage.verdicts import drawn as judged
from tests.scripts.test_triage import data  # noqa: F401  # a fixture


def run(*words: object) -> tuple[int, str]:
    found = CliRunner().invoke(application("evaluate"), ["evaluate", *map(str, words)])
    return found.exit_code, found.stdout + (found.stderr if found.exit_code else "")


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    counts = drawn(3)
    counts[np.array([1500, 1600])] += 80
    return write(tmp_path_factory.mktemp("events") / "gate.csv", counts)


def test_counts_are_told_as_a_table_as_json_and_as_pictures(events: Path, tmp_path: Path) -> None:
    code, said = run("counts", events, "--each", "5", "--plot", tmp_path / "p.html")
    assert code == 0 and "false alarms a stream and week" in said and "of 5 surges found" in said
    assert "false alarm" in (tmp_path / "p.html").read_text()
    told = json.loads(run("counts", events, "--each", "5", "--json")[1])
    [one] = told["streams"]
    assert one["false"] >= 2 and told["put_on"] == 5 and told["window"] == 900.0
    assert told == json.loads(run("counts", events.parent, "--each", "5", "--json")[1]), "the seed repeats it"
    rarer = json.loads(run("counts", events, "--each", "0", "--level", "0.9999", "--json")[1])
    assert rarer["level"] == 0.9999 and 1 <= rarer["streams"][0]["false"] < one["false"]
    shown = run("counts", events, "--each", "0", "--level", "0.9999", "--language", "zh-CN")[1]
    assert "0.9999" in shown and "已知发生" in shown and "加入的 0 次激增找到 0 次" in shown


def test_what_cannot_be_counted_is_a_sentence(events: Path, tmp_path: Path) -> None:
    for words, said in (
        ((tmp_path / "none.csv",), "there is no"),
        ((events, "--window", "10 s"), "is no window"),
        ((events, "--window", "soon"), "is no duration"),
        ((events, "--window", "10 s", "--language", "zh-CN"), "不是时段长度"),
        ((events, "--plot", tmp_path / "p.txt"), "ends in .html"),
    ):
        code, told = run("counts", *words)
        assert code == 1 and said in " ".join(told.split())


def test_triage_is_told_as_a_table_as_json_and_as_pictures(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:  # fmt: skip
    code, said = run("triage", "--data", data)
    few = "处置结论只有 0 个（属实 0，扰动 0），不足以学习"  # as the site speaks
    assert code == 1 and few in " ".join(said.split())
    monkeypatch.setattr("alerts.triage.verdicts", lambda reader, types: [verdict for verdict, _ in judged(400)])
    code, said = run("triage", "--data", data, "--plot", tmp_path / "t.html")
    assert code == 0 and "条报警：属实而漏报" in said and "固定概率" in said
    page = (tmp_path / "t.html").read_text()
    assert "研判：漏报与误报" in page and "</span>漏报" in page and "</span>误报" in page and "第 1 段" in page
    told = json.loads(run("triage", "--data", data, "--language", "en", "--json")[1])
    assert len(told["parts"]) == 5 and told["brier"] < told["constant"] and told["missed"] > 0
