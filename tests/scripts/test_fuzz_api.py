"""A short form of what `python -m scripts.fuzz_api` asks the API."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI, Request

from scripts import fuzz_api


def test_no_operation_answers_500_to_what_its_document_allows_or_forbids(tmp_path: Path) -> None:
    found = fuzz_api.fuzz(tmp_path, 1, every=3, changed=4)  # all of them take a quarter of a minute
    assert found.operations > 40 and found.answers.total() == 5 * found.operations
    assert len(found.reached) > found.operations / 3, "most ids are there"


@pytest.mark.parametrize("changed", [0, 50])
def test_an_answer_of_500_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: int) -> None:
    app = FastAPI()

    @app.get("/api/v1/broken")
    def broken(request: Request) -> int:
        by_a_client = "user-agent" in request.headers  # what is changed is asked without one
        return 1 // (1 if by_a_client == bool(changed) else 0)

    def build(bench: fuzz_api.Bench, folder: Path) -> None:
        whole(bench, folder)
        bench.desktop.app = app
        bench.client = bench.desktop.client()

    whole = fuzz_api.Bench.__init__
    monkeypatch.setattr(fuzz_api.Bench, "__init__", build)
    with pytest.raises(fuzz_api.Broken, match=r"GET /api/v1/broken as .*: 500"):
        fuzz_api.fuzz(tmp_path, 3, changed=changed)
