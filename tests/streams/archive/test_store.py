"""A folder's objects are whole or not there: after a loss of power, beside others, and after a kill."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from streams.archive.place import ArchiveUnavailable, Place
from streams.archive.store import LEFT_SECONDS, Store

NAME = "0000/2026-11-27/1.seg"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(where=str(tmp_path / "archive"))


def test_a_file_gets_its_name_once_it_is_on_the_disk_and_then_the_name_is(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int]] = []

    def noted(name: str, found: os.stat_result) -> None:
        seen.append((name, found.st_ino))

    fsync, link, replace = os.fsync, os.link, os.replace
    monkeypatch.setattr(os, "fsync", lambda number: (noted("fsync", os.fstat(number)), fsync(number)))
    monkeypatch.setattr(os, "link", lambda old, new: (noted("name", old.stat()), link(old, new)))
    monkeypatch.setattr(os, "replace", lambda old, new: (noted("name", old.stat()), replace(old, new)))
    store = Store(place)
    assert store.put_new(NAME, b"first")
    for write in (lambda: store.put_new("2.seg", b"second"), lambda: store.put("2.seg", b"third")):
        seen.clear()
        write()
        file = (place.folder / "2.seg").stat().st_ino
        assert seen == [("fsync", file), ("name", file), ("fsync", place.folder.stat().st_ino)]
    assert [name for name, _ in store.names("")] == ["0000/2026-11-27/1.seg", "2.seg"]


def test_what_is_there_already_stays(place: Place) -> None:
    store = Store(place)
    assert store.put_new(NAME, b"first") and not store.put_new(NAME, b"second")
    assert store.get(NAME) == b"first"
    assert [file.name for file in (place.folder / NAME).parent.iterdir()] == ["1.seg"]


def test_what_a_killed_writer_left_is_swept_once_nobody_can_be_at_it(place: Place) -> None:
    store = Store(place)
    store.put_new(NAME, b"first")
    for name, age in (("2.seg#1", LEFT_SECONDS + 1), ("3.seg#77", 1.0), ("#notes#", LEFT_SECONDS + 1)):
        file = (place.folder / NAME).with_name(name)
        file.write_bytes(b"half")
        os.utime(file, (1e9 - age, 1e9 - age))
    os.utime(place.folder / NAME, (0, 0))
    assert [name for name, _ in store.names("0000/") if ".seg" in name] == [NAME]
    assert store.sweep(1e9) == 1
    assert sorted(file.name for file in (place.folder / NAME).parent.iterdir()) == ["#notes#", "1.seg", "3.seg#77"]


def test_a_folder_that_takes_no_more_is_left_as_it_was(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(place)
    store.put(NAME, b"first")

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ArchiveUnavailable, match="No space left"):
        store.put(NAME, b"second")
    assert store.get(NAME) == b"first"
    assert [file.name for file in (place.folder / NAME).parent.iterdir()] == ["1.seg"]
