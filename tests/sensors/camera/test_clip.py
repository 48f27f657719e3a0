"""Clips: written and read back, bounded, and kept beside the still that they are about."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.camera.clip import LEAST, MOST_BYTES, file_of, keep_clip, packed, unpacked

FRAMES = [(1000.0 + 0.25 * n, bytes([n]) * (n + 1)) for n in range(8)]


@given(st.lists(st.tuples(st.integers(0, 2**31), st.binary(max_size=20)), max_size=9))
def test_a_clip_is_read_back_as_it_was_written(frames: list[tuple[int, bytes]]) -> None:
    assert unpacked(packed([(float(at), picture) for at, picture in frames])) == frames


def test_a_clip_that_would_be_too_large_has_fewer_pictures_over_the_same_time() -> None:
    large = [(float(n), b"x" * (MOST_BYTES // 30)) for n in range(60)]
    found = unpacked(packed(large))
    assert sum(len(picture) for _, picture in found) <= MOST_BYTES
    assert [at for at, _ in found] == [float(n) for n in range(0, 60, 2)]


@pytest.mark.parametrize("broken", [b"", b"{", b'{"frames": [[1.0, 5]]}\nabc', b'{"frames": []}\nabc', b"no json\n"])
def test_what_is_no_clip_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError):
        unpacked(broken)


def test_it_is_kept_under_the_name_of_its_still_and_too_few_pictures_are_none(tmp_path: Path) -> None:
    folder = tmp_path / "snapshots"
    assert not keep_clip(folder, "ab", FRAMES[: LEAST - 1]) and not folder.exists()
    assert keep_clip(folder, "ab", FRAMES)
    assert [file.name for file in folder.iterdir()] == ["ab.clip"]
    assert unpacked(file_of(folder, "ab").read_bytes()) == FRAMES
