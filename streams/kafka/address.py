"""Where a Kafka cluster is, what of it is ours, and how to be let in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl

SCHEME = "kafka://"
PORT = 9092
_PREFIX = re.compile(r"[A-Za-z0-9._-]{1,100}")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


class AddressError(ValueError):
    """Say what is wrong with an address or with what it takes to be let in."""


@dataclass(frozen=True, slots=True)
class Security:
    """Say how to be let in: TLS by files (PEM), SASL by name and password. Passwords are not shown."""

    tls: bool = False
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    mechanism: str = "SCRAM-SHA-512"

    def options(self) -> dict[str, Any]:
        """Return what the clients of aiokafka take. Raise `AddressError` for files that cannot be used."""
        encrypted = self.tls or bool(self.ca_file or self.cert_file)
        if self.username and self.mechanism not in MECHANISMS:
            raise AddressError(f"the SASL mechanism is {self.mechanism!r}: must be one of {', '.join(MECHANISMS)}")
        if self.username and self.mechanism == "PLAIN" and not encrypted:
            raise AddressError("SASL PLAIN without TLS would show the password to the network: use TLS or SCRAM")
        options: dict[str, Any] = {
            "security_protocol": ("SASL_" if self.username else "") + ("SSL" if encrypted else "PLAINTEXT")
        }
        if self.username:
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        if encrypted:
            options["ssl_context"] = self._context()
        return options

    def _context(self) -> ssl.SSLContext:
        import ssl  # here: most settings ask for none, and every command reads them

        for file in (self.ca_file, self.cert_file, self.key_file):
            if file and not Path(file).is_file():
                raise AddressError(f"{file}: there is no such file for the TLS of Kafka")
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
            if self.cert_file:
                context.load_cert_chain(self.cert_file, self.key_file or None)
        except (ssl.SSLError, OSError) as error:
            raise AddressError(f"the TLS files for Kafka cannot be used: {error}") from error
        return context


@dataclass(frozen=True, slots=True)
class Address:
    """Name a cluster's servers and the prefix of our topics and groups there ("" for none)."""

    servers: tuple[str, ...]
    prefix: str = ""
    security: Security = Security()

    def name(self, topic: str) -> str:
        """Return what a topic, or a group, of ours is called in the cluster."""
        return f"{self.prefix}.{topic}" if self.prefix else topic

    def ours(self, name: str) -> str | None:
        """Return what we call a topic of the cluster; None for one that is not ours."""
        if not self.prefix:
            return name
        return name[len(self.prefix) + 1 :] if name.startswith(self.prefix + ".") else None

    def options(self) -> dict[str, Any]:
        """Return what every client of aiokafka takes."""
        return {"bootstrap_servers": list(self.servers), **self.security.options()}


def parse(url: str, security: Security | None = None) -> Address:
    """Read `kafka://HOST:PORT[;kafka://HOST:PORT…][/PREFIX]`. Raise `AddressError` with what is wrong.

    What an address holds is not repeated in the error: it may hold a password.
    """
    servers, prefix = [], ""
    for part in url.split(";"):
        if not part.startswith(SCHEME):
            raise AddressError(f"each server of the cluster begins with {SCHEME}")
        try:
            split = urlsplit(part)
            port = split.port or PORT
        except ValueError as error:
            raise AddressError("a server's port is a number to 65535") from error
        if split.username or split.password:
            raise AddressError("names and passwords do not belong into the address: they have settings of their own")
        if not split.hostname:
            raise AddressError("a server has no name")
        host = f"[{split.hostname}]" if ":" in split.hostname else split.hostname
        servers.append(f"{host}:{port}")
        prefix = split.path.strip("/") or prefix
    if prefix and not _PREFIX.fullmatch(prefix):
        raise AddressError("the prefix of topics has letters, digits, '.', '_' and '-' only, at most 100")
    return Address(tuple(servers), prefix, security or Security())
