"""The example site with few of its files of rules: to load them all takes two seconds of CPU each time."""

from __future__ import annotations

import shutil
from pathlib import Path

DISTRICT = Path(__file__).parents[1] / "examples" / "district"


def with_rules(made: Path, *names: str) -> Path:
    """Make a copy of the example at `made` that has these files of rules only."""
    shutil.copytree(DISTRICT, made, ignore=shutil.ignore_patterns("rules"))
    (made / "rules").mkdir()
    for name in names:
        shutil.copy(DISTRICT / "rules" / name, made / "rules" / name)
    return made
