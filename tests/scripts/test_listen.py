"""`foreshock listen` at the embedded broker."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from scripts.cli import application
from scripts.ports import free_port
from sensors.site import Onvif, Signals, Site
from streams import bundle, publication, running
from streams.brokers import Broker
from streams.bundle import Bundle
from tests.scripts.conftest import publishing
from tests.streams.small_site import site

pytestmark = pytest.mark.server


def listen(
    port: int, data: Path, sent: list[tuple[str, bytes]], *arguments: str, content: Site | None = None
) -> Result:
    """Run the command while somebody publishes."""
    publication.write(data, bundle.pack(Bundle(site=content or site(), rules=())))
    where = ["--data", str(data), "--mqtt-port", str(port)]
    with publishing(port, sent):
        return CliRunner().invoke(application("listen"), ["listen", *where, "--language", "en", *arguments])


SENT = [
    ("foreshock/readings/a0/p0", b"21.5"),
    ("foreshock/readings/a0/p99", b"7"),
    ("plant/\x1b]0;x/level", b"\x1b[31m3"),
]


def test_programs_get_a_line_a_message(port: int, tmp_path: Path) -> None:
    result = listen(port, tmp_path, SENT, "--json", "--count", "9")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(lines) == 9 and result.exit_code == 0
    verdicts = {one["topic"]: one["verdict"] for one in lines}
    assert verdicts["foreshock/readings/a0/p0"] == "taken"
    assert verdicts["foreshock/readings/a0/p99"] == "refused"
    assert verdicts[SENT[2][0]] == "unheard"


def test_people_get_what_it_means_with_control_characters_escaped(port: int, tmp_path: Path) -> None:
    shown = listen(port, tmp_path, SENT, "--count", "6").stdout
    assert "p0 = 21.5 mm" in shown and "unknown_point: no point 'p99'" in shown
    assert "\x1b" not in shown and "\\x1b[31m3" in shown


def test_what_is_no_reading_is_a_line_of_its_own(port: int, tmp_path: Path) -> None:
    health = b'{"UtcTime":"2026-01-01T00:00:00Z","Source":{"Source":"1"},"Data":{"State":true}}'
    content = msgspec.structs.replace(site(), signals=Signals(onvif=(Onvif(prefix="{camera}"),)))
    topic = "cam/onvif-ej/VideoSource/ImageTooDark/&1/ImagingService"
    shown = listen(port, tmp_path, [(topic, health)], "--count", "2", content=content).stdout
    assert "camera health: black 1  cam in a0  by onvif:" in shown


def test_only_what_is_refused_and_only_what_is_asked_for(port: int, tmp_path: Path) -> None:
    result = listen(port, tmp_path, SENT, "foreshock/#", "--refused", "--json", "--count", "3")
    assert {json.loads(line)["topic"] for line in result.stdout.splitlines()} == {"foreshock/readings/a0/p99"}


def test_the_screen_is_not_flooded(port: int, tmp_path: Path) -> None:
    result = listen(port, tmp_path, SENT * 20, "--seconds", "1", "--rate", "2")
    assert 1 <= result.stdout.count("bytes\n") <= 5, "two at once, then two a second"
    between = sum(map(int, re.findall(r"… (\d+) more came", result.stdout)))
    [after] = re.findall(r"^(\d+) messages were not shown", result.stderr)
    assert between + int(after) >= 20, "what was left out is counted"


def test_no_broker_and_no_filter_are_sentences(port: int, tmp_path: Path) -> None:
    publication.write(tmp_path, bundle.pack(Bundle(site=site(), rules=())))
    where = ["listen", "--data", str(tmp_path), "--mqtt-port"]
    gone = CliRunner().invoke(application("listen"), [*where, str(free_port()), "--language", "en"])
    assert gone.exit_code == 1 and "no MQTT broker answers" in gone.stderr
    wrong = CliRunner().invoke(application("listen"), [*where, str(port), "a/#/b", "--language", "en"])
    assert wrong.exit_code == 1 and "topic filter" in wrong.stderr


def test_a_broker_that_only_the_run_knows_is_found_by_its_name(port: int, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    running.note_brokers(
        tmp_path, [Broker(name="main", host="127.0.0.1"), Broker(name="north", host="127.0.0.1", port=port)]
    )
    publication.write(tmp_path, bundle.pack(Bundle(site=site(), rules=())))
    where = ["listen", "--data", str(tmp_path), "--mqtt-port", str(free_port()), "--json", "--count", "1"]
    with publishing(port, SENT[:1]):
        found = CliRunner().invoke(application("listen"), [*where, "--language", "en", "--broker", "north"])
    assert json.loads(found.stdout)["verdict"] == "taken"
    wrong = CliRunner().invoke(application("listen"), [*where, "--language", "en", "--broker", "south"])
    assert wrong.exit_code == 1 and "there are main, north" in " ".join(wrong.stderr.split())
