"""`foreshock backup` and `foreshock restore`: a data folder as one file, and back."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from scripts.commands.spoken import said
from scripts.commands.terminal import DataOption, JsonOption, configured, done, err, fail, plain, tell, warn, who
from streams import housekeeping, supervisor
from streams.backup import BackupError, Manifest, restore, take
from streams.backup_shelf import new_name, prune

_MOST_KEYS = 64 << 10


def backup(
    target: Annotated[Path, typer.Argument(help="File to write, or a folder in which it gets a name by its time.")],
    recipient: Annotated[
        list[str] | None,
        typer.Option(help="Public key of age (age1…) to encrypt it for; may be given more than once.", metavar="KEY"),
    ] = None,
    keep: Annotated[
        int, typer.Option(min=0, help="In a folder: remove all but so many of the latest; 0 removes none.")
    ] = 0,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write all that Foreshock knows into one file, while it runs: log, journal, accounts, pictures, its secret key.

    It is true to one moment; nothing has to stop or wait. Without --recipient it is not encrypted, and as secret as the
    data folder. `foreshock backup-key` makes a pair of keys.

    foreshock backup /mnt/backup --keep 14 --recipient age1…
    """
    found = configured(data=data)
    folder = target if target.is_dir() else None
    if folder is not None:
        target = folder / new_name(recipient or (), time.time())
    elif keep:
        fail(f"{target} is no folder; --keep needs one")
    try:
        with _bar("taking", quiet=as_json) as told:
            made = take(
                found.data_folder, target, version=metadata.version("foreshock"), recipients=recipient or (), told=told
            )
    except BackupError as error:
        fail(str(error))
    housekeeping.note(found, who(), "backup.taken", target.name, files=len(made.items), encrypted=bool(recipient))
    removed = prune(folder, keep) if folder is not None and keep else 0
    if as_json:
        print(msgspec.json.encode({"file": str(target), "removed": removed, **_told(made)}).decode())
        return
    if not recipient:
        warn("it is not encrypted, and holds the secret key and what people wrote: keep it as safe as the data folder")
    if found.journal_file is None:
        warn("the journal is in PostgreSQL and not in it: back that up as well, with pg_dump")
    if found.kafka:
        warn("the log is in Kafka and not in it: its topics are kept by their replicas")
    if found.history_gigabytes:
        warn("the history in the data folder is not in it: copy history/ as well where it must not be lost")
    if removed:
        tell(f"{removed} older removed")
    done(f"{target}: {len(made.items)} files, {target.stat().st_size / 1e6:.1f} MB")


def put_back(
    source: Annotated[Path, typer.Argument(help="File that `foreshock backup` wrote.", exists=True, dir_okay=False)],
    identity: Annotated[
        Path | None, typer.Option(help="File with the secret key of age.", exists=True, dir_okay=False)
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only see whether it is whole and could be put back.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a backup into the data folder, which must be empty or not there; or only see that it is whole (--check).

    Every file is held against its hash and every database is looked through before the folder appears.

    foreshock restore foreshock-20261127T020000Z.tar.gz.age --identity key.txt --data /srv/foreshock
    """
    found = configured(data=data)
    if not check and (process := supervisor.holder(found.data_folder)) is not None:
        fail(f"process {process} runs on {found.data_folder}; stop it first")
    try:
        with _bar("checking" if check else "putting back", quiet=as_json) as told:
            made = restore(source, None if check else found.data_folder, identities=_identities(identity), told=told)
    except BackupError as error:
        fail(str(error))
    if not check:
        housekeeping.note(found, who(), "backup.restored", source.name, taken=made.time, files=len(made.items))
    if as_json:
        print(msgspec.json.encode(_told(made)).decode())
        return
    taken = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(made.time))
    what = said("it is whole" if check else f"it is in {found.data_folder}; start with `foreshock run`")
    mb = f"{made.size / 1e6:.1f}"
    done(f"{len(made.items)} files, {mb} MB, taken {taken} by version {made.version}: {what}")


def new_key(target: Annotated[Path, typer.Argument(help="File for the secret key; it must not be there yet.")]) -> None:
    """Make a pair of keys for backups: the secret one in a file for its owner, the public one printed.

    Keep the secret key away from the machine whose backups it opens.

    foreshock backup-key key.txt
    """
    import pyrage  # here: few commands need it

    made = pyrage.x25519.Identity.generate()
    try:
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"# public key: {made.to_public()}\n{made}\n")
    except OSError as error:
        fail(f"cannot write {target}: {error.strerror or error}")
    print(made.to_public())


def _identities(file: Path | None) -> list[str]:
    if file is None:
        return []
    try:
        with file.open() as opened:
            lines = opened.read(_MOST_KEYS).split("\n")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"cannot read {file}: {error}")
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _told(made: Manifest) -> dict[str, object]:
    return {"time": made.time, "version": made.version, "files": len(made.items), "bytes": made.size}


@contextlib.contextmanager
def _bar(what: str, *, quiet: bool) -> Iterator[Callable[[str, int], None]]:
    columns = (TextColumn(said(what)), BarColumn(), DownloadColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=err, transient=True, disable=quiet) as progress:
        task = progress.add_task("", total=None)
        yield lambda name, count: progress.update(task, completed=count, description=plain(name))
