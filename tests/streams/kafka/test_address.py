"""Where a cluster is and how to be let in, as settings say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams import settings
from streams.kafka.address import AddressError, Security, parse


def test_servers_and_prefix_are_read_in_all_their_forms() -> None:
    one = parse("kafka://a")
    assert (one.servers, one.prefix, one.name("observations")) == (("a:9092",), "", "observations")
    many = parse("kafka://a:1;kafka://[::1]:2/site-1")
    assert (many.servers, many.prefix) == (("a:1", "[::1]:2"), "site-1")
    assert many.name("outcomes") == "site-1.outcomes"
    assert (many.ours("site-1.outcomes"), many.ours("other.outcomes")) == ("outcomes", None)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("kafka://user:secret@host", "settings of their own"),
        ("kafka://a;http://b", "begins with kafka://"),
        ("kafka://", "no name"),
        ("kafka://host:70000", "port"),
        ("kafka://host/a b", "prefix"),
        ("kafka://host/a/b", "prefix"),
    ],
)
def test_a_bad_address_is_refused_without_repeating_it(url: str, said: str) -> None:
    with pytest.raises(AddressError, match=said) as refused:
        parse(url)
    assert "secret" not in str(refused.value)
    with pytest.raises(settings.SettingsError, match="FORESHOCK_BROKER"):
        settings.load({"FORESHOCK_BROKER": url})


def test_tls_and_sasl_become_the_clients_options(tmp_path: Path) -> None:
    assert Security().options() == {"security_protocol": "PLAINTEXT"}
    scram = Security(username="u", password="p").options()
    assert (scram["security_protocol"], scram["sasl_mechanism"]) == ("SASL_PLAINTEXT", "SCRAM-SHA-512")
    both = Security(tls=True, username="u", password="p", mechanism="PLAIN").options()
    assert both["security_protocol"] == "SASL_SSL" and both["ssl_context"].check_hostname
    assert "'p'" not in repr(Security(username="u", password="p"))


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"KAFKA_USERNAME": "u", "KAFKA_MECHANISM": "GSSAPI"}, "must be one of PLAIN"),
        ({"KAFKA_USERNAME": "u", "KAFKA_MECHANISM": "PLAIN"}, "use TLS or SCRAM"),
        ({"KAFKA_CA_FILE": "/nowhere.pem"}, "/nowhere.pem: there is no such file"),
        ({"KAFKA_CA_FILE": __file__}, "cannot be used"),
        ({"KAFKA_REPLICATION": "0"}, "must be 1 to 9"),
        ({"KAFKA_SESSION_SECONDS": "1.9"}, "must be 2 to 60"),
    ],
)
def test_settings_that_cannot_be_used_are_named(variables: dict[str, str], said: str) -> None:
    given = {f"FORESHOCK_{name}": value for name, value in variables.items()}
    with pytest.raises(settings.SettingsError, match=said):
        settings.load({"FORESHOCK_BROKER": "kafka://host", **given})


def test_what_needs_the_embedded_log_says_so() -> None:
    found = settings.load({"FORESHOCK_BROKER": "kafka://host/site", "FORESHOCK_DATA": "/data"})
    assert found.kafka is not None and found.kafka.prefix == "site"
    assert (found.broker_url, found.log_folder) == ("kafka://host/site", Path("/data"))
    with pytest.raises(settings.SettingsError, match="embedded log only"):
        _ = found.log_file
