"""TLS and a password, at a broker that asks for both."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import trustme

from streams import settings
from streams.embedded.schema import LogUnavailableError
from streams.kafka.log import KafkaLog
from streams.kafka.reader import KafkaReader
from streams.kafka.topics import Topics

from .conftest import TOPICS, Own

pytestmark = pytest.mark.server


def test_only_who_trusts_the_broker_and_knows_the_password_gets_in(own: Own, tmp_path: Path) -> None:
    trusted, stranger, password = (tmp_path / name for name in ("ca.pem", "other.pem", "password"))
    trusted.write_bytes(own.authority.cert_pem.bytes())
    stranger.write_bytes(trustme.CA().cert_pem.bytes())
    password.write_text("a secret\n")

    def load(ca: Path, **more: str) -> settings.Settings:
        variables = {"BROKER": f"kafka://127.0.0.1:{own.secured}/tls", "KAFKA_CA_FILE": str(ca), **more}
        variables |= {"KAFKA_USERNAME": "foreshock", "KAFKA_MECHANISM": "PLAIN"}
        return settings.load({f"FORESHOCK_{name}": value for name, value in variables.items()})

    address = load(trusted, KAFKA_PASSWORD_FILE=str(password)).kafka
    wrong, unknown = load(trusted, KAFKA_PASSWORD="another").kafka, load(stranger, KAFKA_PASSWORD="a secret").kafka
    assert address is not None and wrong is not None and unknown is not None

    async def write() -> list[int]:
        topics = Topics(address, TOPICS)
        await topics.apply(await topics.plan())
        log = KafkaLog(address, TOPICS, "worker")
        await log.open()
        written = await log.produce([("observations", 0, None, b"over TLS")])
        await asyncio.to_thread(log.close)
        return written

    assert asyncio.run(write()) == [0]
    with KafkaReader(address) as log:
        assert log.read("observations", 0, 0) == [(0, None, b"over TLS")]
    for refused in (wrong, unknown):
        with pytest.raises(LogUnavailableError) as said:
            KafkaReader(refused)
        assert "secret" not in str(said.value) and "another" not in str(said.value)
