"""A Mosquitto that asks for TLS, a client certificate and a password, and the certificates for it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from scripts.ports import free_port
from sensors.tls import Tls
from tests.sensors.conftest import listens, mosquitto
from tests.waiting import until

PAST = datetime.now(UTC) - timedelta(days=1)


class Certificates:
    """An authority, and what it has signed, as files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.authority = trustme.CA()
        self.ca = folder / "ca.crt"
        self.authority.cert_pem.write_to_path(self.ca)

    def issue(self, name: str, identity: str, expires: datetime | None = None) -> tuple[Path, Path]:
        """Sign a certificate for an identity; give the files of it and of its key."""
        made = self.authority.issue_cert(
            identity, common_name=name, not_after=expires, not_before=expires and expires - timedelta(days=1)
        )
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        certificate.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
        made.private_key_pem.write_to_path(key)
        return certificate, key

    def client(self, name: str = "bridge", expires: datetime | None = None) -> Tls:
        """Sign a client's certificate and name all files that it needs."""
        certificate, key = self.issue(name, f"{name}.example", expires)
        return Tls(ca_file=str(self.ca), cert_file=str(certificate), key_file=str(key))


@contextmanager
def broker(
    folder: Path, certificates: Certificates, server: tuple[Path, Path], more: str = "", port: int = 0
) -> Iterator[int]:
    """Run a Mosquitto that shows the server's certificate and asks for one of the authority's."""
    port = port or free_port()
    ports = [port, *(int(found) for found in re.findall(r"^listener (\d+)", more, re.MULTILINE))]
    process = mosquitto(
        port,
        folder,
        f"cafile {certificates.ca}\ncertfile {server[0]}\nkeyfile {server[1]}\nrequire_certificate true\n"
        f"{more or 'allow_anonymous true'}\n",
    )
    try:
        until(lambda: all(map(listens, ports)))
        yield port
    finally:
        process.terminate()
        process.wait(5)


def passwords(folder: Path, user: str, password: str) -> Path:
    """Write a password file as `mosquitto_passwd` does."""
    file = folder / "passwd"
    subprocess.run(["mosquitto_passwd", "-c", "-b", str(file), user, password], check=True, capture_output=True)
    return file
