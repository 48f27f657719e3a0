"""`foreshock run`: the whole product on one machine."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import time
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, NoReturn
from urllib.parse import urlsplit

import msgspec
import typer

from scripts.commands.spoken import language, said
from scripts.commands.terminal import DataOption, SiteOption, configured, fail, out, plain, tell, wrong
from scripts.simulator import FILMED
from sensors.document import DocumentError
from sensors.lookup import Registry
from sensors.site import Signals, Site
from streams import brokers, bundle, joining, logs, publication, reload, running, settings
from streams.bundle import Bundle
from streams.difference import lines
from streams.embedded import settled
from streams.embedded.schema import LogError
from streams.following import Following
from streams.processes.child import configure_logging
from streams.room import Room
from streams.service_manager import ServiceManager
from streams.settings import Settings, SettingsError
from streams.supervisor import Child, StartError, Supervisor, on_signals, require_port, take_lock
from streams.topics import OBSERVATIONS, SITE
from streams.topics_held import topic_specs
from streams.vitals import INFLUXDB, Vitals

if TYPE_CHECKING:
    from streams.deadman import DeadMan, Way

CAMERAS_VARIABLE = "FORESHOCK_CAMERAS"
"""Sources of cameras may hold passwords, which every user of the machine could read on a command line."""

ACCOUNTS = "alerts.console.accounts"

PATIENCE = 30.0
"""Seconds for a start, counted anew whenever a process tells of progress."""

SCENE = "landslide"
SPEED = 40.0
HISTORY_HOURS = 30.0
LOOK, MORE = 30_000, 500
"""Records of each partition among which the newest reading is looked for, more than eight hours of ticks, and how many
more once there is one: readings come nearly in order."""


class Pace(NamedTuple):
    """How fast a scene is played, and how much of the past is delivered before it."""

    speed: float = SPEED
    history: float = HISTORY_HOURS


def run(
    site: SiteOption = None,
    data: DataOption = None,
    host: Annotated[str | None, typer.Option(help="Address of the console.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the console.", show_default="8700")] = None,
    mqtt_host: Annotated[str | None, typer.Option(help="Use this MQTT broker instead of the embedded one.")] = None,
    mqtt_port: Annotated[int | None, typer.Option(help="Port of the MQTT broker.", show_default="1883")] = None,
    sim: Annotated[bool, typer.Option("--sim/--no-sim", help="Play a simulated scene into the site.")] = True,
    scene: Annotated[str, typer.Option(help="The scene that is played; see `foreshock simulate --list`.")] = SCENE,
    camera: Annotated[
        list[str] | None,
        typer.Option(help="CAMERA=SOURCE: read this camera from a file or address instead; may be repeated."),
    ] = None,
) -> None:
    """Run everything: log, engine, MQTT bridge, console, notifiers, cameras, and an MQTT broker if none is named.

    Without options it runs the example district with a simulated landslide, clearly marked as a simulation.
    Stop it with Ctrl-C or SIGTERM. What each process has to say is in run/PROCESS.log of the data folder.

    foreshock run

    foreshock run --site my-site --data /var/lib/foreshock --no-sim --mqtt-host broker.example

    TLS, MQTT 5, client certificates, shared subscriptions and further brokers are settings: see foreshock settings.
    """
    begun = time.monotonic()
    found = configured(site=site, data=data, host=host, port=port, mqtt_host=mqtt_host, mqtt_port=mqtt_port)
    try:
        _require_settled(found)
        lock = take_lock(found.data_folder)
        with lock:
            if not found.mqtt_host:
                require_port("127.0.0.1", found.mqtt_port, "the MQTT broker", "--mqtt-port")
            require_port(found.host, found.port, "the console", "--port")
            _require_brokers(found)
            _require_webhook(found)
            raise typer.Exit(asyncio.run(_supervise(found, scene if sim else None, camera or [], begun)))
    except (DocumentError, StartError, publication.IndicesError, OSError) as error:
        _not_started(found, error)


def _not_started(found: Settings, error: Exception) -> NoReturn:
    """End the command with a sentence that says why nothing runs, in the language of the site's folder."""
    from scripts.commands import speaking  # here: a supervisor whose site is sound keeps nothing of it

    words = speaking.at_site_folder(found.site_folder, None)
    if isinstance(error, DocumentError):
        speaking.name_problems(error.problems, words, more="more_by_check")
        fail(words("not_started", count=len(error.problems), site=found.site_folder))
    said = speaking.sentence(error, words)
    fail(words("cannot_use", folder=found.data_folder, error=said) if isinstance(error, OSError) else said)


def _require_settled(found: Settings) -> None:
    """Raise `StartError` when the log's file was moved to Kafka, or is not all there yet; of Kafka see below."""
    if found.kafka is None:
        try:
            settled.require(found.log_file)
        except LogError as error:
            raise StartError(str(error)) from error


def _require_brokers(found: Settings, signals: Signals | None = None) -> None:
    """Raise `StartError` when an MQTT broker cannot be what it is set to, or not with a site's dialects."""
    try:
        brokers.require_usable(found, signals)
    except SettingsError as error:
        raise StartError(str(error)) from error


def _require_webhook(found: Settings) -> None:
    """Raise `StartError` when the webhook cannot be what it is set to."""
    if not found.webhook_url:
        return
    parts = urlsplit(found.webhook_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise StartError("FORESHOCK_WEBHOOK_URL must be http(s)://host…, without a name or password in it")
    if not found.webhook_secret:
        raise StartError(
            "FORESHOCK_WEBHOOK_URL is set, but not FORESHOCK_WEBHOOK_SECRET (or FORESHOCK_WEBHOOK_SECRET_FILE): "
            "what is posted has to be signed"
        )


def _dead_man(found: Settings, site: Site) -> DeadMan | None:
    """Make what sends signs of life, where that is asked for. Raise `StartError` when it cannot be as it is set to."""
    if not found.heartbeat_url and not found.heartbeat_mail:
        return None
    from streams.deadman import DeadMan  # here: most runs send none

    ways = [*_posting(found), *_mailing(found, site)]
    through = {name for name in ("worker", "bridge", "notifier") if _starts(found, name)}
    return DeadMan(found.data_folder, site.id, frozenset(through), ways)


def _posting(found: Settings) -> list[Way]:
    """Make the way by which signs of life are posted, if there is one."""
    if not found.heartbeat_url:
        return []
    from alerts.notifiers.targets import TargetError, WebhookTarget
    from alerts.notifiers.webhook import WebhookSender
    from streams.deadman import Way

    variable, file = settings.secret_of(found, "heartbeat_secret")
    target = WebhookTarget(
        name="heartbeat",
        url=found.heartbeat_url,
        secret_env=variable,
        secret_file=file,
        allow_private=found.heartbeat_private,
    )
    try:
        return [Way(WebhookSender(target), found.heartbeat_seconds)]
    except TargetError as error:
        raise StartError(f"{settings.PREFIX}HEARTBEAT_URL, {settings.PREFIX}HEARTBEAT_SECRET: {error}") from error


def _mailing(found: Settings, site: Site) -> list[Way]:
    """Make the ways by which signs of life are mailed, one to each recipient of the target that is named."""
    if not found.heartbeat_mail:
        return []
    from alerts.notifiers import file as notify
    from alerts.notifiers.mail import MailSender
    from alerts.notifiers.targets import MailTarget, TargetError
    from streams.deadman import Way

    variable = f"{settings.PREFIX}HEARTBEAT_MAIL"
    try:
        listed = notify.read(found.notify_file, site) if found.notify_file is not None else notify.Listed()
        voice = notify.voice_of(site, listed.templates)
        ways = [
            Way(MailSender(target, voice), found.heartbeat_mail_seconds, pause=60.0)
            for target in notify.expanded(listed)
            if isinstance(target, MailTarget) and target.name.partition(":")[0] == found.heartbeat_mail
        ]
    except DocumentError as error:
        raise StartError(f"{found.notify_file}: {error.problems[0]}") from error
    except TargetError as error:
        raise StartError(f"{variable}: {error}") from error
    if not ways:
        raise StartError(f"{variable}={found.heartbeat_mail}: the file of targets names no mail target of this name")
    return ways


def _require_targets(found: Settings, site: Site) -> None:
    """Raise `StartError` when the site's file of targets is not sound, or names a secret that is not there."""
    if found.notify_file is None:
        return
    from alerts.notifiers import file as notify  # here: most sites have none
    from alerts.notifiers.targets import TargetError, read_secret

    try:
        for target in notify.expanded(notify.read(found.notify_file, site)):
            for name in ("secret", "password", "url", "callback"):
                if hasattr(target, f"{name}_env"):
                    read_secret(getattr(target, f"{name}_env"), getattr(target, f"{name}_file"))
    except DocumentError as error:
        raise StartError(f"{found.notify_file}: {error.problems[0]}") from error
    except TargetError as error:
        raise StartError(f"{found.notify_file}: {error}") from error


def _require_provider(found: Settings, site: Site) -> None:
    """Raise `StartError` when the file of the sign-ins' provider is not sound, or names a secret that is not there."""
    if found.sign_in_file is None:
        return
    from alerts.console.oidc import client, file  # here: most sites have none
    from alerts.notifiers.targets import TargetError

    try:
        client.open_client(file.read(found.sign_in_file, site), site)
    except DocumentError as error:
        raise StartError(f"{found.sign_in_file}: {error.problems[0]}") from error
    except TargetError as error:
        raise StartError(f"{found.sign_in_file}: {error}") from error


def _require_partitions(found: Settings, content: Bundle) -> None:
    """Raise `StartError` when the log was begun with another number of partitions: it cannot change."""
    try:
        with logs.reader(found.log) as log:
            begun = log.topics().get(OBSERVATIONS, content.site.partitions)
    except LogError:
        return  # no log yet, or one that the worker will name what is wrong with
    if begun != content.site.partitions:
        place, other = found.data_folder, "folder with --data"
        if found.kafka is not None:
            place, other = found.kafka.name(OBSERVATIONS), "prefix in FORESHOCK_BROKER"
        raise StartError(
            f"the log in {place} was begun with {begun} partitions and the site says "
            f"{content.site.partitions}: set `partitions: {begun}` in site.yaml, or choose another {other}"
        )


def _require_topics(found: Settings, content: Bundle) -> None:
    """Raise `StartError` when the log is in Kafka, and that is not reached or lacks what is written there."""
    if found.kafka is None:
        return
    from streams.kafka.settled import require  # here: not needed for a file

    brokers.identity(found.data_folder)  # by which the group knows this run, before two processes make it at once
    try:
        with logs.reader(found.log) as log:
            there = log.topics()
            require(found.kafka, there)
    except LogError as error:
        raise StartError(str(error)) from error
    missing = [found.kafka.name(topic) for topic in topic_specs(found, content.site.partitions) if topic not in there]
    if missing:
        raise StartError(f"Kafka has no topic {missing[0]}: run `foreshock topics apply` first")


def _require_cameras(content: Bundle, given: list[str]) -> None:
    """Raise `StartError` when `--camera` is not CAMERA=SOURCE of a camera that the site has."""
    known = {camera.id for camera in content.site.cameras}
    for one in given:
        name, _, source = one.partition("=")
        if not source:
            raise StartError(f"--camera {one}: must be CAMERA=SOURCE")
        if name not in known:
            raise StartError(f"--camera {one}: the site has no camera {name}")


def _pace(found: Settings, scene: str) -> Pace:
    """Choose how a scene can be played into this data folder. Raise `StartError` when there is no such scene.

    It is played in times of the past. Where the folder holds readings from that time already, all of it would be out
    of order: there the scene begins now, and takes as long as it would in life.
    """
    if scene == SCENE and found.kafka is None and not found.log_file.exists():
        return Pace()
    from scripts.simulator.scenes import SCENES  # here, and below: numpy need not hold up the usual start

    if scene not in SCENES:
        raise StartError(f"there is no scene {scene}; there are {', '.join(SCENES)}")
    newest = _newest_reading(found)
    if newest is None:
        return Pace()
    lasts = SCENES[scene].lasts
    room = time.time() - newest - lasts
    return Pace(SPEED, min(HISTORY_HOURS, room / 3600)) if room >= 0 else Pace(1.0, 0.0)


def _newest_reading(found: Settings) -> float | None:
    """Return the time of the newest reading among the log's last records; None when there is none."""
    from sensors import frame
    from sensors.observation import FRAME

    times: list[float] = []
    try:
        log = logs.reader(found.log)
    except LogError:
        return None  # no log yet, or one that the worker will name what is wrong with
    with log:
        for partition in range(log.topics().get(OBSERVATIONS, 0)):
            enough = LOOK
            for place, (_, _, value) in enumerate(log.newest_first(OBSERVATIONS, partition, LOOK)):
                if place > enough:
                    break
                if value[:1] == bytes((FRAME,)):
                    with contextlib.suppress(ValueError):  # the engine says what is wrong with one that is damaged
                        times.append(float(frame.decode(value).time.max(initial=0.0)))
                    enough = min(enough, place + MORE)
    return max(times, default=None)


def common_children(found: Settings) -> list[Child]:
    """List the processes that every run has, whatever its site."""
    environment = _environment(found)
    orders = {"worker": 2, "console": 1, "notifier": 1, **({"history": 1} if found.keeps_history else {})}
    orders = {name: order for name, order in orders.items() if _starts(found, name)}
    if found.archive and _starts(found, "archiver"):
        orders["archiver"] = 1
    if not found.mqtt_host:
        orders = {"broker": 3, **orders}
    listed = [
        Child(name=name, arguments=["-m", f"streams.processes.{name}"], order=order, environment=environment)
        for name, order in orders.items()
    ]
    for one in brokers.brokers(found) if _starts(found, "bridge") else ():
        arguments = ["-m", "streams.processes.bridge", one.name]
        listed.append(Child(name=one.process, arguments=arguments, order=1, environment=environment))
    return listed


def _starts(found: Settings, name: str) -> bool:
    """Tell whether this run starts a process, or leaves it to the others of its cluster."""
    return not found.wanted or name in found.wanted


def site_children(
    found: Settings, content: Bundle, scene: str | None, cameras: list[str], pace: Pace | None = None
) -> list[Child]:
    """List the processes of a run that depend on its site."""
    environment = _environment(found)

    def child(name: str, order: int, *arguments: str, once: bool = False) -> Child:
        return Child(name=name, arguments=arguments, order=order, environment=environment, once=once)

    started: list[Child] = []
    filmed = FILMED.get(scene or "")
    film = found.data_folder / "run" / f"{filmed}.avi" if filmed and filmed in Registry(content.site).cameras else None
    if film is not None and not any(one.startswith(f"{filmed}=") for one in cameras):
        film.unlink(missing_ok=True)  # of the last run
        cameras = [*cameras, f"{filmed}={film}"]
    else:
        film = None
    if _starts(found, "camera") and (
        cameras or any(camera.stream or camera.snapshot for camera in content.site.cameras)
    ):
        filming = child("camera", 1, "-m", "streams.processes.camera")
        filming.environment = {**environment, CAMERAS_VARIABLE: msgspec.json.encode(cameras).decode()}
        started.append(filming)
    if scene is not None:
        pace = pace or Pace()
        options = ["--scene", scene, "--speed", f"{pace.speed:g}", "--history", f"{pace.history:.4f}", "--quiet"]
        options += ["--footage", str(film)] if film is not None else []
        started.append(child("simulator", 0, "-m", "scripts.cli", "simulate", *options, once=True))
    return started


def _environment(found: Settings) -> dict[str, str]:
    """Hand the settings to the children; a secret that stands in a file stays in the file."""
    environment: dict[str, str] = {}
    outside = settings.load()
    for name, variable, default, _ in settings.described():
        value = getattr(found, name)
        if variable + "_FILE" in os.environ and value == getattr(outside, name):
            continue
        if value != default or variable in os.environ or variable + "_FILE" in os.environ:
            environment[variable] = str(value)
            if variable + "_FILE" in os.environ:
                environment[variable + "_FILE"] = ""  # the command line wins
    environment["FORESHOCK_DATA"] = str(found.data_folder)
    environment["FORESHOCK_SITE"] = str(found.site_folder)
    if not found.mqtt_host:
        environment["FORESHOCK_MQTT_HOST"] = "127.0.0.1"
    return environment


async def _supervise(found: Settings, scene: str | None, cameras: list[str], begun: float) -> int:
    configure_logging("run", found.log_level, found.data_folder / "run")
    vitals = Vitals(found.hub_path, node=brokers.identity(found.data_folder) if found.cluster else "")
    manager = ServiceManager()

    def at_work(name: str, text: str) -> None:
        out.print(f"  {plain(name)}: {plain(text)}")
        manager.busy(f"{name}: {text}", PATIENCE)

    supervisor = Supervisor(common_children(found), vitals.lost, vitals.returned, at_work, found.hung_seconds)
    loop = asyncio.get_running_loop()
    alive = loop.create_task(manager.keep_alive())
    reloads: set[asyncio.Task[None]] = set()

    def on_reload() -> None:
        task = loop.create_task(_reload(found))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    on_signals(supervisor, on_reload)
    running.note_site(found.data_folder, found.site_folder)
    if not found.mqtt_host:
        running.note_port(found.data_folder, found.mqtt_port)
    running.note_brokers(found.data_folder, brokers.brokers(found))
    prepared: list[tuple[Bundle, Pace]] = []
    accounts: list[asyncio.Task[Any]] = []
    watching: list[asyncio.Task[None]] = []

    async def site() -> list[Child]:
        content, pace = await asyncio.to_thread(_prepare, found, scene, cameras)
        prepared.append((content, pace))
        # these take as long to import as the rest of this process: while the children begin
        accounts.append(asyncio.create_task(asyncio.to_thread(importlib.import_module, ACCOUNTS)))
        return site_children(found, content, scene, cameras, pace)

    try:
        await supervisor.start(PATIENCE, site=site())
        vitals.started(_former(found), () if found.influx_url else (INFLUXDB,))
        Following(
            found.data_folder,
            publication.version(found.data_folder),
            lambda fresh: loop.call_soon_threadsafe(_film, supervisor, found, fresh, cameras),
        ).start()
        watching.append(loop.create_task(Room(found.data_folder, vitals).watch()))
        await asyncio.gather(*accounts)
        link = _first_link(found)
        if (dead_man := _dead_man(found, prepared[0][0].site)) is not None:
            await dead_man.open()
            watching.append(loop.create_task(dead_man.watch()))
        _welcome(found, *prepared[0], scene, link, time.monotonic() - begun)
        manager.ready()
        await supervisor.wait()
        tell("stopping …")
        manager.stopping()
    finally:
        for task in (alive, *watching):
            task.cancel()
        await supervisor.stop()
        vitals.close()
    return 0


def _prepare(found: Settings, scene: str | None, cameras: list[str]) -> tuple[Bundle, Pace]:
    """Check the site and write it down for the children; choose how a scene is played. Raise whatever is wrong."""
    content = _joined(found) or publication.resolve(
        found.site_folder, found.data_folder, "" if found.cluster else _address(found)
    )
    _require_partitions(found, content)
    _require_topics(found, content)
    _require_targets(found, content.site)
    _require_provider(found, content.site)
    _require_brokers(found, content.site.signals)
    _require_cameras(content, cameras)
    pace = Pace() if scene is None else _pace(found, scene)
    return content, pace


def _joined(found: Settings) -> Bundle | None:
    """Take the site of the cluster that this run joins; None where it is in none, or is the first of it."""
    if not found.cluster:
        return None
    importlib.import_module(f"{ACCOUNTS}.secret").keep_key(found.data_folder, found.cluster_key)
    try:
        with logs.reader(found.log) as log:
            there = joining.newest(log) if SITE in log.topics() else None
    except LogError as error:
        raise StartError(str(error)) from error
    if there is None:
        return None
    joining.join(found.data_folder, there)
    return bundle.unpack(there.packed)


def _former(found: Settings) -> list[str]:
    """Name what further brokers' bridges an earlier run of this folder may have told of, and this one has."""
    files = (found.data_folder / "run").glob("bridge-*.log")
    names = {file.name.split(".")[0].removeprefix("bridge-") for file in files}
    here = {one.name for one in brokers.brokers(found)}
    ended = [f"bridge-{name}" for name in sorted((names | here) - {brokers.MAIN})]
    return ended + [f"mqtt:{name}" for name in sorted(names - here)]


async def _reload(found: Settings) -> None:
    """Put the changed site folder in force, as SIGHUP asks, and say how it went."""
    try:
        prepared, taken = await asyncio.to_thread(
            reload.reload, found.site_folder, found.data_folder, "signal", "SIGHUP"
        )
    except DocumentError as error:
        from scripts.commands import speaking  # here, as above

        words = speaking.at_folder(found.data_folder, None)
        speaking.name_problems(error.problems, words, more="more_by_check")
        wrong(words("kept_as_is", count=len(error.problems), site=found.site_folder))
    except (ValueError, OSError, publication.IndicesError) as error:
        wrong(str(error))
    else:
        from alerts.console.rule_words import differing  # here, as above

        for line in lines(prepared.difference):
            out.print(f"  {plain(differing(line, language()))}")
        how = said("nothing differs" if taken is None else f"in force after {taken.in_force * 1000:.0f} ms")
        tell(f"site reloaded: version {prepared.version}; {how}")


def _film(supervisor: Supervisor, found: Settings, content: Bundle, cameras: list[str]) -> None:
    """Start the camera process when a changed site is the first to have a camera to read."""
    if any(child.name == "camera" for child in supervisor.children):
        return
    for child in site_children(found, content, None, cameras):
        if child.name == "camera":
            supervisor.add(child)


def _address(found: Settings) -> str:
    """Write the console's own address."""
    return f"http://{'[' + found.host + ']' if ':' in found.host else found.host}:{found.port}"


def _first_link(found: Settings) -> str | None:
    """Make the first administrator's link."""
    accounts_of = importlib.import_module(ACCOUNTS)
    accounts = accounts_of.open_accounts(found.accounts_at)
    try:
        link: str | None = accounts_of.first_link(accounts, _address(found))
        return link
    finally:
        accounts.close()


def _welcome(found: Settings, content: Bundle, pace: Pace, scene: str | None, link: str | None, seconds: float) -> None:
    site = content.site
    out.print(
        f"[bold]Foreshock[/bold] {plain(site.name.zh)} · {plain(site.name.en)}: ready in {seconds:.1f} s · 已就绪"
    )
    counts = len(site.areas), len(site.points), len(site.cameras), len(content.rules)
    out.print("  {} areas, {} points, {} cameras, {} rules".format(*counts))
    out.print("  {} 个区域，{} 个测点，{} 路摄像机，{} 条规则".format(*counts))
    for one in brokers.brokers(found):
        secured = ", TLS" if one.encrypted else ""
        named = "" if one.name == brokers.MAIN else f" ({one.name})"
        out.print(f"  MQTT    {plain(one.address[0])}:{one.address[1]}{secured}{named}")
    if link:
        out.print(f"  Console [bold]{link}[/bold]")
        out.print("          (this link makes the first administrator, once; 此链接用于创建首位管理员，仅可使用一次)")
    else:
        out.print(f"  Console [bold]{_address(found)}[/bold]")
    if scene is not None:
        out.print(
            f"  [bold yellow]SIMULATION 模拟[/bold yellow] scene “{scene}” is being played; --no-sim runs without "
            "· 正在播放该场景，--no-sim 不播放"
        )
        if pace.speed < SPEED:
            out.print(
                "          at the pace of life, for this folder holds readings of that time already; "
                "--data ANOTHER plays it fast"
            )
            out.print("          按真实速度播放，因为此文件夹已有那段时间的读数；--data 另指文件夹可快速播放")
