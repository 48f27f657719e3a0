"""Which brokers a run listens to, and what is said of settings that cannot be."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sensors.site import Frigate, Mapping, Signals
from sensors.tls import Tls
from sensors.topics import DIALECTS
from streams import brokers, settings
from streams.processes.bridge import bridge_settings
from streams.settings import Settings, SettingsError

LIST = """
- name: north
  host: north.example
  ca_file: /etc/foreshock/ca.crt
  version: 5
  username: foreshock
  share: team
  dialects: [frigate]
- {name: south, host: 10.0.0.7, qos: 2}
"""


def found(**changes: object) -> Settings:
    return settings.load({}, **changes)


def test_without_more_there_is_the_one_of_the_settings() -> None:
    [main] = brokers.brokers(found())
    assert (main.name, main.process, main.component) == ("main", "bridge", "mqtt:main")
    assert (main.address, main.encrypted) == (("127.0.0.1", 1883), None)


def test_further_ones_come_from_a_list_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "brokers.yaml"
    file.write_text(LIST)
    _, north, south = brokers.brokers(settings.load({"FORESHOCK_MQTT_BROKERS_FILE": str(file)}))
    assert (north.process, north.component) == ("bridge-north", "mqtt:north")
    assert (north.address, north.encrypted) == (("north.example", 8883), Tls(ca_file="/etc/foreshock/ca.crt"))
    assert (south.address, south.qos, south.encrypted) == (("10.0.0.7", 1883), 2, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("north", "FORESHOCK_MQTT_BROKERS"),
        ("- {name: n}", "host"),
        ("- {name: n, host: h, prot: 1}", "prot"),
        ("- {name: N!, host: h}", "a name is of a to z"),
        ("- {name: main, host: h}", "two brokers of the name main"),
        ("- {name: a, host: h}\n- {name: a, host: i}", "two brokers of the name a"),
        ("- {name: a, host: h, port: 70000}", "a: port 70000"),
        ("- {name: a, host: h, cert_file: x}", "needs both cert_file and key_file"),
        ("- {name: a, host: h, share: a/b}", "the name of a group"),
        ("- {name: a, host: h, client_id: 'a#'}", "client_id"),
        ("- {name: a, host: h, keepalive: 0}", "keepalive 0"),
        ("- {name: a, host: h, receive_maximum: 0}", "receive_maximum 0"),
        ("- {name: a, host: h, qos: 3}", "qos"),
        ("- {name: a, host: h, version: 3}", "version"),
        ("- {name: a, host: h, dialects: [morse]}", "there is no morse; there are native, mapped"),
        ("- {name: a, host: ''}", "host"),
        ("\n".join(f"- {{name: b{k}, host: h}}" for k in range(33)), "33 brokers; at most 32"),
        ("- {name: a, host: h", "FORESHOCK_MQTT_BROKERS"),
    ],
)
def test_a_list_that_cannot_be_is_refused_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        brokers.brokers(found(mqtt_brokers=text))
    assert said in str(caught.value)
    assert "FORESHOCK_MQTT_BROKERS" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MQTT_VERSION", "4", "must be 3.1.1 or 5"),
        ("MQTT_QOS", "3", "must be 0, 1 or 2"),
        ("MQTT_KEEPALIVE", "1", "keepalive 1"),
        ("MQTT_SHARE", "a+", "the name of a group"),
        ("MQTT_CERT_FILE", "/a", "both cert_file and key_file"),
    ],
)
def test_the_settings_of_the_main_one_are_held_to_the_same(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        brokers.brokers(settings.load({f"FORESHOCK_{name}": value}))
    assert said in str(caught.value)


def test_a_bridge_gets_its_brokers_settings_and_a_password_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    one = brokers.Broker(
        name="north",
        host="h",
        tls=True,
        version=5,
        username="u",
        password_file=str(tmp_path / "secret"),
        share="team",
        qos=2,
        receive_maximum=7,
    )
    given = bridge_settings(one, found(data=str(tmp_path)), "pre")
    assert (given.host, given.port, given.tls, given.version) == ("h", 8883, Tls(), 5)
    assert (given.username, given.password, given.share, given.qos) == ("u", "s3cret", "team", 2)
    assert (given.receive_maximum, given.source) == (7, "bridge-north"), "the quarantine names the broker"
    assert given.status_topic == f"pre/status/{given.client_id}"
    quiet = bridge_settings(msgspec.structs.replace(one, status=False, client_id="c"), found(data=str(tmp_path)), "pre")
    assert (quiet.status_topic, quiet.client_id) == ("", "c")
    gone = msgspec.structs.replace(one, password_file="/nowhere")
    with pytest.raises(SettingsError, match="north: cannot read /nowhere: No such file"):
        gone.password(found())


def test_a_folder_keeps_its_client_id_and_no_two_have_the_same(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    [main] = brokers.brokers(found())
    ids = [bridge_settings(main, found(data=str(folder)), "p").client_id for folder in (first, first, second)]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0].startswith("foreshock-bridge"), "the embedded broker knows bridges by it"
    (first / "mqtt-client").write_text("damaged\x00")
    assert brokers.identity(first) == brokers.identity(first)


def test_a_broker_may_be_for_some_dialects_only() -> None:
    signals = Signals(mapped=(Mapping(topic="a/{point}", point="{point}"),), frigate=(Frigate(),))
    assert brokers.chosen(signals, ()) == signals
    assert brokers.chosen(signals, ["frigate"]) == Signals(native="", frigate=signals.frigate)
    assert brokers.chosen(signals, ["native"]) == Signals()


def test_a_dialect_that_needs_order_is_not_shared() -> None:
    shared = brokers.brokers(found(mqtt_share="team"))
    with pytest.raises(SettingsError, match=r"MQTT_SHARE \(main\): frigate cannot be shared"):
        brokers.require_shareable(shared, Signals(frigate=(Frigate(),)))
    brokers.require_shareable(shared, Signals())
    brokers.require_shareable(brokers.brokers(found()), Signals(frigate=(Frigate(),)))
    brokers.require_shareable([msgspec.structs.replace(shared[0], dialects=("native",))], Signals(frigate=(Frigate(),)))


def test_every_dialect_can_be_named() -> None:
    assert {*DIALECTS} <= {*brokers.DIALECTS}
