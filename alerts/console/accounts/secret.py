"""The key that signs cookies and CSRF tokens: 32 random bytes in the data folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

LENGTH = 32


def keep_key(folder: Path | str, digits: str) -> None:
    """Have a data folder go by a key that it shares with others, 64 hexadecimal digits; one that it had goes."""
    path = Path(folder) / "secret.key"
    if path.exists() and path.read_bytes() == bytes.fromhex(digits):
        return
    draft = path.with_name(f".secret.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(bytes.fromhex(digits))
    draft.replace(path)


def read_key(folder: Path | str) -> bytes:
    """Read `secret.key` of the data folder, made with mode 0600 if there is none.

    Raise `PermissionError` when others may read it, `ValueError` when it is not a key.
    """
    path = Path(folder) / "secret.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".secret.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(LENGTH))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # fails if another process was first: then its key is the key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    if path.stat().st_mode & 0o077:
        raise PermissionError(f"{path}: others can read this key; run chmod 600 on it, or delete it to make a new one")
    key = path.read_bytes()
    if len(key) < LENGTH:
        raise ValueError(f"{path}: not a key of {LENGTH} bytes; delete it to make a new one")
    return key
