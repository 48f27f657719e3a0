"""Replace a file in one step, flushed to the disk: after a loss of power it is the old one or the new one, whole."""

from __future__ import annotations

import os
from pathlib import Path


def replace(file: Path, content: bytes) -> None:
    """Replace a file's content. Raise `OSError`, and leave the file as it was, when the disk takes no more."""
    fresh = file.with_suffix(file.suffix + ".new")
    with fresh.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)


def flush(path: Path) -> None:
    """Have a file's content, or a folder's names, on the disk when this returns. Raise `OSError`."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
