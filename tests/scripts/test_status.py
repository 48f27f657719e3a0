"""What `foreshock status` prints."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from scripts.commands import status
from streams import bundle, figures, publication, supervisor
from streams.bundle import Bundle
from tests.scripts.test_cli import english as run
from tests.streams.small_site import rules, site


def test_what_bridges_and_cameras_refused_is_told_with_what_the_engine_did(capsys: pytest.CaptureFixture[str]) -> None:
    pulse = {
        "time": 1_763_900_000.0,
        "readings_per_second": 1.0,
        "readings": 10,
        "points_live": 1,
        "points_total": 2,
        "engine_lag": 0,
        "gaps": 0,
        "refused": {"duplicate": 2},
        "quarantine": {"duplicate": 2, "malformed": 3, "camera_image_type": 1},
    }
    status._print(pulse, {}, {}, "Asia/Shanghai", "1")
    assert "2 duplicate, 3 malformed, 1 camera_image_type" in capsys.readouterr().out


def test_a_worker_that_is_silent_is_not_taken_for_one_that_does_not_run(tmp_path: Path) -> None:
    publication.write(tmp_path, bundle.pack(Bundle(site=site(), rules=rules())))
    stopped = run("status", "--data", tmp_path)
    assert (stopped.exit_code, "not running" in stopped.output) == (3, True)
    with supervisor.take_lock(tmp_path):  # as while it starts, or catches up
        silent = run("status", "--data", tmp_path)
        told = json.loads(run("status", "--json", "--data", tmp_path).stdout)
    assert silent.exit_code == 4
    assert "running (process" in silent.output and "not running" not in silent.output
    assert (told["running"], told["pulse"]) == (True, None)


def test_a_process_that_writes_no_figures_any_more_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publication.write(tmp_path, bundle.pack(Bundle(site=site(), rules=rules())))
    (tmp_path / "run").mkdir()
    figures.write_figures(tmp_path, "bridge", {"messages": 7})
    later = time.time() + 35
    monkeypatch.setattr(figures.time, "time", lambda: later)
    assert "bridge has" not in run("status", "--data", tmp_path).output, "nothing runs"
    with supervisor.take_lock(tmp_path):
        shown = run("status", "--data", tmp_path).output
        told = json.loads(run("status", "--json", "--data", tmp_path).stdout)
    assert "bridge has written no figures for 35 s" in shown
    assert list(told["silent"]) == ["bridge"]
