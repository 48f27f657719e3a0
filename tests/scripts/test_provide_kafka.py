"""Without Java, Maven or jars it is said what would provide Kafka."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import provide_kafka
from scripts.provide_kafka import BROKER, HOME, KafkaMissing, provide


def program(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with java and nothing else."""
    programs = tmp_path / "bin"
    programs.mkdir()
    program(programs, "java", "exit 0")
    monkeypatch.setenv("PATH", f"{programs}:/bin:/usr/bin")
    monkeypatch.setattr(
        provide_kafka.shutil, "which", lambda name: str(programs / name) if (programs / name).exists() else None
    )
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(HOME, raising=False)
    return programs


def test_what_is_missing_is_named(machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KafkaMissing, match="no mvn is installed"):
        provide()
    monkeypatch.setenv(HOME, str(tmp_path))
    with pytest.raises(KafkaMissing, match="there is no kafka"):
        provide()
    (machine / "java").unlink()
    with pytest.raises(KafkaMissing, match="no java is installed"):
        provide()


def test_jars_are_got_once_and_a_failure_leaves_nothing(machine: Path, tmp_path: Path) -> None:
    program(machine, "mvn", "echo '[ERROR] no way out'; exit 1")
    with pytest.raises(KafkaMissing, match="no way out"):
        provide()
    cache = tmp_path / "cache" / "foreshock"
    assert list(cache.iterdir()) == []
    find = 'for one; do case "$one" in -DoutputDirectory=*) to="${one#*=}";; esac; done'
    copy = f'{find}; mkdir -p "$to"; touch "$to/{BROKER}"'
    program(machine, "mvn", copy)
    folder = provide()
    assert [file.name for file in folder.iterdir()] == [BROKER]
    (machine / "mvn").unlink()
    assert provide() == folder
