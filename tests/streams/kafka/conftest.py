"""A prefix of its own on the tests' broker, and a broker that may be killed and asks for TLS and a password too."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import NamedTuple
from uuid import uuid4

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from scripts.kafka_broker import KafkaBroker, broker
from scripts.ports import free_port
from scripts.provide_kafka import KafkaMissing
from streams.embedded.schema import TopicSpec
from streams.kafka.address import Address, parse
from streams.kafka.topics import Topics
from tests.needed import skip

TOPICS = {
    "observations": TopicSpec(4),
    "outcomes": TopicSpec(4, derived=True),
    "snapshots": TopicSpec(4, compact=True, derived=True),
}


@pytest.fixture
def address(kafka: str) -> Address:
    made = parse(f"kafka://{kafka}/k{uuid4().hex[:8]}")

    async def create() -> None:
        topics = Topics(made, TOPICS)
        await topics.apply(await topics.plan())

    asyncio.run(create())
    return made


LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"


def inline(blob: trustme.Blob) -> str:
    """Write PEM as a property's value."""
    return blob.bytes().decode().strip().replace("\n", "\\n")


def pkcs8(certificate: trustme.LeafCert) -> bytes:
    """Write a key in the one format that Kafka reads."""
    key = load_pem_private_key(certificate.private_key_pem.bytes(), None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Own(NamedTuple):
    broker: KafkaBroker
    authority: trustme.CA  # that has signed the broker's certificate
    secured: int  # the port that asks for TLS, and for "a secret" of the user foreshock


@pytest.fixture(scope="package")
def own() -> Iterator[Own]:
    """A broker for these tests alone, to be left running."""
    authority, plain, secured = trustme.CA(), free_port(), free_port()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    listeners = f"PLAINTEXT://127.0.0.1:{plain},SASL_SSL://127.0.0.1:{secured}"
    more = {
        "listeners": listeners + ",CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": listeners,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_ssl.plain.sasl.jaas.config": f'{LOGIN} user_foreshock="a secret";',
        "ssl.keystore.type": "PEM",
        "ssl.keystore.key": inline(trustme.Blob(pkcs8(certificate))),
        "ssl.keystore.certificate.chain": "\\n".join(inline(part) for part in certificate.cert_chain_pems),
    }
    try:
        with broker(more, port=plain) as one:
            yield Own(one, authority, secured)
    except KafkaMissing as missing:
        skip(str(missing))
