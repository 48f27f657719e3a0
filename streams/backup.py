"""A data folder as one file: taken while it runs, true to one moment, and put back whole or not at all.

All databases are looked at in the same moment, each through a read transaction of its own: the outbox first and the log
last, so that what is behind catches up from the log when it is put back, and nothing is ahead of it. The file is a
`tar.gz`, and with recipients an age file (age-encryption.org) of one: both open with anybody's tools.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import shutil
import sqlite3
import stat
import tarfile
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import quote

import msgspec

from streams.durable import flush

FORMAT = 1
MANIFEST = "manifest.json"
PLAIN = ".tar.gz"
SEALED = ".tar.gz.age"

_FIRST, _LAST = "outbox.sqlite", "log.sqlite"
_SPARED = (".lock", "-wal", "-shm", "-journal", ".before", ".new", ".sock", ".tmp")
_LEFT_OUT = {
    "run",  # figures, sockets and logs of the processes that run: nobody else's
    "history",  # gigabytes that are of no one moment with the databases, and change while they are read
}
_BLOCK = 1 << 20
_MOST_FILES = 1_000_000
_MOST_MANIFEST = 256 << 20
_SPARE = 64 << 20
"""Bytes that stay free on a disk whatever is written."""

Told = Callable[[str, int], None]
"""Hears the name of the file at hand, and how many bytes have been dealt with."""


class BackupError(RuntimeError):
    """Say why a backup cannot be taken or put back: one sentence."""


class Item(msgspec.Struct, frozen=True):
    """One file of a backup: its name, its size in bytes, SHA-256."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds: its moment (unix seconds), the version that took it, its files."""

    format: int
    time: float
    version: str
    items: tuple[Item, ...]

    @property
    def size(self) -> int:
        """Return how many bytes the files have together."""
        return sum(item.size for item in self.items)


# Taking one


def take(
    data: Path, target: Path, *, version: str, recipients: Sequence[str] = (), told: Told = lambda *_: None
) -> Manifest:
    """Write a backup of a data folder, whether it runs or not; `target` appears whole or not at all.

    `recipients` are public keys of age; without any the file is not encrypted. Raise `BackupError`.
    """
    if not data.is_dir():
        raise BackupError(f"{data} is no folder")
    keys = [_recipient(one) for one in recipients]
    databases, files = contents(data)
    if not databases:
        raise BackupError(f"nothing has run in {data} yet")
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        with contextlib.ExitStack() as stack:
            held = [(path, stack.enter_context(_held(path))) for path in databases]
            moment = time.time()
            room = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent)))
            stack.callback(unfinished.unlink, missing_ok=True)
            with _sealed(unfinished, keys) as sink, gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=3) as packed:
                made = _pack(data, held, files, room, packed, moment, version, told)
            _settle(unfinished, target)
    except sqlite3.Error as error:
        raise BackupError(f"a database cannot be read: {error}; `foreshock doctor` may say more") from error
    except OSError as error:
        raise BackupError(f"cannot write {target}: {error.strerror or error}") from error
    return made


def contents(data: Path) -> tuple[list[Path], list[Path]]:
    """Return a data folder's databases, in the order in which they are looked at, and its other files."""
    databases: list[Path] = []
    files: list[Path] = []
    for folder, names, found in os.walk(data):
        here = Path(folder)
        names[:] = sorted(set(names) - _LEFT_OUT if here == data else names)
        for name in sorted(found):
            path = here / name
            if name.startswith(".") or name.endswith(_SPARED) or not stat.S_ISREG(path.lstat().st_mode):
                continue
            (databases if name.endswith(".sqlite") else files).append(path)
    databases.sort(key=lambda path: (path.name == _LAST, path.name != _FIRST, path))
    return databases, files


@contextlib.contextmanager
def _held(path: Path) -> Iterator[sqlite3.Connection]:
    """Hold a database as it is now: what is written later is not seen, and nobody has to wait."""
    connection = sqlite3.connect(
        f"file:{quote(str(path.resolve()))}?mode=ro", uri=True, timeout=10.0, isolation_level=None
    )
    try:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # only a read begins it
        yield connection
    finally:
        connection.close()


def _pack(
    data: Path,
    held: list[tuple[Path, sqlite3.Connection]],
    files: list[Path],
    room: Path,
    packed: gzip.GzipFile,
    moment: float,
    version: str,
    told: Told,
) -> Manifest:
    items: list[Item] = []
    total = 0
    with tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar:

        def add(name: str, path: Path) -> None:
            nonlocal total
            with path.open("rb") as source:
                information = tarfile.TarInfo(name)
                information.size, information.mode = os.fstat(source.fileno()).st_size, 0o600
                information.mtime = int(moment)
                counted = _Counted(source)
                tar.addfile(information, counted)
            items.append(Item(name, information.size, counted.digest()))
            total += information.size
            told(name, total)

        for path in files:
            with contextlib.suppress(FileNotFoundError):  # one that retention took meanwhile
                add(path.relative_to(data).as_posix(), path)
        for path, connection in held:
            told(path.name, total)
            copy = room / "copy"
            with contextlib.closing(sqlite3.connect(copy)) as fresh:
                connection.backup(fresh, pages=4096)
            connection.close()
            add(path.relative_to(data).as_posix(), copy)
            copy.unlink()
        made = Manifest(FORMAT, moment, version, tuple(items))
        content = msgspec.json.encode(made)
        information = tarfile.TarInfo(MANIFEST)
        information.size, information.mode, information.mtime = len(content), 0o600, int(moment)
        tar.addfile(information, io.BytesIO(content))
    return made


class _Counted:
    """A file that is hashed while it is read."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read and hash."""
        found = self._source.read(size)
        self._hash.update(found)
        return found

    def digest(self) -> str:
        return self._hash.hexdigest()


def _recipient(text: str) -> Any:
    import pyrage

    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise BackupError(f"{text.strip()[:40]!r} is no public key of age (age1…): {error}") from error


@contextlib.contextmanager
def _sealed(path: Path, keys: list[Any]) -> Iterator[IO[bytes]]:
    """Give what writes a file for its owner only, encrypted where there are keys."""
    sink = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
    if not keys:
        with sink:
            yield sink
            _flush(sink)
        return
    import pyrage

    read, write = os.pipe()

    def encrypt() -> None:
        with os.fdopen(read, "rb") as source, sink:
            pyrage.encrypt_io(source, sink, keys)
            _flush(sink)

    with _beside(encrypt) as failed, os.fdopen(write, "wb") as pipe:
        yield pipe
    if failed:
        raise OSError(f"encryption failed: {failed[0]}")


@contextlib.contextmanager
def _beside(work: Callable[[], None]) -> Iterator[list[BaseException]]:
    """Do work in a thread during a block, and wait for its end; the list then has why it failed, if it did."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield failed
    finally:
        thread.join()


def _flush(sink: IO[bytes]) -> None:
    sink.flush()
    os.fsync(sink.fileno())


def _settle(unfinished: Path, target: Path) -> None:
    unfinished.replace(target)
    flush(target.parent)


# Putting one back


def restore(
    source: Path, data: Path | None, *, identities: Sequence[str] = (), told: Told = lambda *_: None
) -> Manifest:
    """Put a backup into a folder that is not there yet, or, with None, only see that it could be.

    `identities` are secret keys of age. All files are held against the manifest, and the databases are looked through,
    before the folder appears. Raise `BackupError`.
    """
    if data is not None and data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise BackupError(f"{data} is not empty; name a folder that is not there yet, or move this one away")
    home = (data.absolute().parent if data is not None else Path(tempfile.gettempdir())).resolve()
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=home) as folder:
            room = Path(folder) / "data"
            room.mkdir(mode=0o700)
            with _opened(source, identities) as packed:
                manifest = _unpack(packed, room, told)
            _look_through(room, manifest, told)
            if data is not None:
                if data.exists():
                    data.rmdir()
                room.replace(data)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BackupError(f"{source} is damaged, or no backup: {error}") from error
    except OSError as error:
        raise BackupError(f"cannot put {source} back: {error.strerror or error}") from error
    return manifest


@contextlib.contextmanager
def _opened(source: Path, identities: Sequence[str]) -> Iterator[IO[bytes]]:
    with source.open("rb") as file:
        sealed = file.read(21) == b"age-encryption.org/v1"
        file.seek(0)
        if not sealed:
            yield file
            return
        import pyrage

        if not identities:
            raise BackupError(f"{source} is encrypted: name the file of its secret key with --identity")
        try:
            keys = [pyrage.x25519.Identity.from_str(one) for one in identities]
        except pyrage.IdentityError as error:
            raise BackupError("what was given is no secret key of age (AGE-SECRET-KEY-1…)") from error
        read, write = os.pipe()

        def decrypt() -> None:
            with os.fdopen(write, "wb") as sink:
                pyrage.decrypt_io(file, sink, keys)

        failed: list[BaseException] = []
        try:
            with _beside(decrypt) as failed, os.fdopen(read, "rb") as pipe:
                yield pipe
        except (tarfile.TarError, EOFError, zlib.error, OSError, BackupError):
            if not failed or isinstance(failed[0], BrokenPipeError):
                raise
        if failed and not isinstance(failed[0], BrokenPipeError):
            raise BackupError(f"{source} cannot be decrypted: {failed[0]}")


def _unpack(packed: IO[bytes], room: Path, told: Told) -> Manifest:
    """Unpack files one by one, each hashed; return the manifest that they agree with."""
    found: dict[str, Item] = {}
    manifest: Manifest | None = None
    total = 0
    with gzip.GzipFile(fileobj=packed, mode="rb") as plain, tarfile.open(fileobj=plain, mode="r|") as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            if content is None:
                raise BackupError(f"it holds {member.name!r}, which is no file")
            if manifest is not None:
                raise BackupError(f"it goes on with {member.name!r} after its list of files")
            if member.name == MANIFEST:
                manifest = _agreed(content.read(_MOST_MANIFEST), found)
                continue
            name = PurePosixPath(member.name)
            if name.is_absolute() or ".." in name.parts or name.as_posix() != member.name or member.name in found:
                raise BackupError(f"it holds a file of the name {member.name!r}, which is not put back")
            if len(found) == _MOST_FILES or member.size > shutil.disk_usage(room).free - _SPARE:
                raise BackupError(f"there is no room for {member.name} and what comes after it")
            path = room / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            counted = _Counted(content)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as sink:
                shutil.copyfileobj(counted, sink, _BLOCK)
                _flush(sink)
            found[member.name] = Item(member.name, member.size, counted.digest())
            total += member.size
            told(member.name, total)
        if len(plain.read(_BLOCK)) == _BLOCK:  # to the checksum at the end
            raise BackupError("it goes on after its end")
    if manifest is None:
        raise BackupError("its end is missing")
    return manifest


def _agreed(content: bytes, found: dict[str, Item]) -> Manifest:
    try:
        told = msgspec.json.decode(content, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BackupError(f"its list of files cannot be read: {error}") from error
    if told.format != FORMAT:
        raise BackupError(f"it has the format {told.format}; this version knows {FORMAT}")
    for item in told.items:
        if found.pop(item.name, None) != item:
            raise BackupError(f"its file {item.name} is missing or damaged")
    if found:
        raise BackupError(f"it holds {min(found)}, which its list does not name")
    return told


def _look_through(room: Path, manifest: Manifest, told: Told) -> None:
    for item in manifest.items:
        if not item.name.endswith(".sqlite"):
            continue
        told(item.name, manifest.size)
        try:
            with contextlib.closing(sqlite3.connect(room / item.name)) as connection:
                (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.Error as error:
            said = str(error)
        if said != "ok":
            raise BackupError(f"its database {item.name} is damaged: {said}")
