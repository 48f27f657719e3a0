"""Whose archive a place is, and how it goes on as another log's when its site was moved."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.archive import marker
from streams.archive.place import ArchiveError, Place
from streams.archive.store import Store


def test_an_archive_goes_along_with_its_site_and_with_no_other(tmp_path: Path) -> None:
    store = Store(Place(where=str(tmp_path / "archive")))
    marker.hand_over(store, "file", "kafka")  # nothing is archived yet
    assert marker.read(store) is None
    marker.claim(store, "file", 3)
    for _ in range(2):  # a move may be called again
        marker.hand_over(store, "file", "kafka")
    assert marker.claim(store, "kafka", 3)[0].partitions == 3
    with pytest.raises(ArchiveError, match="is the archive of another log"):
        marker.hand_over(store, "file", "elsewhere")
