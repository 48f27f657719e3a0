"""`foreshock archive`, and `foreshock replay` out of it, at the terminal; the doctor's look at it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from alerts.console.accounts import open_accounts
from alerts.console.accounts.audit import list_audit
from streams import bundle, publication
from streams.bundle import Bundle
from streams.doctor import Finding, examine
from streams.settings import Settings, load
from tests.scripts.test_cli import run, sentence
from tests.scripts.test_replay import written
from tests.streams.archive.past import lived
from tests.streams.archive.test_archiver import cut_off
from tests.streams.small_site import START, rules, site


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lived(tmp_path_factory.mktemp("past") / "log.sqlite")


@pytest.fixture
def found(past: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A data folder at rest, and where its archive is to be."""
    shutil.copytree(past.parent, tmp_path / "data")
    monkeypatch.setenv("FORESHOCK_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FORESHOCK_ARCHIVE", str(tmp_path / "archive"))
    yield load()


def segments(found: Settings) -> list[Path]:
    return sorted(Path(found.archive).rglob("*.seg"))


def looked(found: Settings) -> Finding:
    [one] = examine(found, "archive")
    return one


def test_what_is_taken_is_listed_verified_and_replayed_with_no_log_at_all(found: Settings, tmp_path: Path) -> None:
    assert "nothing is archived" in run("archive", "list").stdout
    assert "93 observations archived" in run("archive", "take").stdout
    assert json.loads(run("archive", "take", "--json").stdout) == {}
    days = json.loads(run("archive", "list", "--json").stdout)
    assert [day["day"] for day in days] == ["2026-11-27", "2026-11-28"]
    assert sum(day["observations"] for day in days) == 93 and sum(day["states"] for day in days) == 2
    assert "93 observations" in run("archive", "list").stdout
    assert "all are as they were written" in run("archive", "verify").stdout
    assert looked(found).well and "segments" in looked(found).said
    shutil.rmtree(tmp_path / "data")
    again = run("replay", "--archive", found.archive)
    assert again.exit_code == 0 and "all 27 outcomes are the same" in again.stdout
    part = run("replay", "--from", str(int(START + 200)), "--json")
    assert json.loads(part.stdout)["agrees"] and 0 < json.loads(part.stdout)["recorded"] < 27


def test_what_the_log_no_longer_has_is_replayed_out_of_the_archive(found: Settings, tmp_path: Path) -> None:
    publication.write(found.data_folder, bundle.pack(Bundle(site=site(), rules=rules())))
    run("archive", "take")
    cut_off(found.log_file, 50)
    begin = ("--from", str(int(START + 60)))
    assert json.loads(run("replay", *begin, "--json").stdout)["agrees"]
    assert json.loads(run("replay", *begin, "--rules", written(tmp_path, 20.0), "--json").stdout)["recorded"]["agrees"]


def test_without_an_archive_it_says_how_to_have_one(found: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "nothing in" in looked(found).said
    monkeypatch.delenv("FORESHOCK_ARCHIVE")
    assert "set FORESHOCK_ARCHIVE" in sentence(run("archive", "list"))
    assert looked(load()).well
    assert "name a folder or s3://" in sentence(run("replay", "--archive", "ftp://x"))
    assert "nothing is archived" in sentence(run("replay", "--archive", found.archive))


def test_whoever_changes_the_archive_is_found_by_verify_and_by_the_doctor(found: Settings) -> None:
    run("archive", "take")
    last = segments(found)[-1]
    last.rename(last.with_suffix(".away"))
    wrong = run("archive", "verify", "--quick")
    assert wrong.exit_code == 1 and "was taken away or is another" in wrong.stderr
    assert not looked(found).well and "taken away" in looked(found).said
    last.with_suffix(".away").rename(last)
    first = segments(found)[0]
    first.write_bytes(first.read_bytes()[:-9] + b"forgotten")
    assert json.loads(run("archive", "verify", "--json").stdout)["faults"][0][1].startswith("it is not what it was")


def test_the_policy_is_shown_before_it_is_done_and_the_audit_knows(
    found: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("archive", "take")
    count = len(segments(found))
    monkeypatch.setenv("FORESHOCK_ARCHIVE_GIGABYTES", "0.000001")
    going = int(run("archive", "prune").stdout.split()[0])
    assert going > 1 and len(segments(found)) == count
    assert f"{going} segments removed" in run("archive", "prune", "--yes").stdout
    assert len(segments(found)) == count - going and run("archive", "verify").exit_code == 0
    with closing(open_accounts(found.accounts_at)) as accounts:
        assert [entry.action for entry in list_audit(accounts)] == ["archive.pruned"]


def test_a_place_that_cannot_be_used_is_said_in_a_sentence(found: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(found.archive).write_text("in the way")
    assert "cannot be used" in sentence(run("archive", "take"))
    monkeypatch.setenv("FORESHOCK_ARCHIVE", "s3://bucket/site")
    monkeypatch.setenv("FORESHOCK_ARCHIVE_CA_FILE", found.archive + ".pem")
    assert f"No such file or directory: '{found.archive}.pem'" in sentence(run("archive", "take"))
