"""`foreshock simulate` as a newcomer uses it: what it says, what it publishes, and what a lost broker does to it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scripts.cli import application
from scripts.ports import free_port
from sensors import publisher as publishing
from sensors.publisher import BrokerError, Publisher
from streams.embedded import broker as embedded
from tests.integration.running import ROOT, Mqtt, environment, foreshock
from tests.waiting import until


def said(*arguments: str) -> tuple[int, str]:
    """Run the command in this process; return its exit code and all it said, on one line."""
    result = CliRunner().invoke(application(), ["simulate", *arguments, "--language", "en"], env={"COLUMNS": "200"})
    return result.exit_code, " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.output).split())


def test_list_names_every_scene_in_both_languages() -> None:
    code, output = said("--list")
    assert code == 0
    for name in ("landslide", "山体滑坡", "Gas leak", "燃气泄漏", "sensor-death"):
        assert name in output


def test_help_shows_how_to_play_a_scene_and_a_series() -> None:
    code, output = said("--help")
    assert code == 0
    assert "foreshock simulate --scene gas-leak --speed 10" in output
    assert "foreshock simulate --csv river.csv --point river-01-level-1" in output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--scene", "landslid"], "there is no scene landslid; there are"),
        (["--speed", "0"], "--speed 0: must be 1 to 3600"),
        (["--speed", "9999"], "--speed 9999: must be 1 to 3600"),
        (["--point", "river-01-level-1"], "--point goes with --csv"),
        (["--csv", "x.csv"], "--csv needs --point"),
        (["--csv", "x.csv", "--point", "river-01-level-9"], "no such point (did you mean 'river-01-level-1'?)"),
        (["--csv", "none.csv", "--point", "river-01-level-1"], "cannot read none.csv: No such file or directory"),
        (["--scene", "gas-leak", "--footage", "x.avi"], "there is a camera to film for in landslide only"),
        (["--port", "1"], "no MQTT broker at 127.0.0.1:1: Connection refused; `foreshock run` starts one"),
        (["--site", "/nowhere"], "/nowhere"),
    ],
)
def test_a_mistake_gets_a_sentence_that_helps(arguments: list[str], sentence: str) -> None:
    code, output = said(*arguments)
    assert code == 1
    assert sentence in output


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("a,b\n1,2\n", "no column 'datetime'; there are: a, b"),
        ("datetime,value\n2026-01-01,\nsoon,3\n", "has no row with both a time in datetime and a number in value"),
        ("", "is empty; a heading and rows are needed"),
        ("\x00\xff", "no column 'datetime'"),
    ],
)
def test_a_file_that_cannot_be_played_gets_a_sentence(content: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "series.csv"
    file.write_text(content)
    code, output = said("--csv", str(file), "--point", "river-01-level-1")
    assert code == 1
    assert sentence in output


# ── with a broker ──


class Broker:
    """The embedded broker on a port of its own, that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.process = embedded.start(self.port, folder)

    def kill(self) -> None:
        self.process.process.kill()
        self.process.process.wait(5)

    def start(self) -> None:
        self.process = embedded.start(self.port, self.folder)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """Run a broker."""
    started = Broker(tmp_path)
    yield started
    started.process.stop()


@pytest.mark.server
def test_a_series_is_read_as_score_reads_it_published_in_order_and_ends_now(broker: Broker, tmp_path: Path) -> None:
    file = tmp_path / "series.csv"
    file.write_text(
        "logger 7\n\ndatetime;value (m)\n13.01.2020 02:00;5,5\n13.01.2020 01:00;4,0\n13.01.2020 03:00;-9999\n"
        "13.01.2020 03:30;none\n13.01.2020 04:00;6,0\n"
    )
    listener = Mqtt(broker.port, "foreshock/readings/#")
    done = foreshock(
        *(
            "simulate",
            "--csv",
            str(file),
            "--point",
            "river-01-level-1",
            "--speed",
            "0",
            "--port",
            str(broker.port),
            "--language",
            "en",
        )
    )
    assert done.returncode == 0, done.stderr
    assert "3 readings of series.csv published to foreshock/readings/river-01/river-01-level-1" in done.stdout
    until(lambda: len(listener.heard) == 3)
    listener.close()
    heard = [json.loads(message.payload) for message in listener.heard]
    assert [one["value"] for one in heard] == [4.0, 5.5, 6.0]
    assert [heard[k + 1]["time"] - heard[k]["time"] for k in range(2)] == pytest.approx([3600, 7200], abs=0.01)
    assert time.time() - 30 < heard[-1]["time"] <= time.time()
    assert {one["quality"] for one in heard} == {"simulated"}


@pytest.mark.server
def test_sigterm_ends_a_scene_at_once(broker: Broker) -> None:
    listener = Mqtt(broker.port, "foreshock/#")
    process = subprocess.Popen(
        [*(sys.executable, "-m", "scripts.cli", "simulate", "--scene", "gas-leak"), *("--port", str(broker.port))],
        cwd=ROOT,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: listener.heard)
    process.send_signal(signal.SIGTERM)
    _, output = process.communicate(timeout=20)  # the scene itself takes minutes
    assert process.returncode == 0
    assert "SIMULATION 模拟 燃气泄漏 · Gas leak" in output
    listener.close()


@pytest.mark.server
def test_publishing_goes_on_when_a_lost_broker_is_back(broker: Broker) -> None:
    told: list[str] = []
    publisher = Publisher("127.0.0.1", broker.port, tell=told.append)
    for number in range(20):
        publisher.send("foreshock/x", b"%d" % number)
    assert publisher.flush()
    broker.kill()
    until(lambda: told, what="the sentence about the loss")
    rest = threading.Thread(target=lambda: [publisher.send("foreshock/x", b"%d" % number) for number in range(400)])
    rest.start()
    broker.start()
    until(lambda: not rest.is_alive() and publisher.flush(0.1), 20, "the rest to be acknowledged")
    publisher.close()
    assert re.fullmatch(r"lost the MQTT broker at 127\.0\.0\.1:\d+ \(.*\); publishing goes on when it is back", told[0])
    assert told[-1] == f"the MQTT broker at 127.0.0.1:{broker.port} is back"


@pytest.mark.server
def test_a_stop_ends_waiting_for_a_lost_broker(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "PATIENCE", 3600.0)
    stop, told = threading.Event(), list[str]()
    publisher = Publisher("127.0.0.1", broker.port, stop=stop, tell=told.append)
    broker.kill()
    until(lambda: told, what="the sentence about the loss")
    rest = threading.Thread(target=lambda: [publisher.send("foreshock/x", b"") for _ in range(publishing.FLIGHT + 1)])
    rest.start()
    until(lambda: publisher._sent == publishing.FLIGHT, what="all but the last to be sent")
    assert rest.is_alive(), "the last waits for the broker"
    stop.set()
    rest.join(20)
    assert not rest.is_alive()
    publisher.close()


@pytest.mark.server
def test_a_broker_that_acknowledges_nothing_is_told_apart(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "PATIENCE", 0.2)
    monkeypatch.setattr(publishing, "FLIGHT", 1)
    publisher = Publisher("127.0.0.1", broker.port)
    broker.process.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(BrokerError, match="has not acknowledged anything"):
            for _ in range(3):
                publisher.send("foreshock/x", b"")
    finally:
        broker.process.process.send_signal(signal.SIGCONT)
        publisher.close()
