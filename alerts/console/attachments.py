"""What people put with alarms: a photo or a PDF, known by its content, and kept under the hash of its bytes."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alerts.console import messages
from alerts.console.pdf import UnfitPdf, require_still
from alerts.console.permissions import allowed
from alerts.orders import LONGEST_NAME

READ = "attachments.read"
"""What one has to be allowed to open them."""

MOST_BYTES = 6_000_000
"""Bytes of a file."""

ENDINGS = {"image/jpeg": "jpg", "application/pdf": "pdf"}
"""The types that are kept, and how their files end. A PNG is made into a JPEG, as every picture is made anew."""


class UnfitError(ValueError):
    """Say that a file cannot be taken. `reason` is counted by; `said` says it to who sent the file."""

    def __init__(self, reason: str, name: str = "") -> None:
        self.reason, self.said = reason, messages.unfit(reason, name)
        super().__init__(f"{reason} {name}".strip())


def take(written: str) -> tuple[str, bytes]:
    """Return the type and the bytes to keep of a file in base64. Raise `UnfitError` on any other than the two types.

    A picture is made anew: it holds what is seen and nothing else. A PDF stays as it is, its signature with it; what
    can be known of it without a reader has been looked at, and it is only ever downloaded.
    """
    try:
        data = base64.b64decode(written, validate=True)
    except binascii.Error as error:
        raise UnfitError("malformed") from error
    if not data:
        raise UnfitError("malformed")
    if len(data) > MOST_BYTES:
        raise UnfitError("oversized")
    if data.startswith(b"%PDF-"):
        try:
            require_still(data)
        except UnfitPdf as error:
            raise UnfitError(error.reason, error.name) from error
        return "application/pdf", data
    from sensors.camera.picture import PictureError, renewed  # here: OpenCV takes long to load

    try:
        return "image/jpeg", renewed(data)
    except PictureError as error:
        raise UnfitError("type" if error.reason == "image_type" else error.reason) from error


def keep(folder: Path, type: str, data: bytes) -> str:
    """Keep a file under the SHA-256 of its bytes, and return that."""
    from sensors.camera.snapshot import keep as keep_by_hash

    return keep_by_hash(folder, data, ENDINGS[type])


def file_of(folder: Path, sha: str, type: str) -> Path:
    """Say where a file is kept."""
    return folder / f"{sha}.{ENDINGS[type]}"


def clean_name(name: str, type: str) -> str:
    """Return a file's name without folders, control characters and its ending, which says nothing of its content."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    plain = "".join(one for one in last if unicodedata.category(one)[0] != "C").strip(" .")
    stem = plain.rpartition(".")[0] or plain or "file"
    ending = ENDINGS[type]
    return f"{stem[: LONGEST_NAME - len(ending) - 1]}.{ending}"


def shown(roles: Iterable[str], rows: list[dict[str, Any]]) -> None:
    """Say of files of alarms where they are, to those who may open them."""
    may = allowed(READ, roles)
    for row in rows:
        row["url"] = f"/api/v1/alarms/{row['alarm']}/attachments/{row['sha']}" if may else None
