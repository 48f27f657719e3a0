"""`foreshock run`: the whole product on one machine."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Annotated

import typer

from alerts.console.accounts.first import first_link
from alerts.console.accounts.store import open_accounts
from scripts.commands.terminal import DataOption, SiteOption, err, fail, out
from sensors.document import DocumentError
from streams import publication, settings
from streams.bundle import Bundle
from streams.settings import Settings, SettingsError
from streams.supervisor import Child, StartError, Supervisor, on_signals, require_port, take_lock

SCENE = "landslide"
SPEED = 30.0
HISTORY_HOURS = 30.0


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
    Stop it with Ctrl-C or SIGTERM.
    """
    try:
        found = settings.load(
            site=str(site) if site else None,
            data=str(data) if data else None,
            host=host,
            port=port,
            mqtt_host=mqtt_host,
            mqtt_port=mqtt_port,
        )
    except SettingsError as error:
        fail(str(error))
    begun = time.monotonic()
    try:
        lock = take_lock(found.data_folder)
        with lock:
            content = publication.resolve(found.site_folder, found.data_folder)
            if not found.mqtt_host:
                require_port("127.0.0.1", found.mqtt_port, "the MQTT broker", "--mqtt-port")
            require_port(found.host, found.port, "the console", "--port")
            raise typer.Exit(asyncio.run(_supervise(found, content, scene if sim else None, camera or [], begun)))
    except DocumentError as error:
        for problem in error.problems[:20]:
            err.print(f"[red]✗[/red] {problem}")
        fail(f"{len(error.problems)} problem(s) in the site {found.site_folder}; nothing was started")
    except StartError as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot use the data folder {found.data_folder}: {error.strerror or error}")


def children(found: Settings, content: Bundle, scene: str | None, cameras: list[str]) -> list[Child]:
    """List the processes of a run."""
    environment = {
        variable: str(getattr(found, name)) for name, variable, _, _ in settings.described() if variable in os.environ
    }
    for name, variable, default, _ in settings.described():
        value = getattr(found, name)
        if value != default:
            environment[variable] = str(value)
    environment["FORESHOCK_DATA"] = str(found.data_folder)
    environment["FORESHOCK_SITE"] = str(found.site_folder)
    if not found.mqtt_host:
        environment["FORESHOCK_MQTT_HOST"] = "127.0.0.1"

    def child(name: str, order: int, *arguments: str, once: bool = False) -> Child:
        return Child(name=name, arguments=arguments, order=order, environment=environment, once=once)

    started = [
        child("worker", 2, "-m", "streams.processes.worker"),
        child("bridge", 1, "-m", "streams.processes.bridge"),
        child("console", 1, "-m", "streams.processes.console"),
        child("notifier", 1, "-m", "streams.processes.notifier"),
    ]
    if not found.mqtt_host:
        started.insert(0, child("broker", 3, "-m", "streams.processes.broker"))
    if cameras or any(camera.stream for camera in content.site.cameras):
        options = [part for one in cameras for part in ("--camera", one)]
        started.append(child("camera", 1, "-m", "streams.processes.camera", *options))
    if scene is not None:
        options = ["--scene", scene, "--speed", str(SPEED), "--history", str(HISTORY_HOURS), "--quiet"]
        started.append(child("simulator", 0, "-m", "scripts.cli", "simulate", *options, once=True))
    return started


async def _supervise(found: Settings, content: Bundle, scene: str | None, cameras: list[str], begun: float) -> int:
    supervisor = Supervisor(children(found, content, scene, cameras))
    on_signals(supervisor)
    try:
        await supervisor.start()
        _welcome(found, content, scene, time.monotonic() - begun)
        await supervisor.wait()
        out.print("stopping …")
    finally:
        await supervisor.stop()
    return 0


def _welcome(found: Settings, content: Bundle, scene: str | None, seconds: float) -> None:
    address = f"http://{'[' + found.host + ']' if ':' in found.host else found.host}:{found.port}"
    site = content.site
    out.print(f"[bold]Foreshock[/bold] {site.name.zh} · {site.name.en}: ready in {seconds:.1f} s")
    out.print(
        f"  {len(site.areas)} areas, {len(site.points)} points, {len(site.cameras)} cameras, {len(content.rules)} rules"
    )
    out.print(f"  MQTT    {found.mqtt_host or '127.0.0.1'}:{found.mqtt_port}")
    accounts = open_accounts(found.data_folder / "accounts.sqlite")
    try:
        link = first_link(accounts, address)
    finally:
        accounts.close()
    if link:
        out.print(f"  Console [bold]{link}[/bold]")
        out.print("          (this link makes the first administrator, once; 此链接用于创建首位管理员，仅可使用一次)")
    else:
        out.print(f"  Console [bold]{address}[/bold]")
    if scene is not None:
        out.print(
            f"  [bold yellow]SIMULATION 模拟[/bold yellow] scene “{scene}” is being played; --no-sim runs without"
        )


def site_and_data(site: Path | None, data: Path | None) -> Settings:
    """Read the settings with the two folders given on the command line."""
    return settings.load(site=str(site) if site else None, data=str(data) if data else None)
