"""`foreshock backup`, `restore`, `backup-key`: one file and back, at the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alerts.console.accounts import open_accounts
from alerts.console.accounts.audit import list_audit
from alerts.notifiers.deliveries import Deliveries
from tests.scripts.test_cli import run, sentence


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    Deliveries(tmp_path / "data" / "outbox.sqlite").close()
    open_accounts(tmp_path / "data" / "accounts.sqlite").close()
    (tmp_path / "data" / "secret.key").write_text("s3cret")
    return tmp_path / "data"


def test_a_folder_of_backups_keeps_the_latest_and_touches_nothing_else(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "backups"
    target.mkdir()
    for name in ("foreshock-20200101T000000Z.tar.gz", "foreshock-20210101T000000Z.tar.gz.age", "foreshock-notes.txt"):
        (target / name).write_text("old")
    answer = run("backup", target, "--keep", "2", "--data", folder, "--json")
    made = json.loads(answer.stdout)
    assert (made["files"], made["removed"]) == (3, 1)
    left = {path.name for path in target.iterdir()}
    assert left == {Path(made["file"]).name, "foreshock-20210101T000000Z.tar.gz.age", "foreshock-notes.txt"}
    assert "not encrypted" in run("backup", tmp_path / "b", "--data", folder).output
    assert "is no folder" in sentence(run("backup", tmp_path / "b", "--keep", "2", "--data", folder))


def test_it_is_put_back_with_the_key_and_both_are_in_the_audit(folder: Path, tmp_path: Path) -> None:
    key, file, back = tmp_path / "key.txt", tmp_path / "b.age", tmp_path / "back"
    public = run("backup-key", key).stdout.strip()
    assert public.startswith("age1") and key.stat().st_mode & 0o077 == 0
    assert "cannot write" in sentence(run("backup-key", key)), "a key is never written over"
    assert run("backup", file, "--recipient", public, "--data", folder).exit_code == 0
    assert "--identity" in sentence(run("restore", file, "--data", back))
    assert "is whole" in run("restore", file, "--identity", key, "--check", "--data", back).output
    assert not back.exists()
    restored = run("restore", file, "--identity", key, "--data", back)
    assert restored.exit_code == 0 and "foreshock run" in restored.output
    assert (back / "secret.key").read_text() == "s3cret"
    assert "not empty" in sentence(run("restore", file, "--identity", key, "--data", back))
    assert "no public key" in sentence(run("backup", file, "--recipient", "age1x", "--data", folder))
    audited = {path: actions(path) for path in (folder, back)}
    assert audited == {folder: ["backup.taken"], back: ["backup.restored"]}, "it is noted after the moment it is of"


def actions(folder: Path) -> list[str]:
    accounts = open_accounts(folder / "accounts.sqlite")
    try:
        return [entry.action for entry in list_audit(accounts)]
    finally:
        accounts.close()


def test_what_is_kept_elsewhere_is_said(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORESHOCK_BROKER", "kafka://127.0.0.1:9092")
    assert "the log is in Kafka and not in it" in run("backup", tmp_path / "b", "--data", folder).output
