"""Get a server that speaks as S3 does, once, into a cache folder: for tests of the archive.

It is moto's. Its libraries ask for older versions of some that Foreshock has, so they lie apart and are put before
them in its own process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.provided import MissingError, cache, tell

VERSION = "5.2.5"
HOME = "FORESHOCK_S3_SERVER"
"""Variable that names a folder with its libraries, for a machine without a package index."""

SECONDS = 240.0

_WANTED = (
    f"moto=={VERSION}",
    "blinker==1.9.0",
    "boto3==1.44.8",
    "botocore==1.44.8",
    "flask==3.1.3",
    "flask-cors==6.0.5",
    "jinja2==3.1.6",
    "jmespath==1.1.0",
    "py-partiql-parser==0.6.3",
    "python-dateutil==2.9.0.post0",
    "responses==0.26.3",
    "s3transfer==0.19.3",
    "six==1.17.0",
    "werkzeug==3.1.9",
    "xmltodict==1.0.4",
)


class S3Missing(MissingError):
    """Say why there is no such server to start, and what would provide it."""


def provide() -> Path:
    """Return the folder of its libraries, got when they are not there yet. Raise `S3Missing` with the reason."""
    given = os.environ.get(HOME)
    folder = Path(given) if given else cache() / f"moto-{VERSION}"
    if (folder / "moto").is_dir():
        return folder
    if given:
        raise S3Missing(f"{HOME}={given}: there is no moto in it")
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=folder.parent))
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-compile", "--target", str(work / "all")]
    try:
        done = subprocess.run([*command, *_WANTED], capture_output=True, text=True, timeout=SECONDS)
        if done.returncode:
            raise S3Missing(f"pip could not get moto: {(done.stderr.strip().splitlines() or ['no reason'])[-1][:300]}")
        try:
            (work / "all").rename(folder)
        except OSError:  # another process was faster
            if not (folder / "moto").is_dir():
                raise
    except subprocess.TimeoutExpired as error:
        raise S3Missing(f"pip did not get moto within {SECONDS:g} s") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def main() -> int:
    """Print where the libraries are, or why there are none."""
    return tell(provide)


if __name__ == "__main__":
    sys.exit(main())
