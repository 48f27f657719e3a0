"""Where an archive is: a folder, or a bucket of S3 or of a storage that speaks as S3 does."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

from streams.discreet import Discreet
from streams.embedded.schema import LogError

S3 = "s3://"

ASIDE = ".unreadable"
"""What follows the name of an object that was put aside."""


class ArchiveError(LogError):
    """Say why the archive cannot do what was asked: one sentence. It is read as a log is."""


class ArchiveUnavailable(ArchiveError):
    """Say that the place does not answer, or refuses: the same may succeed later."""


class ArchiveDamaged(ArchiveError):
    """Say what in the archive is not as it was written."""


class Place(Discreet, frozen=True, kw_only=True):
    """Name a place: `where` is a folder's path or s3://BUCKET/PREFIX. Without a key the machine's own role is asked."""

    where: str
    endpoint: str = ""
    region: str = ""
    key_id: str = ""
    secret: str = ""
    ca_file: str = ""

    @property
    def is_remote(self) -> bool:
        """Whether it is a bucket."""
        return self.where.startswith(S3)

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self.where.removeprefix(S3).partition("/")[0]

    @property
    def prefix(self) -> str:
        """What all names in the bucket begin with."""
        return self.where.removeprefix(S3).partition("/")[2].strip("/")

    @property
    def folder(self) -> Path:
        """The folder as an absolute path."""
        return Path(self.where).expanduser().resolve()

    def require_sound(self) -> None:
        """Raise `ValueError` with what is wrong with it."""
        if not self.is_remote:
            if "://" in self.where:
                raise ValueError(f"{self.where.partition('://')[0][:40]}:// is not supported: name a folder or {S3}…")
            return
        if not self.bucket:
            raise ValueError(f"write {S3}BUCKET/PREFIX")
        if "@" in self.where or "?" in self.where:
            raise ValueError("put the key into ARCHIVE_KEY_ID and the file of ARCHIVE_SECRET_FILE, not into the name")
        if bool(self.key_id) != bool(self.secret):
            raise ValueError("ARCHIVE_KEY_ID and ARCHIVE_SECRET go together")
        if self.endpoint:
            parts = urlsplit(self.endpoint)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
                raise ValueError("ARCHIVE_ENDPOINT must be https://HOST[:PORT]")
            if parts.scheme == "http" and not _is_loopback(parts.hostname):
                raise ValueError("ARCHIVE_ENDPOINT must be https: beyond this machine what is sent could be read")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
