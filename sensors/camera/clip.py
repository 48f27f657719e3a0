"""The moving clip of an alarm: small pictures of the seconds around it, in one file beside its still.

The file is a line of JSON, `{"frames": [[unix seconds, bytes], …]}`, and the JPEG pictures one after the other: every
browser shows them, no decoder is needed, and each has the time at which it was seen.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path

WIDE = 480
"""Pixels: a clip shows what moves, the stills beside it show detail."""

QUALITY = 70
"""Of its JPEG pictures, 0..100."""

MOST_BYTES = 4_000_000
"""Of a clip; a longer one has fewer pictures a second."""

LEAST = 3
"""Pictures that something can be seen to move in."""

ENDING = "clip"


def packed(frames: Sequence[tuple[float, bytes]]) -> bytes:
    """Write pictures (unix time, JPEG), the oldest first, as a clip of at most `MOST_BYTES` and a line."""
    while len(frames) > LEAST and sum(len(picture) for _, picture in frames) > MOST_BYTES:
        frames = frames[::2]
    head = json.dumps({"frames": [[round(at, 3), len(picture)] for at, picture in frames]})
    return b"".join((head.encode(), b"\n", *(picture for _, picture in frames)))


def unpacked(clip: bytes) -> list[tuple[float, bytes]]:
    """Read a clip back. Raise `ValueError` on what is none."""
    head, sign, rest = clip.partition(b"\n")
    if not sign:
        raise ValueError("no clip: its first line does not end")
    found, at = [], 0
    for time, size in json.loads(head)["frames"]:
        found.append((float(time), rest[at : at + size]))
        at += size
    if at != len(rest):
        raise ValueError(f"no clip: {len(rest)} bytes of pictures, {at} are told of")
    return found


def file_of(folder: Path, name: str) -> Path:
    """Name the file of a clip, by the name of the still that it is about."""
    return folder / f"{name}.{ENDING}"


def keep_clip(folder: Path, name: str, frames: Sequence[tuple[float, bytes]]) -> bool:
    """Keep a clip beside the still `name`; False where too few pictures show anything move. Raise `OSError`."""
    if len(frames) < LEAST:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f".{name}.{os.getpid()}.{threading.get_ident()}.{ENDING}"
    with fresh.open("wb") as out:
        out.write(packed(frames))
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file_of(folder, name))
    return True
