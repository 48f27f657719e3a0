"""Where the server's libraries cannot be had it is said why, and nothing is left half there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts import provide_s3
from scripts.provide_s3 import HOME, VERSION, S3Missing, provide


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(HOME, raising=False)
    return tmp_path / "foreshock"


def test_what_is_there_is_taken_and_what_was_named_must_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME, str(tmp_path))
    with pytest.raises(S3Missing, match="there is no moto in it"):
        provide()
    (tmp_path / "moto").mkdir()
    assert provide() == tmp_path


def test_pips_reason_is_told_and_nothing_stays(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert f"moto=={VERSION}" in command and "--no-deps" in command
        return subprocess.CompletedProcess(command, 1, "", "first\nERROR: no network")

    monkeypatch.setattr(provide_s3.subprocess, "run", refuse)
    with pytest.raises(S3Missing, match="could not get moto: ERROR: no network"):
        provide()
    assert list(cache.iterdir()) == []
