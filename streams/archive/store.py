"""Objects under names, in a folder or a bucket: written once, whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError, PreconditionError
from obstore.store import LocalStore, MemoryStore, S3Store

from streams.archive.place import ASIDE, ArchiveDamaged, ArchiveError, ArchiveUnavailable, Place
from streams.durable import flush

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig, S3Config

MOST_BYTES = 1 << 30
"""Bytes of one object, at most."""

UNFINISHED = "#"
"""What follows the name of a file that is being written, with a number: no list has it."""

LEFT_SECONDS = 3600.0
"""Seconds after which nobody writes such a file any more."""

CONNECT, ANSWER = timedelta(seconds=5), timedelta(seconds=60)
RETRIES = 3


class Store:
    """Keep objects in a place. Raise `ArchiveUnavailable` when it does not answer."""

    def __init__(self, place: Place, *, make: bool = True) -> None:
        """`make`: a folder that is not there yet."""
        self.name = place.where
        self._folder: Path | None = None
        with self._told():
            if place.is_remote:
                self._store: ObjectStore = _bucket(place)
            else:
                self._folder = place.folder
                if make:
                    self._folder.mkdir(parents=True, exist_ok=True)
                self._store = LocalStore(self._folder, mkdir=False) if self._folder.is_dir() else MemoryStore()

    def put_new(self, name: str, content: bytes) -> bool:
        """Write an object that is not there yet; False, and nothing is changed, when there is one of that name."""
        with self._told():
            try:
                if self._folder is not None:
                    _write(self._folder, name, content, os.link)
                else:
                    obstore.put(self._store, name, content, mode="create", use_multipart=False)
            except (AlreadyExistsError, PreconditionError, FileExistsError):
                return False
        return True

    def put(self, name: str, content: bytes) -> None:
        """Write an object, or replace it in one step."""
        with self._told():
            if self._folder is not None:
                _write(self._folder, name, content, os.replace)
            else:
                obstore.put(self._store, name, content, use_multipart=False)

    def get(self, name: str, most: int = MOST_BYTES) -> bytes | None:
        """Read an object of at most so many bytes; None when there is none."""
        with self._told():
            try:
                found = obstore.get(self._store, name)
            except (NotFoundError, FileNotFoundError):
                return None
            if found.meta["size"] > most:
                raise ArchiveDamaged(f"{name} has {found.meta['size']} bytes; {most} are the most that it may have")
            return bytes(found.bytes())

    def keep_aside(self, name: str) -> None:
        """Keep what an object holds, however large, under a name that says that it could not be read."""
        with self._told():
            try:
                found = bytes(obstore.get(self._store, name).bytes())
            except (NotFoundError, FileNotFoundError):
                return
        self.put_new(name + ASIDE, found)

    def names(self, prefix: str) -> list[tuple[str, int]]:
        """List the names below a prefix that ends in a slash, and their bytes, in order."""
        with self._told():
            found = [(one["path"], one["size"]) for some in obstore.list(self._store, prefix) for one in some]
        return sorted(found)

    def delete(self, names: list[str]) -> None:
        """Remove objects, in order; one that is gone already is no fault."""
        with self._told():
            for name in names:
                try:
                    obstore.delete(self._store, name)
                except (NotFoundError, FileNotFoundError):
                    continue

    def sweep(self, now: float) -> int:
        """Remove what writers that were killed have left unfinished in a folder (`now` in unix s); return how many."""
        count = 0
        with self._told():
            for file in self._folder.rglob(f"*{UNFINISHED}*") if self._folder is not None else ():
                if not file.name.rpartition(UNFINISHED)[2].isdigit():  # somebody else's
                    continue
                with suppress(FileNotFoundError):  # its writer has finished meanwhile
                    if file.stat().st_mtime < now - LEFT_SECONDS:
                        file.unlink()
                        count += 1
        return count

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except ArchiveError:
            raise
        except (BaseError, OSError, ValueError) as error:
            said = " ".join(str(error).split("\n", 1)[0].split())[:300]
            raise ArchiveUnavailable(f"the archive in {self.name} cannot be used: {said}") from error


def _write(folder: Path, name: str, content: bytes, take: Callable[[Path, Path], object]) -> None:
    """Write a file that `take` gives its name once it is on the disk, so that a loss of power leaves none in part."""
    file = folder / name
    fresh = file.with_name(f"{file.name}{UNFINISHED}{secrets.randbelow(1 << 62)}")
    _make(file.parent)
    try:
        with fresh.open("xb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        take(fresh, file)
    finally:
        fresh.unlink(missing_ok=True)
    flush(file.parent)


def _make(folder: Path) -> None:
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(exist_ok=True)
        flush(folder.parent)


def _bucket(place: Place) -> S3Store:
    config: S3Config = {"region": place.region or "us-east-1", "virtual_hosted_style_request": False}
    if place.key_id:
        config["access_key_id"], config["secret_access_key"] = place.key_id, place.secret
    client: ClientConfig = {"connect_timeout": CONNECT, "timeout": ANSWER}
    if place.endpoint:
        config["endpoint"] = place.endpoint
        client["allow_http"] = place.endpoint.startswith("http://")
    if place.ca_file:
        client["root_certificate"] = Path(place.ca_file).expanduser().read_bytes()
    retry: RetryConfig = {"max_retries": RETRIES, "retry_timeout": ANSWER}
    return S3Store(place.bucket, prefix=place.prefix or None, config=config, client_options=client, retry_config=retry)
