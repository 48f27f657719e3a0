"""Objects under names, in a folder or a bucket: written once, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError, PreconditionError
from obstore.store import LocalStore, MemoryStore, S3Store

from streams.archive.place import ArchiveDamaged, ArchiveError, ArchiveUnavailable, Place

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig, S3Config

MOST_BYTES = 1 << 30
"""Bytes of one object, at most."""

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
                obstore.put(self._store, name, content, mode="create", use_multipart=False)
            except (AlreadyExistsError, PreconditionError):
                return False
            self._settle(name)
        return True

    def put(self, name: str, content: bytes) -> None:
        """Write an object, or replace it in one step."""
        with self._told():
            obstore.put(self._store, name, content, use_multipart=False)
            self._settle(name)

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

    def _settle(self, name: str) -> None:
        """Have a file and its name outlast a loss of power, as a bucket has what it acknowledged."""
        if self._folder is not None:
            for path in (self._folder / name, (self._folder / name).parent):
                number = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(number)
                finally:
                    os.close(number)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except ArchiveError:
            raise
        except (BaseError, OSError, ValueError) as error:
            said = " ".join(str(error).split("\n", 1)[0].split())[:300]
            raise ArchiveUnavailable(f"the archive in {self.name} cannot be used: {said}") from error


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
