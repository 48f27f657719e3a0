"""`foreshock notify`, and what `foreshock check` says of a site's targets."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from alerts.notifiers.deliveries import Deliveries
from tests.scripts.test_cli import run, sentence

DISTRICT = Path(__file__).parents[2] / "examples" / "district"


def test_targets_are_listed_with_what_is_wrong(tmp_path: Path) -> None:
    deliveries = Deliveries(tmp_path / "outbox.sqlite")
    deliveries.know("duty:li@example.org", "mail", time.time(), "ConnectionRefusedError")
    deliveries.close()
    shown = run("notify", "targets", "--data", tmp_path).output
    assert "duty:li@example.org" in shown and "ConnectionRefusedError" in shown
    (one,) = json.loads(run("notify", "targets", "--json", "--data", tmp_path).output)
    assert (one["kind"], one["waiting"], one["dead"], one["held"]) == ("mail", 0, 0, 0)
    assert "every order was delivered" in run("notify", "list", "--data", tmp_path).output


def test_a_test_needs_a_run(tmp_path: Path) -> None:
    Deliveries(tmp_path / "outbox.sqlite").close()
    assert "no notifier runs" in sentence(run("notify", "test", "x", "--data", tmp_path))


def test_check_names_mistakes_in_the_sites_targets(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    shutil.copytree(DISTRICT, folder)
    file = folder / "notify.yaml"
    file.write_text("targets:\n  - {kind: chat, name: group, url_file: /x, quiet: late}\n")
    found = run("check", folder, "--json")
    (problem,) = json.loads(found.output)["problems"]
    assert found.exit_code == 1
    assert (problem["file"], problem["line"], problem["field"]) == ("notify.yaml", 2, "targets[0].quiet")
    file.write_text("targets:\n  - {kind: chat, name: group, url_file: /x}\n")
    assert json.loads(run("check", folder, "--json").output)["targets"] == 1
