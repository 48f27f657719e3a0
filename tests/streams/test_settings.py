from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from rich.pretty import pretty_repr
from sqlalchemy import make_url
from yarl import URL

from alerts.journal import Journal
from alerts.queries import Reader
from streams import settings
from streams.processes.console import Backlog


def test_defaults_work_without_any_environment() -> None:
    found = settings.load({})
    assert found.host == "127.0.0.1"
    assert found.broker_url.startswith("sqlite:///")


def test_environment_is_read_and_an_override_wins() -> None:
    found = settings.load({"FORESHOCK_PORT": "9000", "FORESHOCK_WEBHOOK_PRIVATE": "true"}, port=9001, host=None)
    assert (found.port, found.webhook_private, found.host) == (9001, True, "127.0.0.1")


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret\n")
    assert settings.load({"FORESHOCK_WEBHOOK_SECRET_FILE": str(tmp_path / "key")}).webhook_secret == "s3cret"


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"FORESHOCK_PORT": "many"}, "FORESHOCK_PORT"),
        ({"FORESHOCK_PORT": "70000"}, "FORESHOCK_PORT"),
        ({"FORESHOCK_SYNCHRONOUS": "maybe"}, "FORESHOCK_SYNCHRONOUS"),
        ({"FORESHOCK_LOG_LEVEL": "loud"}, "FORESHOCK_LOG_LEVEL"),
        ({"FORESHOCK_HOMEASSISTANT_PREFIX": "home/#"}, "FORESHOCK_HOMEASSISTANT_PREFIX"),
        ({"FORESHOCK_MQTT_PASSWORD_FILE": "/nowhere/at/all"}, "FORESHOCK_MQTT_PASSWORD_FILE"),
        ({"FORESHOCK_MOMENTS_MEGABYTES": "-1"}, "FORESHOCK_MOMENTS_MEGABYTES"),
        ({"FORESHOCK_REPLAY_MEGABYTES": "nan"}, "FORESHOCK_REPLAY_MEGABYTES"),
        ({"FORESHOCK_PERSONAL_DAYS": "-1"}, "FORESHOCK_PERSONAL_DAYS"),
        ({"FORESHOCK_ARCHIVE": "ftp://x/y"}, "FORESHOCK_ARCHIVE: ftp:// is not supported"),
        ({"FORESHOCK_ARCHIVE": "s3:///x"}, "FORESHOCK_ARCHIVE: write s3://BUCKET/PREFIX"),
        ({"FORESHOCK_ARCHIVE": "data/archive"}, "outside the data folder"),
        ({"FORESHOCK_ARCHIVE": "s3://key:secret@bucket"}, "not into the name"),
        ({"FORESHOCK_ARCHIVE": "s3://b", "FORESHOCK_ARCHIVE_KEY_ID": "k"}, "go together"),
        ({"FORESHOCK_ARCHIVE": "s3://b", "FORESHOCK_ARCHIVE_ENDPOINT": "http://10.0.0.7:9000"}, "must be https"),
        ({"FORESHOCK_ARCHIVE_MINUTES": "0"}, "FORESHOCK_ARCHIVE_MINUTES"),
        ({"FORESHOCK_ARCHIVE_DAYS": "-1"}, "FORESHOCK_ARCHIVE_DAYS"),
    ],
)
def test_a_bad_value_names_its_variable(environment: dict[str, str], named: str) -> None:
    with pytest.raises(settings.SettingsError, match=named):
        settings.load(environment)


def test_the_reference_page_is_current() -> None:
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    assert page.read_text(encoding="utf-8") == settings.reference()


CLUSTER = {
    "FORESHOCK_CLUSTER": "true",
    "FORESHOCK_BROKER": "kafka://a:9092/site",
    "FORESHOCK_JOURNAL": "postgresql+psycopg://ann@db/foreshock",
    "FORESHOCK_MQTT_HOST": "mqtt.example",
    "FORESHOCK_CLUSTER_KEY": "ab" * 32,
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"FORESHOCK_BROKER": ""}, "FORESHOCK_BROKER"),
        ({"FORESHOCK_JOURNAL": ""}, "FORESHOCK_JOURNAL"),
        ({"FORESHOCK_MQTT_HOST": ""}, "FORESHOCK_MQTT_HOST"),
        ({"FORESHOCK_CLUSTER_KEY": "short"}, "64 hexadecimal digits"),
        ({"FORESHOCK_PROCESSES": "console"}, "name it in FORESHOCK_PROCESSES"),
        ({"FORESHOCK_PROCESSES": "worker,kitchen"}, "there is no kitchen"),
        ({"FORESHOCK_CLUSTER": "", "FORESHOCK_PROCESSES": "worker"}, "only a run of a cluster"),
        ({"FORESHOCK_HEARTBEAT_SECONDS": "1"}, "must be 5 to 3600"),
        ({"FORESHOCK_HEARTBEAT_MAIL_SECONDS": "60"}, "must be 600 to 604800"),
    ],
)
def test_what_runs_share_has_to_be_where_all_reach_it(changed: dict[str, str], said: str) -> None:
    found = settings.load(CLUSTER)
    assert found.accounts_at == found.outbox_at == found.journal_url
    environment = {name: value for name, value in {**CLUSTER, **changed}.items() if value}
    with pytest.raises(settings.SettingsError, match=said):
        settings.load(environment)


def test_every_setting_has_a_meaning() -> None:
    assert all(meaning for *_, meaning in settings.described())


def test_the_log_is_the_file_that_the_broker_setting_names(tmp_path: Path) -> None:
    named = tmp_path / "other place" / "a#b.sqlite"
    found = settings.load({"FORESHOCK_BROKER": f"sqlite:///{named}"})
    assert found.log_file == named
    assert Path(URL(found.broker_url).path[1:]) == named, "as the worker reads it"
    assert Backlog(found)._where == named
    assert settings.load({"FORESHOCK_DATA": str(tmp_path)}).log_file == tmp_path / "log.sqlite"


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "a b%20#?&=水"
    folder.mkdir()
    found = settings.load({"FORESHOCK_DATA": str(folder)})
    journal = Journal(found.journal_url)
    journal.close()
    Reader(found.journal_url).close()
    Reader(folder / "journal.sqlite").close()
    assert (folder / "journal.sqlite").is_file()
    assert [file.name for file in tmp_path.iterdir()] == [folder.name], "nothing was made beside it"
    assert Path(URL(found.broker_url).path[1:]) == folder / "log.sqlite", "as the worker reads it"


@pytest.mark.parametrize("broker", ["amqp://me:secret@host", "sqlite:///", "log.sqlite", "sqlite://log"])
def test_another_log_is_not_supported(broker: str) -> None:
    with pytest.raises(settings.SettingsError, match="not supported: use sqlite:///PATH or kafka://") as caught:
        settings.load({"FORESHOCK_BROKER": broker})
    assert "secret" not in str(caught.value)


def test_no_command_and_no_process_knows_the_name_of_the_log() -> None:
    root = Path(__file__).parents[2]
    files = [file for folder in ("streams/processes", "scripts") for file in (root / folder).rglob("*.py")]
    assert not [file.name for file in files if '/ "log.sqlite"' in file.read_text(encoding="utf-8")]


@pytest.mark.parametrize(
    ("address", "password", "url"),
    [
        ("postgresql+psycopg://ann@db/foreshock", "p@ss/word", "postgresql+psycopg://ann:p%40ss%2Fword@db/foreshock"),
        ("postgresql+psycopg://ann@db:5433/foreshock", "", "postgresql+psycopg://ann@db:5433/foreshock"),
        ("postgresql+psycopg://ann@/foreshock?host=/run/pg", "x", "postgresql+psycopg://ann:x@/foreshock?host=/run/pg"),
    ],
)
def test_the_journal_may_be_in_a_database_elsewhere(tmp_path: Path, address: str, password: str, url: str) -> None:
    (tmp_path / "secret").write_text(password + "\n")
    environment = {"FORESHOCK_JOURNAL": address, "FORESHOCK_JOURNAL_PASSWORD_FILE": str(tmp_path / "secret")}
    found = settings.load(environment)
    assert (found.journal_url, found.journal_file) == (url, None)
    read = make_url(found.journal_url)
    assert (read.username, read.password or "") == ("ann", password)


@pytest.mark.parametrize(
    "address",
    [
        "mysql://ann@db/foreshock",
        "postgresql+psycopg://",
        "db/foreshock",
        "postgresql+psycopg://ann:secret@db/foreshock",
        "postgresql+psycopg://db/foreshock?password=secret",
        "postgresql+psycopg://db/foreshock",
    ],
)
def test_an_address_of_a_journal_that_cannot_be_is_refused_and_tells_no_password(address: str) -> None:
    with pytest.raises(settings.SettingsError, match="FORESHOCK_JOURNAL:") as caught:
        settings.load({"FORESHOCK_JOURNAL": address, "FORESHOCK_JOURNAL_PASSWORD": "hidden"})
    assert "secret" not in str(caught.value) and "hidden" not in str(caught.value)


INFLUX = {"FORESHOCK_INFLUX_URL": "https://influx.example:8086", "FORESHOCK_INFLUX_TOKEN": "t0ken"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"FORESHOCK_INFLUX_URL": "ftp://influx.example"}, "write http"),
        ({"FORESHOCK_INFLUX_URL": "https://ann:pw@influx.example"}, "no name or password"),
        ({"FORESHOCK_INFLUX_URL": "http://influx.example:8086"}, "use https beyond this machine"),
        ({"FORESHOCK_INFLUX_URL": "https://influx.example:port"}, "a port is"),
        ({"FORESHOCK_INFLUX_TOKEN": ""}, "FORESHOCK_INFLUX_TOKEN_FILE"),
        ({"FORESHOCK_INFLUX_TOKEN": "two\nlines"}, "FORESHOCK_INFLUX_TOKEN_FILE"),
        ({"FORESHOCK_INFLUX_BUCKET": 'a" |> drop()'}, "FORESHOCK_INFLUX_BUCKET"),
        ({"FORESHOCK_INFLUX_SPOOL_MEGABYTES": "0"}, "must be above 0"),
        ({"FORESHOCK_HISTORY_DAYS": "0"}, "FORESHOCK_HISTORY_DAYS"),
        ({"FORESHOCK_HISTORY_GIGABYTES": "nan"}, "FORESHOCK_HISTORY_GIGABYTES"),
    ],
)
def test_a_history_elsewhere_is_reached_safely_or_not_at_all(changed: dict[str, str], said: str) -> None:
    assert settings.load(INFLUX).influx_token == "t0ken"
    assert settings.load({**INFLUX, "FORESHOCK_INFLUX_URL": "http://127.0.0.1:8086"})
    assert settings.load({**INFLUX, "FORESHOCK_INFLUX_URL": "http://db:8086", "FORESHOCK_INFLUX_HTTP": "true"})
    with pytest.raises(settings.SettingsError, match=said) as refused:
        settings.load({**INFLUX, **changed})
    assert "pw" not in str(refused.value) and "t0ken" not in str(refused.value)


@pytest.mark.parametrize("shown", [repr, pretty_repr])
def test_no_secret_is_shown_with_the_settings(shown: Callable[[object], str]) -> None:
    secrets = [name for name, _, _, meaning in settings.described() if meaning.startswith("Secret:")]
    assert {"archive_secret", "kafka_password", "influx_token"} <= set(secrets)
    found = msgspec.structs.replace(
        settings.Settings(archive="s3://bucket/site"), **{name: f"hidden-{name}" for name in secrets}
    )
    assert "hidden-" not in shown(found) and "archive_secret='…'" in shown(found)
    assert "archive='s3://bucket/site'" in shown(found) and "archive_secret=''" in shown(settings.Settings())
    assert "hidden-" not in shown(found.archive_place) and "where='s3://bucket/site'" in shown(found.archive_place)
