"""A backup holds one moment of a folder that is being written to, and is put back whole or not at all."""

from __future__ import annotations

import contextlib
import gzip
import io
import sqlite3
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest

from streams import backup
from streams.backup import BackupError, restore, take


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder as a run leaves it: databases in WAL, files, and what belongs to the processes."""
    folder = tmp_path / "data"
    for name in ("outbox", "journal", "log"):
        (folder / "run").mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(folder / f"{name}.sqlite")) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("CREATE TABLE counted (n INTEGER)")
            connection.execute("INSERT INTO counted VALUES (0)")
            connection.commit()
    (folder / "photos").mkdir()
    (folder / "photos" / "a.jpg").write_bytes(b"\xff\xd8" * 5000)
    (folder / "secret.key").write_text("s3cret")
    (folder / "log.sqlite.lock").write_text("1")
    (folder / "run" / "bridge.json").write_text("{}")
    (folder / "history" / "spool").mkdir(parents=True)
    (folder / "history" / "spool" / "000000000001.gz").write_bytes(b"waits for InfluxDB")
    (folder / "sly").symlink_to("/etc/passwd")
    return folder


def count(folder: Path, name: str) -> int:
    with contextlib.closing(sqlite3.connect(folder / f"{name}.sqlite")) as connection:
        return int(connection.execute("SELECT max(n) FROM counted").fetchone()[0])


@contextlib.contextmanager
def written(data: Path) -> Iterator[None]:
    """Write on and on to all databases, the log first, as the product does."""
    stop = threading.Event()

    def write() -> None:
        with contextlib.ExitStack() as stack:
            opened = [
                stack.enter_context(contextlib.closing(sqlite3.connect(data / f"{name}.sqlite", timeout=10)))
                for name in ("log", "journal", "outbox")
            ]
            n = 0
            while not stop.is_set():
                n += 1
                for connection in opened:
                    connection.execute("INSERT INTO counted VALUES (?)", (n,))
                    connection.commit()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_what_is_put_back_is_one_moment_and_nothing_is_ahead_of_the_log(data: Path, tmp_path: Path) -> None:
    for turn in range(5):
        with written(data):
            made = take(data, tmp_path / f"{turn}.tar.gz", version="1")
        back = tmp_path / f"back-{turn}"
        assert restore(tmp_path / f"{turn}.tar.gz", back) == made
        assert count(back, "outbox") <= count(back, "journal") <= count(back, "log")
        assert {item.name for item in made.items} == {
            "journal.sqlite", "log.sqlite", "outbox.sqlite", "photos/a.jpg", "secret.key",
        }  # fmt: skip
        assert (back / "photos" / "a.jpg").read_bytes() == (data / "photos" / "a.jpg").read_bytes()
        assert (back / "secret.key").stat().st_mode & 0o077 == 0
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"data", *(f"{turn}.tar.gz" for turn in range(5)), *(f"back-{turn}" for turn in range(5))}


def test_what_is_written_once_it_has_begun_is_not_in_it(data: Path, tmp_path: Path) -> None:
    def write(*_: object) -> None:
        for name in ("outbox", "journal", "log"):
            with contextlib.closing(sqlite3.connect(data / f"{name}.sqlite", timeout=10)) as connection:
                connection.execute("INSERT INTO counted VALUES (99)")
                connection.commit()

    take(data, tmp_path / "b", version="1", told=write)
    assert count(data, "log") == 99
    restore(tmp_path / "b", tmp_path / "back")
    assert [count(tmp_path / "back", name) for name in ("outbox", "journal", "log")] == [0, 0, 0]


def test_encrypted_it_opens_with_its_key_alone(data: Path, tmp_path: Path) -> None:
    mine, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    file = tmp_path / "b.tar.gz.age"
    made = take(data, file, version="1", recipients=[str(mine.to_public())])
    assert b"s3cret" not in file.read_bytes() and file.stat().st_mode & 0o077 == 0
    with pytest.raises(BackupError, match="encrypted: name the file of its secret key"):
        restore(file, tmp_path / "back")
    with pytest.raises(BackupError, match="cannot be decrypted"):
        restore(file, tmp_path / "back", identities=[str(other)])
    with pytest.raises(BackupError, match="no secret key of age"):
        restore(file, tmp_path / "back", identities=["key"])
    assert not (tmp_path / "back").exists()
    assert restore(file, tmp_path / "back", identities=[str(other), str(mine)]) == made
    assert gzip.decompress(pyrage.decrypt(file.read_bytes(), [mine])), "as any tool of age opens it"
    with pytest.raises(BackupError, match="no public key of age"):
        take(data, tmp_path / "c", version="1", recipients=["ssh-ed25519 AAAA"])


@pytest.mark.parametrize("sealed", [False, True])
def test_one_that_is_damaged_anywhere_is_not_put_back(data: Path, tmp_path: Path, sealed: bool) -> None:
    mine = pyrage.x25519.Identity.generate()
    file = tmp_path / "b"
    take(data, file, version="1", recipients=[str(mine.to_public())] if sealed else [])
    whole = file.read_bytes()
    for at in range(0, len(whole) - 24, max(1, len(whole) // 40)):
        broken = bytearray(whole)
        broken[at] ^= 0xFF
        for content in (bytes(broken), whole[:at]):
            file.write_bytes(content)
            try:
                restore(file, tmp_path / "back", identities=[str(mine)])
            except BackupError:
                assert not (tmp_path / "back").exists()
            else:  # a byte that means nothing, as the time in gzip's head
                assert not sealed and len(content) == len(whole)
                assert count(tmp_path / "back", "log") == 0
                (tmp_path / "back").rename(tmp_path / f"back-{at}")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_damaged_database_is_refused(data: Path, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(data / "journal.sqlite")) as connection:
        connection.executemany("INSERT INTO counted VALUES (?)", [(n,) for n in range(5000)])
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (data / "journal.sqlite").open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xff" * 4096)
    take(data, tmp_path / "b", version="1")
    with pytest.raises(BackupError, match=r"journal\.sqlite is damaged"):
        restore(tmp_path / "b", None)


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("../evil", tarfile.REGTYPE, "not put back"),
        ("/evil", tarfile.REGTYPE, "not put back"),
        ("a//b", tarfile.REGTYPE, "not put back"),
        ("link", tarfile.SYMTYPE, "no file"),
        ("device", tarfile.CHRTYPE, "no file"),
        ("folder", tarfile.DIRTYPE, "no file"),
        (backup.MANIFEST, tarfile.REGTYPE, "cannot be read"),
        ("alone", tarfile.REGTYPE, "its end is missing"),
    ],
)
def test_hostile_files_are_refused(tmp_path: Path, name: str, kind: bytes, said: str) -> None:
    file = tmp_path / "b"
    with tarfile.open(file, "w:gz") as tar:
        information = tarfile.TarInfo(name)
        information.type, information.size, information.linkname = kind, 1, "/etc/passwd"
        tar.addfile(information, io.BytesIO(b"x"))
    with pytest.raises(BackupError, match=said):
        restore(file, tmp_path / "back")
    assert not (tmp_path / "back").exists() and not (tmp_path / "evil").exists()


def test_nothing_is_overwritten_and_nothing_is_half_there(data: Path, tmp_path: Path) -> None:
    take(data, tmp_path / "b", version="1")
    with pytest.raises(BackupError, match="not empty"):
        restore(tmp_path / "b", data)
    with pytest.raises(BackupError, match="nothing has run"):
        (tmp_path / "empty").mkdir()
        take(tmp_path / "empty", tmp_path / "c", version="1")
    with pytest.raises(BackupError, match="cannot write"):
        take(data, tmp_path / "away" / "c", version="1")
    with pytest.raises(BackupError, match="no backup"):
        (tmp_path / "text").write_text("hello")
        restore(tmp_path / "text", tmp_path / "back")
    assert restore(tmp_path / "b", tmp_path / "empty").items, "an empty folder is as good as none"
