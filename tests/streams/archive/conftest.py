"""One lived log for all tests of the archive, and the places that it can be archived in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from streams.archive.place import Place
from tests.s3 import BUCKET, server
from tests.streams.archive.past import lived


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log's file; not to be changed."""
    return lived(tmp_path_factory.mktemp("past") / "log.sqlite")


@pytest.fixture(scope="session")
def bucket() -> Iterator[str]:
    with server() as address:
        yield address


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.server)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A folder, and a bucket of a server that speaks as S3 does."""
    if request.param == "folder":
        return Place(where=str(tmp_path / "archive"))
    address = request.getfixturevalue("bucket")
    return Place(where=f"s3://{BUCKET}/{uuid4().hex[:8]}/site", endpoint=address, key_id="key", secret="secret")
