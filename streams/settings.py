"""Every setting once: name, environment variable, default and meaning; `docs/settings.md` is generated from here."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints
from urllib.parse import quote, urlsplit

import msgspec

from alerts.policy import Policy
from streams.archive.place import Place
from streams.discreet import Discreet
from streams.kafka.address import SCHEME, Address, AddressError, Security, parse

PREFIX = "FORESHOCK_"
SQLITE = "sqlite:///"
POSTGRESQL = "postgresql+psycopg"
PROCESSES = ("worker", "bridge", "console", "notifier", "camera", "history", "archiver")
STATUS = "status"
"""The level under the site's prefix where each bridge retains whether it is there."""

_HEADER = re.compile(r"[\x21-\x7e]+")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")


class SettingsError(ValueError):
    """Raised when a setting has a value that it cannot have; names the variable and what it wants."""


class Settings(Discreet, frozen=True, kw_only=True):
    """All settings of a run, each read from the environment variable FORESHOCK_<NAME>, or its <NAME>_FILE."""

    site: Annotated[str, "Folder of the site: areas, points, cameras, rules, units."] = "examples/district"
    data: Annotated[str, "Folder for the log, the journal, snapshots and keys."] = "data"
    broker: Annotated[
        str,
        "The log: sqlite:///PATH, empty for log.sqlite in the data folder, or a Kafka cluster as "
        "kafka://HOST:PORT[;kafka://HOST:PORT][/PREFIX OF ITS TOPICS].",
    ] = ""
    kafka_tls: Annotated[bool, "Use TLS towards Kafka; any of the three files asks for it too."] = False
    kafka_ca_file: Annotated[str, "Certificates to trust at Kafka (PEM); empty trusts the system's."] = ""
    kafka_cert_file: Annotated[str, "Our client certificate for Kafka (PEM)."] = ""
    kafka_key_file: Annotated[str, "The key of that certificate (PEM, not encrypted)."] = ""
    kafka_username: Annotated[str, "User name at Kafka (SASL)."] = ""
    kafka_password: Annotated[str, "Secret: password at Kafka."] = ""
    kafka_mechanism: Annotated[str, "SASL mechanism: SCRAM-SHA-512, SCRAM-SHA-256, or PLAIN, which needs TLS."] = (
        "SCRAM-SHA-512"
    )
    kafka_replication: Annotated[int, "Brokers that keep a copy of each record; 3 where there are three."] = 1
    kafka_session_seconds: Annotated[
        float,
        "Seconds without a heartbeat after which another worker takes over: 2 to 60; below 6, Kafka's own "
        "least has to be lowered too (group.min.session.timeout.ms).",
    ] = 8.0
    kafka_standby: Annotated[
        bool,
        "Keep the state of what other runs of the cluster work on as well, a second behind them: who takes over then "
        "has it at hand. It costs each run the memory and the CPU of the whole site.",
    ] = False
    journal: Annotated[
        str,
        "The journal's database, postgresql+psycopg://USER@HOST/NAME; empty is journal.sqlite in the data folder.",
    ] = ""
    journal_password: Annotated[str, "Secret: password at that database."] = ""
    cluster: Annotated[
        bool,
        "Several runs share this site: the log is in Kafka; journal, accounts and deliveries are in one PostgreSQL.",
    ] = False
    cluster_key: Annotated[
        str, "Secret: 64 hexadecimal digits, the same for all runs of a cluster; they sign cookies and codes."
    ] = ""
    processes: Annotated[
        str,
        "The processes that this run starts, of worker,bridge,console,notifier,camera,history,archiver; "
        "empty: all it needs.",
    ] = ""
    mqtt_host: Annotated[str, "MQTT broker to listen to; empty starts the embedded one on loopback."] = ""
    mqtt_port: Annotated[int, "Port of the MQTT broker, embedded or not."] = 1883
    mqtt_username: Annotated[str, "User name at the MQTT broker."] = ""
    mqtt_password: Annotated[str, "Secret: password at the MQTT broker."] = ""
    mqtt_version: Annotated[str, "Version of MQTT at the MQTT broker: 3.1.1 or 5."] = "3.1.1"
    mqtt_tls: Annotated[bool, "Use TLS towards the MQTT broker; any of the three files asks for it too."] = False
    mqtt_ca_file: Annotated[str, "Certificates to trust at the MQTT broker (PEM); empty trusts the system's."] = ""
    mqtt_cert_file: Annotated[
        str, "Our client certificate for the MQTT broker (PEM), read anew at each connection."
    ] = ""
    mqtt_key_file: Annotated[str, "The key of that certificate (PEM, not encrypted)."] = ""
    mqtt_qos: Annotated[int, "QoS of the subscriptions: 0, 1 or 2. With 0 a break loses readings."] = 1
    mqtt_client_id: Annotated[
        str, "The bridge's client id; empty makes one of this data folder's own, kept in mqtt-client."
    ] = ""
    mqtt_share: Annotated[
        str, "Group of a shared subscription, for several bridges on one broker; empty subscribes alone."
    ] = ""
    mqtt_dialects: Annotated[
        str, "Dialects that are listened to at the MQTT broker, separated by commas; empty for all that the site has."
    ] = ""
    mqtt_keepalive: Annotated[int, "Seconds of silence after which broker and bridge ask each other."] = 30
    mqtt_receive_maximum: Annotated[
        int, "MQTT 5: messages that the broker may send ahead of what the log has taken, 1 to 65535."
    ] = 20_000
    mqtt_status: Annotated[bool, "Retain online, and offline as a last will, under <prefix>/status/<client id>."] = True
    mqtt_brokers: Annotated[str, "Further MQTT brokers, as YAML; best in the file that the variable's _FILE names."] = (
        ""
    )
    host: Annotated[str, "Address the console listens on. Loopback unless you say otherwise."] = "127.0.0.1"
    port: Annotated[int, "Port of the console and the HTTP API."] = 8700
    second_step: Annotated[
        bool, "Administrators give a code (TOTP) beside their password: who has none sets it up before anything else."
    ] = False
    sign_in: Annotated[
        str, "File of the OpenID Connect provider by which people sign in; empty is sign-in.yaml of the site, if any."
    ] = ""
    webhook_url: Annotated[str, "Where dispatch events are posted, signed; empty posts nowhere."] = ""
    webhook_secret: Annotated[str, "Secret: key of the webhook's HMAC-SHA256 signature."] = ""
    webhook_private: Annotated[bool, "Allow a webhook target in a private address range."] = False
    webhook_exercise: Annotated[bool, "Also post what is only simulated, marked so."] = False
    heartbeat_url: Annotated[
        str, "Where signs of life are posted, signed, for as long as the main way works; empty posts none."
    ] = ""
    heartbeat_secret: Annotated[str, "Secret: key of their HMAC-SHA256 signature."] = ""
    heartbeat_seconds: Annotated[float, "Seconds between two signs of life: 5 to 3600."] = 60.0
    heartbeat_private: Annotated[bool, "Allow a receiver in a private address range."] = False
    heartbeat_mail: Annotated[
        str, "Target of the file of targets (`kind: mail`) that gets signs of life by mail; empty mails none."
    ] = ""
    heartbeat_mail_seconds: Annotated[
        float, "Seconds between two mails that all works: 600 to 604800. That it does not is mailed at once."
    ] = 86400.0
    notify: Annotated[
        str,
        "File of further targets (mail, chats, webhooks) and their texts; empty is notify.yaml of the site, if any.",
    ] = ""
    pdf_font: Annotated[
        str, "Font file (.ttf, .otf, .ttc) with Chinese glyphs that sheets are printed with; empty takes the system's."
    ] = ""
    backup_folder: Annotated[
        str, "Folder of backups that the console lists, and takes on demand; empty: none from there."
    ] = ""
    backup_recipient: Annotated[str, "Public key of age (age1…) that backups taken from the console are for."] = ""
    homeassistant_prefix: Annotated[
        str, "Home Assistant's discovery prefix, under which areas appear as its devices; empty announces none."
    ] = ""
    synchronous: Annotated[str, "How hard the log is flushed: NORMAL survives kill -9, FULL survives power loss."] = (
        "NORMAL"
    )
    snapshot_seconds: Annotated[float, "Seconds between snapshots of the engine's state."] = 30.0
    retention_days: Annotated[float, "Days of observations and outcomes kept in the log."] = 30.0
    journal_days: Annotated[float, "Days for which the journal keeps cases that are over; 0 keeps them for good."] = (
        1825.0
    )
    personal_days: Annotated[
        float, "Days after which names and what people wrote are taken out of cases that are over; 0 leaves them."
    ] = 365.0
    report_days: Annotated[float, "Days for which people's reports are kept; 0 keeps them for good."] = 90.0
    moments_megabytes: Annotated[
        float, "Most megabytes of states that are kept, hourly for a day, then daily, for replays of any past hour."
    ] = 1000.0
    replay_megabytes: Annotated[
        float, "Most megabytes of scores that replays keep, so that the next costs its rules alone; 0 keeps none."
    ] = 2000.0
    retention_gigabytes: Annotated[float, "Most gigabytes of observations kept in the log."] = 20.0
    archive: Annotated[
        str, "Where every observation is kept beyond the log: a folder, or s3://BUCKET/PREFIX; empty keeps no archive."
    ] = ""
    archive_endpoint: Annotated[
        str, "Address of a storage that speaks as S3 does, with https and its port; empty is S3 itself."
    ] = ""
    archive_region: Annotated[str, "Region of the bucket; empty is us-east-1."] = ""
    archive_key_id: Annotated[str, "Access key at the bucket; empty asks for the role of the machine."] = ""
    archive_secret: Annotated[str, "Secret: the secret key that belongs to it."] = ""
    archive_ca_file: Annotated[str, "Certificates to trust at that address beside the system's (PEM)."] = ""
    archive_minutes: Annotated[
        float, "Minutes of the clock that a segment of the archive holds, and that it is behind at most: 1 to 1440."
    ] = 60.0
    archive_days: Annotated[float, "Days for which the archive is kept; 0 keeps it for good."] = 365.0
    archive_gigabytes: Annotated[float, "Most gigabytes of it, the oldest go first; 0 is without bound."] = 0.0
    quarantine_days: Annotated[float, "Days for which refused messages are kept."] = 30.0
    quarantine_megabytes: Annotated[float, "Most megabytes of refused messages kept; the oldest go first."] = 500.0
    history_days: Annotated[float, "Days for which each reading is kept in the history, with its score."] = 90.0
    history_minute_days: Annotated[float, "Days for which the history keeps minutes: lowest, highest, mean, last."] = (
        730.0
    )
    history_hour_days: Annotated[float, "Days for which it keeps hours, and alarms; 0 keeps them for good."] = 0.0
    history_gigabytes: Annotated[
        float,
        "Most gigabytes of history in the data folder, the oldest readings go first; 0 keeps none, and starts nothing.",
    ] = 0.0
    influx_url: Annotated[
        str, "Address of an InfluxDB 2 that keeps the history, http(s)://HOST:PORT; empty: the data folder may."
    ] = ""
    influx_token: Annotated[str, "Secret: token at InfluxDB."] = ""
    influx_org: Annotated[str, "Organisation at InfluxDB."] = "foreshock"
    influx_bucket: Annotated[
        str, "Bucket of readings there; those of minutes, hours and alarms are named after it."
    ] = "foreshock"
    influx_ca_file: Annotated[str, "Certificates to trust at InfluxDB (PEM); empty trusts the system's."] = ""
    influx_http: Annotated[bool, "Allow http:// beyond this machine: readings and token could be read on the way."] = (
        False
    )
    influx_spool_megabytes: Annotated[
        float, "Most megabytes that wait on disk while InfluxDB is away; what comes after them stays in the log."
    ] = 1000.0
    traces_url: Annotated[
        str,
        "Where traces are sent, OTLP over HTTP: an address that ends in :4318/v1/traces, mostly; empty traces nothing.",
    ] = ""
    traces_token: Annotated[str, "Secret: bearer token there."] = ""
    traces_ca_file: Annotated[str, "Certificates to trust there (PEM); empty trusts the usual ones."] = ""
    traces_share: Annotated[
        float, "Share, 0 to 1, of observations that are traced though nothing came of them; alarms are always."
    ] = 0.0
    frame_floor_ms: Annotated[
        float,
        "Least milliseconds between two frames of one partition; up to seven times that under load.",
    ] = 6.0
    hung_seconds: Annotated[
        float, "Seconds without a sign of life after which a process is killed; 0 lets it hang."
    ] = 20.0
    snapshot_pictures: Annotated[
        int, "Pictures that a camera keeps of one alarm, from 10 s before it to 5 s after: 1 to 16."
    ] = 4
    clip_rate: Annotated[
        float, "Small pictures a second of the moving clip that a camera keeps of an alarm, 1 to 10; 0 keeps none."
    ] = 4.0
    snapshot_days: Annotated[float, "Days after which a kept picture is removed."] = 90.0
    snapshot_megabytes: Annotated[float, "Megabytes of kept pictures beyond which the oldest are removed."] = 5000.0
    log_level: Annotated[str, "DEBUG, INFO, WARNING or ERROR, in run/<process>.log; the terminal gets warnings."] = (
        "INFO"
    )

    @classmethod
    def hides(cls, name: str) -> bool:
        """Tell whether a setting is a secret: its meaning begins with that."""
        return name in _secrets()

    @property
    def data_folder(self) -> Path:
        """The data folder as an absolute path."""
        return Path(self.data).expanduser().resolve()

    @property
    def kept(self) -> float:
        """For how many seconds the log is kept: no rule looks back further."""
        return self.retention_days * 86400.0

    @property
    def site_folder(self) -> Path:
        """The site's folder as an absolute path."""
        return Path(self.site).expanduser().resolve()

    @property
    def notify_file(self) -> Path | None:
        """The file of further targets as an absolute path; None when none is set and the site has none."""
        if self.notify:
            return Path(self.notify).expanduser().resolve()
        file = self.site_folder / "notify.yaml"  # sensors.registry.NOTIFY, which takes long to load
        return file if file.is_file() else None

    @property
    def sign_in_file(self) -> Path | None:
        """The provider's file as an absolute path; None when none is set and the site has none."""
        if self.sign_in:
            return Path(self.sign_in).expanduser().resolve()
        file = self.site_folder / "sign-in.yaml"  # sensors.registry.SIGN_IN
        return file if file.is_file() else None

    @property
    def kafka(self) -> Address | None:
        """The cluster that keeps the log; None when the log is a file. Raise `SettingsError` for a bad address."""
        if not self.broker.startswith(SCHEME):
            return None
        try:
            return parse(self.broker, self._security)
        except AddressError as error:
            raise SettingsError(f"{PREFIX}BROKER: {error}") from error

    @property
    def _security(self) -> Security:
        return Security(
            tls=self.kafka_tls,
            ca_file=self.kafka_ca_file,
            cert_file=self.kafka_cert_file,
            key_file=self.kafka_key_file,
            username=self.kafka_username,
            password=self.kafka_password,
            mechanism=self.kafka_mechanism,
        )

    @property
    def log(self) -> Path | Address:
        """Where the log is: a file's absolute path, or a Kafka cluster. Raise `SettingsError` for neither."""
        return self.kafka or self.log_file

    @property
    def log_folder(self) -> Path:
        """Where the worker keeps states for replays: beside the log's file, or in the data folder."""
        return self.data_folder if self.kafka else self.log_file.parent

    @property
    def log_file(self) -> Path:
        """The log's file as an absolute path. Raise `SettingsError` when `broker` names something else."""
        if not self.broker:
            return self.data_folder / "log.sqlite"
        if self.broker.startswith(SCHEME):
            raise SettingsError(f"{PREFIX}BROKER: this works on the embedded log only, and the log is in Kafka")
        path = self.broker.removeprefix(SQLITE)
        if path in ("", self.broker):
            scheme = self.broker.partition("://")[0][:40]  # what follows may hold a password
            raise SettingsError(f"{PREFIX}BROKER: {scheme} is not supported: use {SQLITE}PATH or {SCHEME}HOST:PORT")
        return Path(path).expanduser().resolve()

    @property
    def broker_url(self) -> str:
        """The log's address, with the default filled in."""
        return self.broker if self.kafka else SQLITE + quote(str(self.log_file))

    @property
    def log_options(self) -> dict[str, Any]:
        """What the application's log takes beside its address."""
        if self.kafka:
            return {"security": self._security, "session_seconds": self.kafka_session_seconds}
        return {"synchronous": self.synchronous}

    @property
    def archive_place(self) -> Place | None:
        """Where the archive is; None when none is kept."""
        if not self.archive:
            return None
        return Place(
            where=self.archive,
            endpoint=self.archive_endpoint,
            region=self.archive_region,
            key_id=self.archive_key_id,
            secret=self.archive_secret,
            ca_file=self.archive_ca_file,
        )

    @property
    def policy(self) -> Policy:
        """How long the journal keeps what."""
        return Policy(cases=self.journal_days, personal=self.personal_days, reports=self.report_days)

    @property
    def journal_url(self) -> str:
        """The journal's address: that of its database with the password, or `sqlite:///` and its path as it stands."""
        if self.journal_file is not None:
            return f"{SQLITE}{self.journal_file}"
        scheme, _, rest = self.journal.partition("://")
        user, at, place = rest.rpartition("@")
        secret = f":{quote(self.journal_password, safe='')}" if self.journal_password else ""
        return f"{scheme}://{user}{secret}{at}{place}"

    @property
    def journal_file(self) -> Path | None:
        """The journal's file; None when it is in a database elsewhere."""
        return None if self.journal else self.data_folder / "journal.sqlite"

    @property
    def accounts_at(self) -> Path | str:
        """The account store: a file of the data folder, or in a cluster the journal's database."""
        return self.journal_url if self.cluster else self.data_folder / "accounts.sqlite"

    @property
    def outbox_at(self) -> Path | str:
        """The notifier's memory: a file of the data folder, or in a cluster the journal's database."""
        return self.journal_url if self.cluster else self.data_folder / "outbox.sqlite"

    @property
    def wanted(self) -> frozenset[str]:
        """The processes that this run is to start; empty for all that it needs."""
        return frozenset(name for part in self.processes.split(",") if (name := part.strip()))

    @property
    def keeps_history(self) -> bool:
        """Tell whether readings are kept for longer than the log keeps them: elsewhere, or in the data folder."""
        return bool(self.influx_url) or (self.history_gigabytes > 0 and not self.cluster)

    @property
    def hub_path(self) -> Path:
        """The worker's local socket."""
        return self.data_folder / "run" / "hub.sock"


def described() -> Iterator[tuple[str, str, Any, str]]:
    """Yield (name, environment variable, default, meaning) of every setting, in order."""
    hints = get_type_hints(Settings, include_extras=True)
    for field in msgspec.structs.fields(Settings):
        meaning = get_args(hints[field.name])[1] if get_origin(hints[field.name]) is Annotated else ""
        yield field.name, PREFIX + field.name.upper(), field.default, meaning


@cache
def _secrets() -> frozenset[str]:
    return frozenset(name for name, _, _, meaning in described() if meaning.startswith("Secret:"))


def load(environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read the settings from the environment; `overrides` that are not None win.

    Raise `SettingsError` naming the variable that cannot be used.
    """
    environment = os.environ if environment is None else environment
    found: dict[str, Any] = {}
    for name, variable, default, _ in described():
        text = environment.get(variable)
        file = environment.get(variable + "_FILE")
        if file:
            try:
                text = Path(file).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingsError(f"{variable}_FILE: cannot read {file}: {error.strerror}") from error
        if text is None:
            continue
        try:
            found[name] = msgspec.convert(text, type(default), strict=False)
        except msgspec.ValidationError as error:
            raise SettingsError(f"{variable}={text!r}: {error}") from error
    found.update({name: value for name, value in overrides.items() if value is not None})
    try:
        settings = msgspec.convert(found, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(str(error)) from error
    if settings.synchronous not in ("NORMAL", "FULL"):
        raise SettingsError(f"{PREFIX}SYNCHRONOUS={settings.synchronous!r}: must be NORMAL or FULL")
    if settings.log_level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise SettingsError(f"{PREFIX}LOG_LEVEL={settings.log_level!r}: must be DEBUG, INFO, WARNING or ERROR")
    prefix = settings.homeassistant_prefix
    if prefix.strip("/") != prefix or set(prefix) & set("+#\0"):
        raise SettingsError(f"{PREFIX}HOMEASSISTANT_PREFIX={prefix!r}: levels between '/', without '+' and '#'")
    if settings.mqtt_version not in ("3.1.1", "5"):
        raise SettingsError(f"{PREFIX}MQTT_VERSION={settings.mqtt_version!r}: must be 3.1.1 or 5")
    if settings.mqtt_qos not in (0, 1, 2):
        raise SettingsError(f"{PREFIX}MQTT_QOS={settings.mqtt_qos}: must be 0, 1 or 2")
    if not 1 <= settings.snapshot_pictures <= 16:
        raise SettingsError(f"{PREFIX}SNAPSHOT_PICTURES={settings.snapshot_pictures}: must be 1 to 16")
    if settings.clip_rate != 0 and not 1 <= settings.clip_rate <= 10:
        raise SettingsError(f"{PREFIX}CLIP_RATE={settings.clip_rate}: must be 1 to 10, or 0")
    for name in ("snapshot_days", "snapshot_megabytes"):
        if not getattr(settings, name) > 0:
            raise SettingsError(f"{PREFIX}{name.upper()}={getattr(settings, name)}: must be above 0")
    for name in (
        "moments_megabytes",
        "replay_megabytes",
        "journal_days",
        "personal_days",
        "report_days",
        "archive_days",
        "archive_gigabytes",
    ):
        if not getattr(settings, name) >= 0:
            raise SettingsError(f"{PREFIX}{name.upper()}={getattr(settings, name)}: must be 0 or more")
    _require_log(settings)
    _check_archive(settings)
    _check_journal(settings)
    _check_cluster(settings)
    _check_history(settings)
    _check_traces(settings)
    if not 5 <= settings.heartbeat_seconds <= 3600:
        raise SettingsError(f"{PREFIX}HEARTBEAT_SECONDS={settings.heartbeat_seconds:g}: must be 5 to 3600")
    if not 600 <= settings.heartbeat_mail_seconds <= 604800:
        raise SettingsError(
            f"{PREFIX}HEARTBEAT_MAIL_SECONDS={settings.heartbeat_mail_seconds:g}: must be 600 to 604800"
        )
    for name in ("mqtt_port", "port"):
        if not 0 <= getattr(settings, name) <= 65535:
            raise SettingsError(f"{PREFIX}{name.upper()}={getattr(settings, name)}: a port is 0 to 65535")
    return settings


def _check_archive(settings: Settings) -> None:
    """Check where the archive is to be; what is told of it holds no secret."""
    if (place := settings.archive_place) is not None:
        try:
            place.require_sound()
        except ValueError as error:
            raise SettingsError(f"{PREFIX}ARCHIVE: {error}") from error
        if not place.is_remote and place.folder.is_relative_to(settings.data_folder):
            raise SettingsError(f"{PREFIX}ARCHIVE: put it outside the data folder: each backup would hold it, too")
    if not 1 <= settings.archive_minutes <= 1440:
        raise SettingsError(f"{PREFIX}ARCHIVE_MINUTES={settings.archive_minutes:g}: must be 1 to 1440")


def _check_journal(settings: Settings) -> None:
    """Check where the journal is to be; what is told of it holds no password."""
    if not settings.journal:
        return
    scheme, _, rest = settings.journal.partition("://")
    if scheme != POSTGRESQL or not rest:
        raise SettingsError(f"{PREFIX}JOURNAL: write {POSTGRESQL}://USER@HOST/NAME, or leave it empty for a file")
    user, _, _ = rest.rpartition("@")
    if ":" in user or "password=" in rest:
        raise SettingsError(f"{PREFIX}JOURNAL: put the password into the file that {PREFIX}JOURNAL_PASSWORD_FILE names")
    if settings.journal_password and not user:
        raise SettingsError(f"{PREFIX}JOURNAL: name the user whose password it is, as {POSTGRESQL}://USER@HOST/NAME")
    if find_spec("psycopg") is None:
        raise SettingsError(f"{PREFIX}JOURNAL: PostgreSQL needs its driver: pip install 'foreshock[postgresql]'")


def _check_cluster(settings: Settings) -> None:
    """Check that what runs of a cluster share can be shared."""
    unknown = settings.wanted - set(PROCESSES)
    if unknown:
        raise SettingsError(f"{PREFIX}PROCESSES: there is no {min(unknown)[:40]}; there are {', '.join(PROCESSES)}")
    if not settings.cluster:
        if settings.wanted:
            raise SettingsError(f"{PREFIX}PROCESSES: only a run of a cluster may leave some to others")
        return
    wrong = ""
    if settings.kafka is None:
        wrong = f"keep the log in Kafka: set {PREFIX}BROKER"
    elif settings.journal_file is not None:
        wrong = f"keep the journal in PostgreSQL: set {PREFIX}JOURNAL"
    elif not settings.mqtt_host:
        wrong = f"name the MQTT broker that all of them listen to: set {PREFIX}MQTT_HOST"
    elif not re.fullmatch("[0-9a-f]{64}", settings.cluster_key):
        wrong = f"put the same 64 hexadecimal digits (openssl rand -hex 32) into each run's {PREFIX}CLUSTER_KEY_FILE"
    elif settings.wanted and "worker" not in settings.wanted:
        wrong = f"the other processes of a run speak through its worker: name it in {PREFIX}PROCESSES"
    if wrong:
        raise SettingsError(f"{PREFIX}CLUSTER: {wrong}")


def _check_history(settings: Settings) -> None:
    """Check where the history is to be, and for how long; what is told of an address holds no password."""
    for name in ("history_days", "history_minute_days"):
        if not getattr(settings, name) >= 1:
            raise SettingsError(f"{PREFIX}{name.upper()}={getattr(settings, name):g}: must be 1 or more")
    for name in ("history_hour_days", "history_gigabytes"):
        if not getattr(settings, name) >= 0:
            raise SettingsError(f"{PREFIX}{name.upper()}={getattr(settings, name):g}: must be 0 or more")
    if not settings.influx_url:
        return
    wrong = _wrong_address("INFLUX", settings.influx_url, "http(s)://HOST:PORT")
    if not wrong and not settings.influx_http and _is_plain(settings.influx_url):
        wrong = f"{PREFIX}INFLUX_URL: use https beyond this machine, or set {PREFIX}INFLUX_HTTP=true"
    elif wrong:
        pass
    elif not settings.influx_token or not _HEADER.fullmatch(settings.influx_token):
        wrong = f"{PREFIX}INFLUX_TOKEN: put the token into the file that {PREFIX}INFLUX_TOKEN_FILE names"
    elif not settings.influx_org or not _BUCKET.fullmatch(settings.influx_bucket):
        wrong = f"{PREFIX}INFLUX_ORG, {PREFIX}INFLUX_BUCKET: name both; a bucket of letters, digits, '.', '_' and '-'"
    elif not settings.influx_spool_megabytes > 0:
        wrong = f"{PREFIX}INFLUX_SPOOL_MEGABYTES={settings.influx_spool_megabytes:g}: must be above 0"
    if wrong:
        raise SettingsError(wrong)


def _check_traces(settings: Settings) -> None:
    """Check where traces are to be sent; what is told of an address holds no password."""
    if not 0 <= settings.traces_share <= 1:
        raise SettingsError(f"{PREFIX}TRACES_SHARE={settings.traces_share:g}: must be 0 to 1")
    if not settings.traces_url:
        return
    wrong = _wrong_address("TRACES", settings.traces_url, "https://HOST:4318/v1/traces")
    if not wrong and _is_plain(settings.traces_url):
        wrong = f"{PREFIX}TRACES_URL: use https beyond this machine"
    elif not wrong and settings.traces_token and not _HEADER.fullmatch(settings.traces_token):
        wrong = f"{PREFIX}TRACES_TOKEN: put the token into the file that {PREFIX}TRACES_TOKEN_FILE names"
    elif not wrong and find_spec("opentelemetry.exporter") is None:
        wrong = f"{PREFIX}TRACES_URL: traces need OpenTelemetry: pip install 'foreshock[traces]'"
    if wrong:
        raise SettingsError(wrong)


def _wrong_address(name: str, address: str, form: str) -> str:
    """Say what is wrong with an address whose token is a setting of its own; empty when nothing is."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        return f"{PREFIX}{name}_URL: write {form}"
    if "@" in parts.netloc:
        return f"{PREFIX}{name}_URL: no name or password in it; the token is in the file of {PREFIX}{name}_TOKEN_FILE"
    try:
        _ = parts.port
    except ValueError:
        return f"{PREFIX}{name}_URL: a port is 0 to 65535"
    return ""


def _is_plain(address: str) -> bool:
    """Tell whether an address sends what others could read on the way."""
    parts = urlsplit(address)
    return parts.scheme == "http" and not _is_here(parts.hostname or "")


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _require_log(settings: Settings) -> None:
    where = settings.log
    if isinstance(where, Path):
        return
    try:
        where.security.options()
    except AddressError as error:
        raise SettingsError(f"{PREFIX}KAFKA_…: {error}") from error
    if not 1 <= settings.kafka_replication <= 9:
        raise SettingsError(f"{PREFIX}KAFKA_REPLICATION={settings.kafka_replication}: must be 1 to 9")
    if not 2 <= settings.kafka_session_seconds <= 60:
        raise SettingsError(f"{PREFIX}KAFKA_SESSION_SECONDS={settings.kafka_session_seconds:g}: must be 2 to 60")


def secret_of(found: Settings, name: str) -> tuple[str, str]:
    """Name the variable or the file that holds a secret; neither when it is not set."""
    variable = PREFIX + name.upper()
    if os.environ.get(variable + "_FILE"):
        return "", os.environ[variable + "_FILE"]
    return (variable, "") if getattr(found, name) else ("", "")


def reference() -> str:
    """Write the settings' reference page as Markdown."""
    rows = [f"| `{name}` | `{variable}` | `{default!r}` | {text} |" for name, variable, default, text in described()]
    return "\n".join(
        [
            "# Settings",
            "",
            "Read from the environment. A secret is better put in a file that `<VARIABLE>_FILE` names. Generated by",
            "`foreshock settings`; a test keeps it true.",
            "",
            "| setting | variable | default | meaning |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )
