"""Whatever is changed, taken out or put in is found and named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from streams.archive import witness
from streams.archive.chain import Chain, Fault
from streams.archive.place import ArchiveError, Place
from streams.archive.segment import digest, pack, unpack
from streams.archive.store import Store
from streams.archive.survey import Survey, survey
from tests.streams.archive.past import archived


@pytest.fixture(scope="module")
def whole(past: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive, and a data folder that has seen it."""
    base = tmp_path_factory.mktemp("whole")
    store = archived(past, Place(where=str(base / "archive")))
    last = Chain(store, 0).last()
    assert last is not None
    (base / "data").mkdir()
    witness.note(base / "data", str(base / "archive"), {0: last})
    return base


@pytest.fixture
def base(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "copy")
    said = (tmp_path / "copy" / "data" / witness.FILE).read_text()
    (tmp_path / "copy" / "data" / witness.FILE).write_text(said.replace(str(whole), str(tmp_path / "copy")))
    return tmp_path / "copy"


def seen(base: Path, *, whole: bool = True) -> Survey:
    found = survey(Place(where=str(base / "archive")), base / "data", whole=whole)
    assert found is not None
    return found


def faults(base: Path, *, whole: bool = True) -> list[Fault]:
    return seen(base, whole=whole).faults


def segments(base: Path) -> list[Path]:
    return sorted((base / "archive").rglob("*.seg"))


def test_what_is_as_it_was_written_has_no_fault(base: Path) -> None:
    found = seen(base)
    assert found.faults == [] and faults(base, whole=False) == []
    assert (found.segments, found.observations) == (len(segments(base)), 93)


def test_one_byte_of_any_segment_or_state_is_missed(base: Path) -> None:
    for file in [*segments(base), *(base / "archive").rglob("*.state")]:
        good = file.read_bytes()
        file.write_bytes(good[:-20] + bytes([good[-20] ^ 1]) + good[-19:])
        assert faults(base), file
        file.write_bytes(good)
    assert faults(base) == []


@pytest.mark.parametrize("quick", [True, False])
def test_a_segment_that_is_gone_is_missed_even_the_first_and_the_last(base: Path, quick: bool) -> None:
    for file in segments(base):
        away = file.rename(base / "away")
        assert faults(base, whole=not quick), file
        away.rename(file)
    assert faults(base) == []


def spoil_index(base: Path) -> None:
    next((base / "archive").rglob("index.json")).write_text("[{")


def forge(base: Path, times: int = 1) -> None:
    """Write a segment as it was, but for a value, with an index that names the new hash."""
    file, index = segments(base)[1], segments(base)[1].with_name("index.json")
    old = file.read_bytes()
    content = unpack(old)
    offset, time, key, value = content.observations[0]
    forged = [(offset, time, key, value + b" "), *content.observations[1:]]
    file.write_bytes(pack(content.head, forged, content.outcomes))
    index.write_text(index.read_text().replace(digest(old), digest(file.read_bytes()), times))


def forge_the_index_throughout(base: Path) -> None:
    forge(base, -1)


@pytest.mark.parametrize(
    ("change", "quick", "said"),
    [
        (spoil_index, True, "cannot be read"),
        (forge, True, "does not follow the segment before it"),
        (forge_the_index_throughout, False, "the day's index tells otherwise of it"),
    ],
)
def test_a_spoilt_index_and_a_forged_segment_are_named(
    base: Path, change: Callable[[Path], None], quick: bool, said: str
) -> None:
    change(base)
    assert [said in fault.said for fault in faults(base, whole=not quick)] == [True]


def test_an_index_that_is_behind_is_no_fault_and_is_mended(base: Path) -> None:
    newest = segments(base)[-1].with_name("index.json")
    good = newest.read_bytes()
    newest.unlink()
    assert faults(base) == []
    Chain(Store(Place(where=str(base / "archive"))), 0).mend()
    assert newest.read_bytes() == good


def test_a_segment_that_does_not_go_on_where_the_chain_ends_is_refused(base: Path) -> None:
    chain = Chain(Store(Place(where=str(base / "archive"))), 0)
    last = chain.last()
    assert last is not None
    good = msgspec.structs.replace(
        last.head, begin=last.head.stop, stop=last.head.stop + 1, observations=1, lost=0, previous=last.sha256
    )
    for changed in (
        {"observations": 2},
        {"lost": 1},
        {"previous": ""},
        {"begin": good.begin + 1, "stop": good.stop + 1},
    ):
        with pytest.raises(ArchiveError, match="do not go on where it ends"):
            chain.append(msgspec.structs.replace(good, **changed), b"")
    assert chain.append(good, b"").head == good
