"""The floors of the house: imports go one way."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ["sensors", "models", "rules", "alerts", "streams", "scripts", "tests"]


def imported(source: str) -> set[str]:
    """Return the top-level packages that a module's text imports, at any depth."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("floor", FLOORS[:-1])
def test_a_package_imports_only_floors_below_it(floor: str) -> None:
    above = set(FLOORS[FLOORS.index(floor) + 1 :])
    wrong = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in sorted((ROOT / floor).rglob("*.py"))
        if "node_modules" not in file.parts
        for name in sorted(imported(file.read_text(encoding="utf-8")) & above)
    ]
    assert not wrong


def test_the_check_sees_an_import_that_goes_up() -> None:
    assert imported("def f():\n    from streams.engine import Engine\n") == {"streams"}


def test_nothing_names_a_registry_or_unpickles() -> None:
    for file in [f for floor in FLOORS[:-1] for f in (ROOT / floor).rglob("*.py") if "node_modules" not in f.parts]:
        assert not imported(file.read_text(encoding="utf-8")) & {"pickle", "marshal", "shelve"}, file


def test_what_is_embedded_and_the_hub_know_nothing_of_the_processes() -> None:
    for file in [f for room in ("embedded", "hub") for f in (ROOT / "streams" / room).rglob("*.py")]:
        assert "streams.processes" not in file.read_text(encoding="utf-8"), file
