"""The example notebooks run from top to bottom as they are, and say what their text says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "notebooks"


def outputs(notebook: nbformat.NotebookNode, mime: str) -> list[str]:
    return [
        output["data"][mime]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if mime in output.get("data", {})
    ]


def test_notebooks_are_kept_without_what_they_said() -> None:
    files = sorted(FOLDER.glob("*.ipynb"))
    assert files
    for file in files:
        cells = nbformat.read(file, as_version=4).cells
        assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")], file.name


@pytest.mark.server
def test_the_charging_notebook_shows_three_dispatches_that_another_threshold_would_spare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])),
        ("IPYTHONDIR", str(tmp_path / "ipython")),
        ("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime")),
    ):
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(FOLDER / "charging.ipynb", as_version=4)
    NotebookClient(
        notebook, timeout=90, startup_timeout=60, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
    ).execute()
    (counts,) = [text for text in outputs(notebook, "text/plain") if "changed" in text]
    assert re.search(r"highest +orange +yellow", counts)
    assert re.search(r"as it is +4 +0\n", counts) and re.search(r"changed +1 +3$", counts)
    drawn = next(html for html in outputs(notebook, "text/html") if "<svg" in html)
    assert ">orange<" in drawn.replace("</title>", "<") and "<script" not in drawn
    early = next(html for html in outputs(notebook, "text/html") if "reason" in html)
    assert "above" in early
