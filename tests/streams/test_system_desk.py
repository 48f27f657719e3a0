"""What an administrator asks of the running system: one look and one backup at a time, and what went wrong is said."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from alerts.console.accounts import list_audit, open_accounts
from streams import backup_shelf, system_desk
from streams.doctor import Finding
from streams.settings import Settings
from streams.system_desk import SystemDesk
from tests.waiting import until


def desk(tmp_path: Path, **more: Any) -> SystemDesk:
    (tmp_path / "data").mkdir(exist_ok=True)
    open_accounts(tmp_path / "data" / "accounts.sqlite").close()
    settings = {"data": str(tmp_path / "data"), "site": "examples/district", **more}
    return SystemDesk(Settings(**settings), clock=lambda: 1_795_000_000.0)


def test_a_look_tells_what_the_doctor_found_and_where_the_files_are_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = threading.Event()

    def examine(_: Settings) -> Any:
        going.wait(10)
        yield Finding("disk", False, "full")

    monkeypatch.setattr(system_desk, "examine", examine)
    site = tmp_path / "site"
    site.mkdir()
    (site / "site.yaml").write_text("id: 7\n")
    it = desk(tmp_path, site=str(site))
    assert it.checks()["ended"] is None
    it.check()
    with pytest.raises(RuntimeError):
        it.check()
    going.set()
    found = until(lambda: None if it.checks()["running"] else it.checks())
    assert found["findings"] == [{"what": "disk", "well": False, "said": "full"}]
    assert "site.yaml" in {one["file"] for one in found["problems"]} and not found["error"]


def test_a_backup_goes_into_the_folder_that_is_named_and_into_the_audit(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="FORESHOCK_BACKUP_FOLDER"):
        desk(tmp_path).back_up("user:chen")
    it = desk(tmp_path, backup_folder=str(tmp_path / "backups"))
    it.back_up("user:chen")
    assert "is no folder" in until(lambda: it.backups()["error"])
    (tmp_path / "backups").mkdir()
    it.back_up("user:chen")
    found = until(lambda: None if it.backups()["running"] else it.backups())
    assert not found["error"] and not found["encrypted"]
    assert [one["time"] for one in found["items"]] == [1_795_000_000.0]
    accounts = open_accounts(tmp_path / "data" / "accounts.sqlite")
    assert [(one.actor, one.action) for one in list_audit(accounts)] == [("user:chen", "backup.taken")]
    accounts.close()


def test_a_shelf_lists_the_latest_first_and_keeps_at_least_one(tmp_path: Path) -> None:
    for name in ("foreshock-20200101T000000Z.tar.gz", "foreshock-20210101T000000Z.tar.gz.age", "foreshock-xZ.tar.gz"):
        (tmp_path / name).write_text("old")
    (tmp_path / "foreshock-20220101T000000Z.tar.gz").symlink_to(tmp_path / "foreshock-20200101T000000Z.tar.gz")
    assert [(one.file[10:14], one.encrypted) for one in backup_shelf.listed(tmp_path)] == [
        ("2021", True),
        ("2020", False),
    ]
    assert backup_shelf.prune(tmp_path, 0) == 1
    assert [one.file[10:14] for one in backup_shelf.listed(tmp_path)] == ["2021"]
