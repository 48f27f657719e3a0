"""The site's file of targets as the processes read it: what is broken while it runs takes nothing else along."""

from __future__ import annotations

from pathlib import Path

from streams import settings
from streams.telling import callbacks, further
from tests.streams.small_site import site

GOOD = "targets:\n  - {kind: chat, name: group, url_env: X, callback_file: %s}\n"


def test_a_site_without_a_file_tells_nobody_else(tmp_path: Path) -> None:
    found = settings.load({}, site=str(tmp_path))
    assert found.notify_file is None and further(found, site()).targets == ()


def test_keys_of_callbacks_are_read_and_one_that_is_not_there_is_none(tmp_path: Path) -> None:
    key = tmp_path / "key"
    (tmp_path / "notify.yaml").write_text(GOOD % key)
    found = settings.load({}, site=str(tmp_path))
    assert callbacks(found, site()) == {}
    key.write_text("s3cret\n")
    assert callbacks(found, site()) == {"group": b"s3cret"}


def test_a_file_that_is_broken_later_is_no_end_of_the_notifier(tmp_path: Path) -> None:
    file = tmp_path / "elsewhere.yaml"
    file.write_text("targets: 5\n")
    found = settings.load({"FORESHOCK_NOTIFY": str(file)})
    assert found.notify_file == file and further(found, site()).targets == ()
