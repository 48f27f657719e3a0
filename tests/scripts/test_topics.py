"""`foreshock topics`: what it says where there is no Kafka to ask."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from scripts import cli
from scripts.ports import free_port
from streams import settings
from streams.kafka.topics import settings_of
from streams.topics import OBSERVATIONS, OUTCOMES, QUARANTINE, SCORES, SNAPSHOTS
from streams.topics_held import topic_specs


def test_the_embedded_log_needs_no_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORESHOCK_BROKER", raising=False)
    asked = CliRunner().invoke(cli.application("topics"), ["topics", "apply"])
    assert asked.exit_code == 1 and "FORESHOCK_BROKER=kafka://HOST:PORT" in asked.stderr


def test_a_cluster_that_is_away_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORESHOCK_BROKER", f"kafka://127.0.0.1:{free_port()}/site")
    asked = CliRunner().invoke(cli.application("topics"), ["topics", "apply", "--yes"])
    assert asked.exit_code == 1 and "Kafka cannot be reached" in asked.stderr


def test_what_reads_the_file_refuses_kafka_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORESHOCK_BROKER", "kafka://host/site")
    monkeypatch.setattr("sys.argv", ["foreshock", "replay"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert "embedded log only" in capsys.readouterr().err


def test_retention_and_compaction_become_kafkas_settings() -> None:
    specs = topic_specs(settings.load({}, retention_days=2, retention_gigabytes=8), 4)
    assert set(specs) == {OBSERVATIONS, OUTCOMES, SCORES, QUARANTINE, SNAPSHOTS}
    kept = settings_of(specs[OBSERVATIONS], 3)
    assert kept["retention.ms"] == str(2 * 86_400_000) and kept["retention.bytes"] == "2000000000"
    assert (kept["cleanup.policy"], kept["min.insync.replicas"]) == ("delete", "2")
    assert settings_of(specs[SNAPSHOTS], 1)["cleanup.policy"] == "compact"
    derived = {name for name, spec in specs.items() if spec.derived}
    assert derived == {OUTCOMES, SCORES, SNAPSHOTS}, "what sensors write has offsets without holes"
