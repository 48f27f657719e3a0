"""The units are what systemd understands, keep the service to itself, and start what exists."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
COMMAND = "/opt/foreshock/.venv/bin/foreshock"
EXPOSURE = 20
"""Tenths of systemd's own score from 0 to 10, of which services that may touch everything have 9.6."""

analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")


def asked(*arguments: str) -> str:
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@analyze
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    (tmp_path / "foreshock").write_text("#!/bin/sh\n")
    (tmp_path / "foreshock").chmod(0o755)
    for unit in [*UNITS.glob("*.service"), *UNITS.glob("*.timer")]:
        text = unit.read_text().replace(COMMAND, str(tmp_path / "foreshock"))
        (tmp_path / unit.name).write_text(text)
    units = [str(path) for path in tmp_path.iterdir() if path.suffix in (".service", ".timer")]
    assert len(units) == 3
    said = asked("verify", "--man=no", "--recursive-errors=no", *units)
    assert not [line for line in said.splitlines() if str(tmp_path) in line or "foreshock" in line], said


@analyze
@pytest.mark.parametrize("name", ["foreshock", "foreshock-backup"])
def test_a_service_reaches_little_beyond_itself(name: str) -> None:
    asked("security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE}", str(UNITS / f"{name}.service"))


@pytest.mark.parametrize("name", ["foreshock", "foreshock-backup"])
def test_what_a_service_starts_is_a_command_with_those_options(name: str) -> None:
    started = re.findall(rf"^Exec\w+={COMMAND} (\w+)(.*)$", (UNITS / f"{name}.service").read_text(), re.MULTILINE)
    assert started
    for command, rest in started:
        told = subprocess.run(
            [sys.executable, "-m", "scripts.cli", command, "--help"], cwd=ROOT, capture_output=True, text=True,
            env={"COLUMNS": "200", "PATH": "/usr/bin", "NO_COLOR": "1"}, timeout=60,
        ).stdout  # fmt: skip
        for option in re.findall(r"--[\w-]+", rest):
            assert option in told
