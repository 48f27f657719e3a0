"""TLS towards the broker: what is trusted, what is shown, and the sentence for each thing that can be wrong."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import load
from scripts.ports import free_port
from sensors import tls
from sensors.bridge import BridgeSettings
from sensors.probe import probe
from sensors.tls import Tls, TlsError
from tests.sensors.conftest import MOSQUITTO, mosquitto
from tests.sensors.secured import PAST, Certificates, broker, passwords
from tests.sensors.test_bridge import Sink, publisher, running
from tests.waiting import until

needs_mosquitto = [pytest.mark.server, pytest.mark.skipif(MOSQUITTO is None, reason="Mosquitto is not installed")]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def test_a_context_checks_certificate_and_name(certificates: Certificates) -> None:
    made = tls.context(certificates.client())
    assert made.verify_mode is ssl.CERT_REQUIRED and made.check_hostname


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda good: Tls(ca_file="/nowhere/ca.crt"), "cannot read /nowhere/ca.crt: No such file"),
        (lambda good: Tls(cert_file=good.cert_file), "needs both a certificate file and a key file"),
        (lambda good: Tls(ca_file=good.key_file), "holds no certificates to trust"),
        (lambda good: Tls(cert_file=good.cert_file, key_file=good.ca_file), "are no certificate and open key"),
    ],
)
def test_files_that_cannot_be_used_are_named(
    certificates: Certificates, change: Callable[[Tls], Tls], said: str
) -> None:
    with pytest.raises(TlsError, match=said):
        tls.context(change(certificates.client()))


def test_a_key_of_another_certificate_is_named(certificates: Certificates) -> None:
    first, second = certificates.client("one"), certificates.client("two")
    with pytest.raises(TlsError, match=r"the key in .*two\.key does not belong to .*one\.crt"):
        tls.context(Tls(cert_file=first.cert_file, key_file=second.key_file))


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("marks", [pytest.param(None, marks=needs_mosquitto)])
def test_readings_come_over_tls_with_a_client_certificate(
    certificates: Certificates, tmp_path: Path, version: int, marks: None
) -> None:
    plain = free_port()
    more = f"allow_anonymous true\nlistener {plain} 127.0.0.1\nallow_anonymous true"
    sink = Sink()
    with (
        broker(tmp_path, certificates, certificates.issue("server", "127.0.0.1"), more) as port,
        running(port, sink, tls=certificates.client(), version=version) as bridge,
        publisher(plain) as client,
    ):
        assert until(lambda: bridge.connected)
        assert bridge.trouble == ""
        for k in range(300):
            client.publish("foreshock/readings/a0/p0", str(k), qos=k % 3)
        assert until(lambda: len(sink.values()) == 300)
        # more than a TLS record, and than one read, holds: nothing may be left lying in the library
        connection = load.Connection(port=plain)
        packets = load.Frames(
            "foreshock/frames/a0", [point.id for point in load.bench_site(100, 10).points], 100, qos=1
        )
        made = load.run(connection, packets, 40_000, 0.5)
        connection.close()
        assert until(lambda: len(sink.values()) == 300 + made["readings"])
        assert until(lambda: bridge.figures()["unlogged"] == 0)


class Wrong:
    """A way in which a connection cannot come about: what the broker and the bridge are given."""

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        self.folder, self.good = folder, certificates
        self.other = Certificates(folder / "other")
        self.server = certificates.issue("server", "127.0.0.1")
        self.client = certificates.client()
        self.more = ""
        self.login: dict[str, str] = {}

    def wrong_authority(self) -> str:
        self.client = Tls(ca_file=str(self.other.ca), cert_file=self.client.cert_file, key_file=self.client.key_file)
        return "its certificate is from an authority that is not trusted here"

    def expired_server(self) -> str:
        self.server = self.good.issue("late", "127.0.0.1", PAST)
        return "its certificate has expired"

    def other_name(self) -> str:
        self.server = self.good.issue("elsewhere", "broker.example")
        return "its certificate is for another"

    def no_client_certificate(self) -> str:
        self.client = Tls(ca_file=str(self.good.ca))
        return "it asks for a client certificate"

    def expired_client(self) -> str:
        self.client = self.good.client("old", PAST)
        return "it says that our client certificate has expired"

    def foreign_client(self) -> str:
        theirs = self.other.client()
        self.client = Tls(ca_file=str(self.good.ca), cert_file=theirs.cert_file, key_file=theirs.key_file)
        return "it does not trust the authority of our client certificate"

    def wrong_password(self) -> str:
        self.more = f"allow_anonymous false\npassword_file {passwords(self.folder, 'foreshock', 's3cret')}"
        self.login = {"username": "foreshock", "password": "wrong"}
        return "wrong user name or password"

    def missing_file(self) -> str:
        self.client = Tls(ca_file=str(self.folder / "gone.crt"))
        return f"cannot read {self.folder / 'gone.crt'}"


WAYS = sorted(name for name in vars(Wrong) if not name.startswith("_"))


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("way", [pytest.param(way, marks=needs_mosquitto) for way in WAYS])
def test_what_is_wrong_is_said_in_a_sentence(
    certificates: Certificates, tmp_path: Path, way: str, version: int
) -> None:
    case = Wrong(tmp_path, certificates)
    said = getattr(case, way)()
    with broker(tmp_path, certificates, case.server, case.more) as port:
        with running(port, Sink(), tls=case.client, version=version, **case.login) as bridge:
            assert until(lambda: bridge.figures()["waits"] > 1 and said in bridge.trouble, what=said)
            assert f"127.0.0.1:{port}" in bridge.trouble and not bridge.connected
            assert "s3cret" not in bridge.trouble
        found = probe("127.0.0.1", port, tls=case.client, version="5" if version == 5 else "3.1.1", **case.login)
        assert said in found


@pytest.mark.parametrize("marks", [pytest.param(None, marks=needs_mosquitto)])
def test_tls_and_no_tls_do_not_meet(certificates: Certificates, tmp_path: Path, marks: None) -> None:
    port = free_port()
    process = mosquitto(port, tmp_path)
    try:
        with running(port, Sink(), tls=certificates.client()) as bridge:
            assert until(lambda: bridge.trouble)
            assert "TLS" in bridge.trouble
    finally:
        process.terminate()
        process.wait(5)
    with (
        broker(tmp_path, certificates, certificates.issue("server", "127.0.0.1")) as port,
        running(port, Sink()) as bridge,
    ):
        assert until(lambda: "TLS may be on" in bridge.trouble)


@pytest.mark.parametrize("marks", [pytest.param(None, marks=needs_mosquitto)])
def test_new_certificates_are_used_from_the_next_connection_on(
    certificates: Certificates, tmp_path: Path, marks: None
) -> None:
    client = certificates.client("renewed", PAST)
    server = certificates.issue("server", "127.0.0.1")
    with (
        broker(tmp_path, certificates, server) as port,
        running(port, Sink(), tls=client, retry_most=0.2) as bridge,
    ):
        assert until(lambda: "has expired" in bridge.trouble)
        assert certificates.client("renewed") == client, "the same files"
        assert until(lambda: bridge.connected)
        assert bridge.trouble == ""


def test_a_broker_that_never_answers_a_handshake_is_given_up(certificates: Certificates) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        said = probe("127.0.0.1", silent.getsockname()[1], tls=certificates.client(), seconds=0.3)
        assert said == "no answer in time"
        assert time.monotonic() - begun < 5
    assert BridgeSettings().tls is None
