"""`foreshock models triage`: learn from verdicts, show the calibration, promote, go back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alerts.console.accounts import list_audit, open_accounts
from alerts.triage_folder import in_force
from models.triage.case import Verdict
from scripts.cli import application
from streams import bundle, publication
from streams.bundle import Bundle
from tests.alerts.test_triage import Office
from tests.models.triage.verdicts import drawn
from tests.streams.small_site import site


@pytest.fixture
def data(tmp_path: Path) -> Path:
    publication.write(tmp_path, bundle.pack(Bundle(site=site())))
    Office(tmp_path)
    return tmp_path


@pytest.fixture
def learnt(data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder whose verdicts are drawn: 300 real incidents would take a minute to play."""
    told: list[Verdict] = [verdict for verdict, _ in drawn(300)]
    monkeypatch.setattr("alerts.triage.verdicts", lambda reader, types, since=0.0: told)
    return data


def run(data: Path, *words: str) -> tuple[int, str]:
    """Run a command in English, unless `words` say in which language."""
    spoken = () if "--language" in words else ("--language", "en")
    found = CliRunner().invoke(application("models"), ["models", "triage", *words, *spoken, "--data", str(data)])
    return found.exit_code, found.output


def test_too_few_verdicts_are_refused_in_a_sentence(data: Path) -> None:
    code, said = run(data, "train")
    assert code == 1 and "0 verdicts (0 real, 0 nuisance) are too few to learn from" in " ".join(said.split())


def test_a_model_is_learnt_shown_promoted_and_taken_back(learnt: Path) -> None:
    code, said = run(learnt, "train")
    assert code == 0 and "Brier" in said and "odds told" in said and in_force(learnt) is None
    [one] = json.loads(run(learnt, "list", "--json")[1])
    assert one["verdicts"] == 300 and one["code"] and not one["in_force"] and len(one["bins"]) == 5
    assert "0." in run(learnt, "list")[1]
    assert "no triage model is in force" in " ".join(run(learnt, "show")[1].split())
    code, said = run(learnt, "promote", one["version"][:6])
    assert code == 0, said
    stored = in_force(learnt)
    assert stored is not None and stored.version == one["version"]
    assert json.loads(run(learnt, "show", "--json")[1])["brier"] == one["brier"]
    assert "实际属实" in run(learnt, "show", "--language", "zh-CN")[1]
    assert "already" in run(learnt, "promote", one["version"])[1]
    assert run(learnt, "rollback")[0] == 0 and in_force(learnt) is None
    assert run(learnt, "rollback")[0] == 1
    accounts = open_accounts(learnt / "accounts.sqlite")
    noted = [(one.action, one.target) for one in list_audit(accounts)]
    accounts.close()
    assert noted[:2] == [("models.rollback", "triage")] * 2 and ("models.promote", one["version"]) in noted


def test_a_triage_model_is_listed_and_promoted_beside_those_of_areas(learnt: Path) -> None:
    run(learnt, "train")
    [one] = json.loads(run(learnt, "list", "--json")[1])

    def models(*words: str) -> str:
        found = CliRunner().invoke(application("models"), ["models", *words, "--language", "en", "--data", str(learnt)])
        assert found.exit_code == 0, found.output
        return found.output

    assert "in force for triage" in models("promote", one["version"][:6], "--reason", "quieter nights")
    [listed] = json.loads(models("list", "--json"))
    assert (listed["kind"], listed["version"], listed["in_force"]) == ("triage", one["version"], True)
    assert listed["promoted"]["reason"] == "quieter nights" and listed["promoted"]["by"].endswith("@terminal")
    assert listed["drift"]["verdicts"] == 0 and not listed["drift"]["drifted"] and listed["warning"] == {}
    assert "triage" in models("list")
    models("rollback", "triage")
    assert in_force(learnt) is None


def test_a_triage_model_in_drift_says_so(learnt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(learnt, "train")
    [one] = json.loads(run(learnt, "list", "--json")[1])
    run(learnt, "promote", one["version"])
    later = [verdict._replace(real=True) for verdict, _ in drawn(300)]
    later = [one._replace(case=one.case._replace(opened=one.case.opened + 1e9)) for one in later]
    monkeypatch.setattr("alerts.triage.verdicts", lambda reader, types, since=0.0: later)
    for language, said, unsaid in (
        ("en", "older than its alarms' drift", "已落后"), ("zh-CN", "已落后于报警的漂移", "older")
    ):  # fmt: skip
        asked = ["models", "list", "--language", language, "--data", str(learnt)]
        found = " ".join(CliRunner().invoke(application("models"), asked).output.split())
        assert said in found and unsaid not in found


def test_one_that_is_no_better_than_a_constant_is_not_promoted(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turned = [one if n < 210 else one._replace(real=not one.real) for n, (one, _) in enumerate(drawn(300))]
    monkeypatch.setattr("alerts.triage.verdicts", lambda reader, types: turned)
    run(data, "train")
    [one] = json.loads(run(data, "list", "--json")[1])
    code, said = run(data, "promote", one["version"])
    assert code == 1 and "no better than always telling the same odds" in " ".join(said.split())


def test_what_is_not_there_is_said(data: Path) -> None:
    assert "no triage model of version" in run(data, "promote", "abc")[1]
    assert "没有版本为 'abc' 的研判模型" in run(data, "promote", "abc", "--language", "zh-CN")[1]
    (data / "models" / "triage").mkdir(parents=True)
    (data / "models" / "triage" / "x.model").write_bytes(b"no")
    assert "not a triage model" in run(data, "list")[1]
    assert "x.model：不是研判模型" in run(data, "list", "--language", "zh-CN")[1]
