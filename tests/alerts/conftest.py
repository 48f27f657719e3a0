"""An empty journal in either database: what the tests of journals ask holds in both."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from alerts.journal import Journal
from alerts.tables import counters, metadata


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal without a row, to be copied: that is faster than making its tables."""
    path = tmp_path_factory.mktemp("empty") / "journal.sqlite"
    Journal(path).close()
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def journal(request: pytest.FixtureRequest, tmp_path: Path, empty: Path) -> Iterator[Journal]:
    if request.param == "sqlite":
        journal = Journal(shutil.copy(empty, tmp_path / "journal.sqlite"))
    else:
        journal = Journal(request.getfixturevalue("postgresql"))
        with journal.engine.begin() as connection:
            names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
            connection.execute(sa.text(f"TRUNCATE {names}"))
            connection.execute(sa.insert(counters).values(name="changes", value=0))
    yield journal
    journal.close()
