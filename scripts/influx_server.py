"""An InfluxDB 2 of our own, in a temporary folder on a free port of loopback: for tests and drills."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx

from scripts.ports import free_port
from scripts.provide_influx import provide
from streams.embedded.broker import die_with_parent

TOKEN = "token-of-a-test"  # noqa: S105 (of a server that ends with the test)
ORG = "foreshock"
START_SECONDS = 60.0


class InfluxServer:
    """A server's process. `url` is its address, where `TOKEN` may do all in `ORG`."""

    def __init__(self, folder: Path, program: Path) -> None:
        self.folder, self._program = folder, program
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        """Give the settings that use it."""
        return {"FORESHOCK_INFLUX_URL": self.url, "FORESHOCK_INFLUX_TOKEN": TOKEN, "FORESHOCK_INFLUX_ORG": ORG}

    def start(self) -> None:
        """Start, and wait until it answers; the first start makes organisation and token.

        It ends with the thread that calls this.
        """
        places = [("bolt-path", "bolt"), ("sqlite-path", "sqlite"), ("engine-path", "engine")]
        command = [str(self._program), "--http-bind-address", f"127.0.0.1:{self.port}", "--reporting-disabled"]
        command += [part for option, name in places for part in (f"--{option}", str(self.folder / name))]
        with (self.folder / "influxd.log").open("ab") as said:
            self._process = subprocess.Popen(
                [*command, "--log-level", "error"],
                cwd=self.folder,
                env={**os.environ, "HOME": str(self.folder)},
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=partial(die_with_parent, os.getpid()),
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                last = (self.folder / "influxd.log").read_text(errors="replace").splitlines()[-3:]
                raise RuntimeError(f"InfluxDB did not start: {' | '.join(last)}")
            time.sleep(0.05)
        if httpx.get(f"{self.url}/api/v2/setup", timeout=10).json()["allowed"]:
            first = {"username": "test", "password": "a-test-of-this", "org": ORG, "bucket": "first", "token": TOKEN}
            httpx.post(f"{self.url}/api/v2/setup", json=first, timeout=30).raise_for_status()

    def _answers(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/ready", timeout=2).status_code == 200
        return False

    def kill(self) -> None:
        """End it at once, as a loss of power would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(15)
            self._process = None


@contextlib.contextmanager
def influx(*, build: bool = True) -> Iterator[InfluxServer]:
    """Start one and end it, with its folder, afterwards. Raise `scripts.provide_influx.InfluxMissing`."""
    program = provide(build=build)
    folder = Path(tempfile.mkdtemp(prefix="foreshock-influx-"))
    one = InfluxServer(folder, program)
    try:
        one.start()
        yield one
    finally:
        one.kill()
        shutil.rmtree(folder, ignore_errors=True)
