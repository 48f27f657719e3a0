"""Escalation chains in site.yaml: what they become, and that every mistake is told at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensors.registry import check_site, load_site
from sensors.site import Escalation, EscalationStep
from tests.sensors.test_registry import FILES, write


def folder(path: Path, chains: str) -> Path:
    return write(path / "site", {**FILES, "site.yaml": f"{FILES['site.yaml']}escalation:\n{chains}"})


def test_a_chain_has_its_waits_in_seconds(tmp_path: Path) -> None:
    steps = "[{do: remind, wait: 5 min, repeat: 2}, {do: notify, notify: [team-1, district]}, {wait: 90}]"
    site = load_site(folder(tmp_path, f"  - {{levels: [red], types: [slope], steps: {steps}}}\n"))
    remind = EscalationStep(wait=300.0, do="remind", repeat=2)
    notify = EscalationStep(do="notify", notify=("team-1", "district"))
    up = EscalationStep(wait=90.0, do="up")
    assert site.escalation == (Escalation(levels=("red",), types=("slope",), steps=(remind, notify, up)),)


@pytest.mark.parametrize(
    ("chain", "field", "words"),
    [
        ("{levels: [purple], steps: [{}]}", "levels", "purple"),
        ("{types: [moon], steps: [{}]}", "types", "unknown area type 'moon'"),
        ("{steps: []}", "steps", "1 to 32 steps"),
        (f"{{steps: [{', '.join(['{}'] * 33)}]}}", "steps", "1 to 32 steps"),
        ("{steps: [{wait: soon}]}", "wait", "soon"),
        ("{steps: [{wait: 30 d}]}", "wait", "30 d"),
        ("{steps: [{repeat: 21, wait: 60}]}", "repeat", "1 to 20 times"),
        ("{steps: [{repeat: 2}]}", "wait", "at least a second"),
        ("{steps: [{do: notify}]}", "notify", "name whom to notify"),
        ("{steps: [{notify: [office]}]}", "notify", "name whom to notify"),
        ("{steps: [{do: notify, notify: [nobody]}]}", "notify", "unknown unit 'nobody'"),
        ("{steps: [{do: shout}]}", "do", "shout"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_field(tmp_path: Path, chain: str, field: str, words: str) -> None:
    site, problems = check_site(folder(tmp_path, f"  - {chain}\n"))
    assert site is None
    assert [one.file for one in problems] == ["site.yaml"] and problems[0].line > 1
    assert field in problems[0].field and words in problems[0].message
