"""A server that speaks as S3 does, in a process of its own; see scripts/provide_s3.py."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from functools import partial

from scripts.ports import free_port
from scripts.provide_s3 import S3Missing, provide
from streams.embedded.broker import die_with_parent
from tests.needed import skip

BUCKET = "archive"
PATIENCE = 60.0


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Start one with a bucket and give its address; skip the test where there is none to start."""
    try:
        libraries = provide()
    except S3Missing as missing:
        skip(str(missing))
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        env={**os.environ, "PYTHONPATH": str(libraries)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=partial(die_with_parent, os.getpid()),
    )
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                asked = urllib.request.Request(f"{address}/{BUCKET}", method="PUT")
                urllib.request.urlopen(asked, timeout=5).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < until, "the server does not start"
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(10)
