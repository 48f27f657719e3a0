"""Build a real InfluxDB 2 with Go and cargo, once, into a cache folder: for tests and drills that need a server.

There is no package of it for Debian but of version 1. It takes five minutes of two cores.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.provided import MissingError, cache, tell

VERSION = "v2.7.12"
HOME = "FORESHOCK_INFLUXD"
"""Variable that names an `influxd`, for a machine that has one."""

SECONDS = 3600.0

_MODULE = "github.com/influxdata/influxdb/v2"
_PKG_CONFIG = "github.com/influxdata/pkg-config@v0.2.14"
_GO_MOD = f"""module influx

go 1.24

tool {_MODULE}/cmd/influxd

require {_MODULE} {VERSION}

replace github.com/nats-io/nats-streaming-server v0.11.2 => github.com/influxdata/nats-streaming-server v0.11.3-0.20201112040610-c277f7560803
"""  # noqa: E501
# libflux denies warnings, and newer compilers warn of more: RUSTFLAGS would not do, for its build sets them anew
_WRAPPER = """#!/bin/sh
case " $* " in *" --crate-name "*) set -- "$@" --cap-lints warn ;; esac
exec "$@"
"""


class InfluxMissing(MissingError):
    """Say why there is no InfluxDB to start, and what would provide it."""


def provide(*, build: bool = True) -> Path:
    """Return the program, built when it is not there yet and `build`. Raise `InfluxMissing` with the reason."""
    given = os.environ.get(HOME)
    program = Path(given) if given else cache() / f"influxd-{VERSION}"
    if program.is_file():
        return program
    if given:
        raise InfluxMissing(f"{HOME}={given}: there is no such file")
    if not build:
        raise InfluxMissing(f"it has not been built yet (`make influx`); or set {HOME}")
    for tool, package in (("go", "golang 1.24 or newer"), ("cargo", "Rust with cargo"), ("cc", "gcc")):
        if shutil.which(tool) is None:
            raise InfluxMissing(f"no {tool} is installed to build InfluxDB with ({package}); or set {HOME}")
    return _build(program)


def _build(program: Path) -> Path:
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent, ignore_cleanup_errors=True) as name:
        work = Path(name)
        (work / "go.mod").write_text(_GO_MOD, encoding="utf-8")
        wrapper = work / "rustc-wrapper"
        wrapper.write_text(_WRAPPER, encoding="utf-8")
        wrapper.chmod(0o755)
        env = {
            **os.environ,
            "GOBIN": str(work / "bin"),
            "GOFLAGS": "-mod=mod",
            "PKG_CONFIG": str(work / "bin" / "pkg-config"),
            "RUSTC_WRAPPER": str(wrapper),
            "RUSTUP_TOOLCHAIN": os.environ.get("RUSTUP_TOOLCHAIN", "stable"),
        }
        made = work / "influxd"
        outside = {**env, "GOFLAGS": ""}  # a tool of a version of its own
        _run(["go", "install", _PKG_CONFIG], work, outside)
        _run(["go", "mod", "tidy", "-e"], work, env)
        tags = "sqlite_foreign_keys,sqlite_json"
        _run(["go", "build", "-tags", tags, "-ldflags", "-s -w", "-o", str(made), f"{_MODULE}/cmd/influxd"], work, env)
        made.rename(program)  # whole, or not at all
    return program


def _run(command: Sequence[str], folder: Path, env: Mapping[str, str]) -> None:
    try:
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired as error:
        raise InfluxMissing(f"`{' '.join(command[:3])}` took more than {SECONDS:g} s") from error
    if done.returncode:
        said = " · ".join(done.stderr.strip().splitlines()[-6:])[-900:]
        raise InfluxMissing(f"`{' '.join(command[:3])}` failed: {said}")


def main() -> int:
    """Print where the program is, or why there is none; with `--found` only where it is there already."""
    return tell(lambda: provide(build="--found" not in sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
