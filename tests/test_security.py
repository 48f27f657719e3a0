"""Each threat of the page names a test that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([A-Z]) \| ([^|]+) \| ([^|]+) \| ([^|]*) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("row", ROWS, ids=[f"{kind} {threat}" for kind, threat, *_ in ROWS])
def test_a_threat_is_held_off_by_a_test_that_there_is(row: tuple[str, str, str, str]) -> None:
    found = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", row[3])
    assert row[0] in "STRIDE" and found is not None, row
    text = (ROOT / found[1]).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {found[2]}\(", text, re.MULTILINE), f"there is no {row[3]}"


def test_every_boundary_has_its_threats() -> None:
    parts = PAGE.split("\n## ")[1:]
    assert all("| S |" in part or "| D |" in part or "| T |" in part for part in parts[:-1]) and len(parts) >= 8
    assert len(ROWS) == PAGE.count("::test_") >= 40
