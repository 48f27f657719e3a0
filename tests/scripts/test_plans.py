"""`foreshock plans`."""

from __future__ import annotations

import json
from pathlib import Path

import pypdfium2

from tests.scripts.test_cli import run, sentence

DISTRICT = Path(__file__).parents[2] / "examples" / "district"


def test_plans_are_listed_and_shown_in_both_languages() -> None:
    found = json.loads(run("plans", "list", "--site", DISTRICT, "--json").output)
    assert {"slope", "gas"} <= {plan["id"] for plan in found}
    shown = run("plans", "show", "gas", "--site", DISTRICT).output
    assert "燃气泄漏应急预案" in shown and "Gas leak plan" in shown and "119" in shown
    assert "是否想写 slope" in sentence(run("plans", "show", "slop", "--site", DISTRICT))


def test_a_plan_is_printed(tmp_path: Path) -> None:
    out = tmp_path / "slope.pdf"
    assert run("plans", "print", "slope", "--out", out, "--language", "en", "--site", DISTRICT).exit_code == 0
    assert "Slope plan" in pypdfium2.PdfDocument(out)[0].get_textpage().get_text_range()
    nowhere = tmp_path / "none" / "x.pdf"
    assert "无法写入" in sentence(run("plans", "print", "slope", "--out", nowhere, "--site", DISTRICT))


def test_the_plan_of_an_incident_needs_a_run(tmp_path: Path) -> None:
    found = run("plans", "print", "i-1", "--incident", "--out", tmp_path / "x.pdf", "--data", tmp_path)
    assert "nothing has run" in sentence(found)
