"""The publications that are kept: an entry for each time that one was put in force."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from streams import shelf
from streams.shelf import Kept


def put(data: Path, number: int, time: float, why: str = "") -> None:
    shelf.keep(data, Kept(version=f"{number:012x}", time=time, author="li", reason=why), bytes([number]))


def test_a_publication_that_comes_again_keeps_who_put_it_in_force_before(tmp_path: Path) -> None:
    for number, time, why in ((1, 10.0, "first"), (2, 20.0, "second"), (1, 30.0, "back"), (1, 30.0, "back")):
        put(tmp_path, number, time, why)
    assert [(one.version[-1], one.time, one.reason) for one in shelf.listed(tmp_path)] == [
        ("1", 30.0, "back"),
        ("2", 20.0, "second"),
        ("1", 10.0, "first"),
    ]
    assert shelf.take(tmp_path, "000000000001") == b"\1"
    assert shelf.take(tmp_path, "0") is None, "a beginning that two have"
    latest = shelf.latest(shelf.listed(tmp_path), "000000000001")
    assert latest is not None and latest.time == 30.0


def test_going_back_never_leads_to_what_was_gone_back_from(tmp_path: Path) -> None:
    def back() -> str:
        return shelf.before(shelf.listed(tmp_path), shelf.listed(tmp_path)[0].version)[-1:]

    assert shelf.before([], "0") == ""
    put(tmp_path, 1, 10.0)
    assert back() == ""
    put(tmp_path, 2, 20.0)
    put(tmp_path, 3, 30.0)
    assert back() == "2"
    put(tmp_path, 2, 40.0)
    assert back() == "1", "3 was gone back from"
    put(tmp_path, 4, 50.0)
    assert back() == "2"
    put(tmp_path, 1, 60.0)
    assert back() == ""
    put(tmp_path, 3, 70.0)
    assert back() == "1", "3 was named, and is in force again"
    assert shelf.before(shelf.listed(tmp_path), "elsewhere")[-1:] == "3"


def test_the_oldest_go_and_a_bundle_with_its_last_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "MOST", 3)
    for number, time in ((1, 1.0), (2, 2.0), (1, 3.0), (3, 4.0), (4, 5.0)):
        put(tmp_path, number, time)
    assert [one.time for one in shelf.listed(tmp_path)] == [5.0, 4.0, 3.0]
    assert shelf.take(tmp_path, f"{1:012x}") == b"\1"
    assert not shelf.has(tmp_path, f"{2:012x}")
    assert not (tmp_path / shelf.FOLDER / f"{2:012x}.bundle").exists()


def test_what_was_kept_by_version_alone_is_listed_still(tmp_path: Path) -> None:
    put(tmp_path, 1, 10.0)
    (entry,) = (tmp_path / shelf.FOLDER).glob("*.json")
    entry.rename(entry.with_name(f"{1:012x}.json"))
    put(tmp_path, 1, 20.0)
    (tmp_path / shelf.FOLDER / "0.json").write_text("{")
    assert [one.time for one in shelf.listed(tmp_path)] == [20.0, 10.0]
    assert shelf.has(tmp_path, f"{1:012x}")
    assert msgspec.json.decode((tmp_path / shelf.FOLDER / f"{1:012x}.json").read_bytes())["time"] == 10.0
