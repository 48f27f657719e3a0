"""The how-to pages are followed word by word: their blocks are run, with folders and ports of the test's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from getpass import getuser
from pathlib import Path

import pytest

from scripts.ports import free_port
from streams import brokers, settings
from tests.integration.running import ROOT, environment, foreshock, running
from tests.sensors.conftest import MOSQUITTO, listens
from tests.test_docs import blocks
from tests.waiting import until

pytestmark = pytest.mark.server

PAGE = ROOT / "docs" / "how-to" / "mosquitto-tls.md"


class Reader:
    """Follow a page in one terminal: `/etc` is a folder, `sudo` does nothing but run what follows."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._bin = folder / "bin"
        self._bin.mkdir()
        (folder / "etc" / "mosquitto" / "conf.d").mkdir(parents=True)
        self._command("sudo", 'exec "$@"')
        self._command("chown", "exit 0")  # the test's user is no other
        self._command("foreshock", f'exec {sys.executable} -m scripts.cli "$@"')

    def _command(self, name: str, does: str) -> None:
        file = self._bin / name
        file.write_text(f"#!/bin/sh\n{does}\n")
        file.chmod(0o755)

    def text(self, *labels: str) -> str:
        """Give the page's blocks of some labels, in order, in the test's own folder and with its port."""
        chosen = [one.text for one in blocks(PAGE) if one.language == "sh" and one.label in labels]
        assert chosen, f"no block {labels}"
        return "\n".join(chosen).replace("/etc/", f"{self.folder}/etc/").replace("8883", str(self.port))

    def follow(self, *labels: str, **extra: str) -> str:
        """Run blocks; give what they print."""
        path = f"{self._bin}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.text(*labels)],
            env=environment(PATH=path, **extra),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.mark.skipif(MOSQUITTO is None or not shutil.which("openssl"), reason="Mosquitto or openssl is not installed")
def test_mosquitto_with_tls_and_client_certificates(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    reader.follow("prepare")
    assert oct((tmp_path / "etc/foreshock/tls/client.key").stat().st_mode)[-3:] == "600"
    main = tmp_path / "etc" / "mosquitto" / "mosquitto.conf"  # as Debian's package has it
    main.write_text(
        f"persistence true\npersistence_location {tmp_path}/\nuser {getuser()}\n"
        f"include_dir {tmp_path}/etc/mosquitto/conf.d\n"
    )
    assert MOSQUITTO is not None
    broker = subprocess.Popen([MOSQUITTO, "-c", str(main)], stderr=subprocess.DEVNULL)
    try:
        until(lambda: listens(reader.port))
        data = tmp_path / "data"
        said = reader.follow("try", FORESHOCK_DATA=str(data))
        assert "accepts the connection with TLS" in said
        [command] = reader.text("run").splitlines()
        assert command == "foreshock run --no-sim", "as `running` starts it"
        file = (tmp_path / "etc" / "foreshock" / "mqtt.env").read_text()
        given = dict(line.split("=", 1) for line in file.splitlines())
        with running(data, "--mqtt-port", str(reader.port), **given) as product:
            reader.follow("send")

            def seen() -> bool:
                said = reader.follow("see", FORESHOCK_DATA=str(data))
                return "readings 1" in said and "connected True" in said

            until(seen, what="the reading in `foreshock status`")
            assert f"{given['FORESHOCK_MQTT_HOST']}:{reader.port}, TLS" in product.said
            played = foreshock("simulate", "--history", "0.02", "--seconds", "1", "--quiet", **given)
            assert played.returncode == 0, played.stderr
    finally:
        broker.terminate()
        broker.wait(5)


def test_the_list_of_brokers_of_the_page_is_one() -> None:
    [text] = [one.text for one in blocks(PAGE) if one.label == "brokers"]
    listed = brokers.brokers(settings.load({}, mqtt_brokers=text))
    assert [one.name for one in listed] == ["main", "north", "old-gateway"]
    assert listed[1].encrypted and not listed[2].encrypted
