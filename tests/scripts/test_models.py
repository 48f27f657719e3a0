"""`foreshock models`: learn, promote, go back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from alerts.console.accounts import list_audit, open_accounts
from models.area.store import decode
from scripts.cli import application
from scripts.commands.terminal import who
from streams import area_models, bundle, publication
from streams import reload as reloading
from streams.bundle import Bundle
from streams.difference import lines
from streams.model_shelf import ModelsError
from tests.streams.small_site import site


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    publication.write(folder, bundle.pack(Bundle(site=site())))
    random = np.random.default_rng(0)
    rows = [f"{1.7e9 + 10 * row:.0f},{a},{b}" for row, (a, b) in enumerate(random.normal(size=(200, 2)))]
    (tmp_path / "quiet.csv").write_text("\n".join(["t,left,right", *rows]))
    (tmp_path / "other.csv").write_text("\n".join(["t,left,right", *rows[:150]]))
    return folder


def run(data: Path, *words: str) -> tuple[int, str]:
    """Run a command in English, unless `words` say in which language."""
    spoken = () if "--language" in words else ("--language", "en")
    found = CliRunner().invoke(application("models"), ["models", *words, *spoken, "--data", str(data)])
    return found.exit_code, found.output


def train(data: Path, name: str = "quiet.csv", *more: str) -> tuple[int, str]:
    columns = ["--column", "left=p0", "--column", "right=p3"]
    return run(data, "train", "a0", "--csv", str(data.parent / name), "--time", "t", *(more or columns))


def test_a_model_is_learnt_promoted_replaced_and_taken_back(data: Path) -> None:
    assert train(data)[0] == 0
    assert area_models.in_force(data) == ()
    assert train(data, "other.csv")[0] == 0
    newest, first = (one["version"] for one in json.loads(run(data, "list", "--json")[1]))
    for version in (first, newest):
        code, said = run(data, "promote", version[:8])
        assert code == 0, said
        assert [decode(packed).version for packed in area_models.in_force(data)] == [version]
    told = run(data, "rollback", "a0", "--language", "zh-CN")
    assert told[0] == 0 and f"自下次 `foreshock run` 起，a0 启用 {first}" in told[1]
    assert [one["version"] for one in json.loads(run(data, "list", "--json")[1]) if one["in_force"]] == [first]
    assert run(data, "rollback", "a0")[0] == 0
    assert area_models.in_force(data) == ()
    assert "no model is in force" in run(data, "rollback", "a0", "--language", "en")[1]
    accounts = open_accounts(data / "accounts.sqlite")
    noted = list_audit(accounts)[::-1]
    accounts.close()
    assert [(one.action, one.target) for one in noted] == [
        *(("models.promote", version[:8]) for version in (first, newest)),
        *[("models.rollback", "a0")] * 3,
    ]
    assert {one.actor for one in noted} == {who()}
    assert noted[1].detail["version"] == newest and noted[1].detail["before"] == first
    assert "no model is in force" in noted[-1].detail["refused"]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (("--column", "left=p0"), "at least two"),
        (("--column", "left=p0", "--column", "right=p1"), "no point p1"),
        (("--column", "left=p0", "--column", "right=p0"), "each once"),
        (("--column", "left=p0", "--column", "right=p3", "--from", "3 d"), "not for --csv"),
        (("--column", "left=p0", "--column", "left=p3"), "named for two points"),
        (("--column", "left=p0", "--column", "up=p3"), "no column 'up'"),
        (("--column", "left=p0", "--column", "up=p3", "--language", "zh-CN"), "没有列 'up'；可用的列"),
        (("--column", "left=p0", "--column", "right=p1", "--language", "zh-CN"), "区域 a0 没有测点 p1"),
    ],
)
def test_what_cannot_be_learnt_is_said(data: Path, columns: tuple[str, ...], says: str) -> None:
    code, said = train(data, "quiet.csv", *columns)
    assert code != 0
    assert says in said


def test_a_promoted_model_that_was_tampered_with_is_refused(data: Path) -> None:
    train(data)
    version = json.loads(run(data, "list", "--json")[1])[0]["version"]
    run(data, "promote", version)
    (data / "models" / f"{version}.model").write_bytes(b"other")
    with pytest.raises(ModelsError, match="not what was promoted"):
        area_models.in_force(data)
    assert "not a model" in run(data, "list")[1]


def test_a_version_that_is_not_there_is_said(data: Path) -> None:
    code, said = run(data, "promote", "abc")
    assert code != 0
    assert "no model of version" in said


def test_promotion_is_a_publication_that_differs_by_the_model_alone(data: Path) -> None:
    publication.write_indices(data, {point.id: point.index for point in site().points})
    train(data)
    version = json.loads(run(data, "list", "--json")[1])[0]["version"]
    run(data, "promote", version)
    prepared = reloading.with_models(data)
    assert lines(prepared.difference) == ["models added: 1 (a0)"]
    assert [decode(packed).version for packed in bundle.unpack(prepared.packed).models] == [version]
    assert prepared.version != prepared.before


def test_a_recording_may_begin_with_its_newest_row_and_says_what_it_could_not_use(data: Path) -> None:
    heading, *rows = (data.parent / "quiet.csv").read_text().splitlines()
    rows[20] = rows[20].rsplit(",", 1)[0] + ","
    (data.parent / "oldest.csv").write_text("\n".join([heading, *rows]))
    (data.parent / "newest.csv").write_text("\n".join([heading, *rows[::-1]]))
    for name in ("oldest.csv", "newest.csv"):
        code, said = train(data, name)
        assert code == 0, said
        assert "right: not a number, held: ''" in said.replace("\n", "")
    learnt = [decode(one.read_bytes()) for one in (data / "models").glob("*.model")]
    assert len(learnt) == 2
    assert len({(one.model.channels.centre.tobytes(), one.facts.begin, one.facts.rows) for one in learnt}) == 1
