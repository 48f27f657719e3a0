"""`foreshock listen`: what arrives at the broker, what becomes of it, and why not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from scripts.commands.spoken import said
from scripts.commands.terminal import (
    DataOption,
    JsonOption,
    SiteOption,
    aside,
    configured,
    fail,
    local,
    out,
    plain,
    tell,
)
from sensors.document import DocumentError
from sensors.listening import Event, Heard, Listener
from sensors.lookup import Registry
from sensors.registry import load_site
from sensors.site import Site
from sensors.tap import Tap, TapError
from streams import bundle, publication, running
from streams.brokers import MAIN, brokers
from streams.settings import Settings, SettingsError

MARKS = {
    "taken": "[green]✓ taken [/green]",
    "partly": "[yellow]± partly[/yellow]",
    "refused": "[red]✗ refused[/red]",
    "nothing": "· nothing",
    "unheard": "· unheard",
}
TURN = 0.25  # seconds

HostOption = Annotated[str | None, typer.Option("--mqtt-host", help="The broker; the embedded one if not given.")]
BrokerOption = Annotated[str, typer.Option("--broker", help="Which of the run's brokers, by its name.")]
PortOption = Annotated[int | None, typer.Option("--mqtt-port", help="Port of the broker.", show_default="1883")]


def listen(
    filters: Annotated[
        list[str] | None, typer.Argument(help="Topic filters as MQTT writes them; all topics if not given.")
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many messages.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="End after so long.")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Only what the bridge would not take whole.")] = False,
    rate: Annotated[int, typer.Option(min=1, max=1000, help="Lines a second on the screen, at most.")] = 20,
    site: SiteOption = None,
    data: DataOption = None,
    host: HostOption = None,
    port: PortOption = None,
    broker: BrokerOption = MAIN,
    as_json: JsonOption = False,
) -> None:
    """Show live what arrives at the broker, how it would be decoded, and why it would be refused. Changes nothing.

    Readings are shown by point, value and unit; what is none by what it is: an event of a camera, a source that has
    come or gone (births, deaths, last wills), the health of a camera's picture, each with its subject and fields.

    It decodes with the site that runs on the data folder, or with --site: so a mend can be tried before it runs. The
    bridge decides for itself; ✓ says that it takes such a message, "unheard" that it does not subscribe to the topic.

    foreshock listen

    foreshock listen "plant/#" --refused --seconds 60

    foreshock listen --json --count 100
    """
    found = beside_run(site, data, host, port)
    content = site_of(found, site)
    listener = Listener(Registry(content))
    begun = time.monotonic()
    shown = unshown = 0
    allowance, last = float(rate), begun
    with tap_of(found, filters or ["#"], broker) as tap:
        try:
            while (seconds is None or time.monotonic() - begun < seconds) and (count is None or shown < count):
                left = TURN if seconds is None else min(TURN, seconds - (time.monotonic() - begun))
                for message in tap.take(left):
                    heard = listener.hear(message)
                    if refused and heard.verdict in ("taken", "nothing"):
                        continue
                    now = time.monotonic()
                    allowance, last = min(float(rate), allowance + (now - last) * rate), now
                    if as_json:
                        print(msgspec.json.encode(heard).decode(), flush=True)
                    elif allowance >= 1.0:
                        if unshown:
                            tell(f"… {unshown} more came than the screen can follow")
                            unshown = 0
                        allowance -= 1.0
                        _print(heard, content.zone)
                    else:
                        unshown += 1
                        continue
                    shown += 1
                    if shown == count:
                        break
        except KeyboardInterrupt:
            pass
        unshown += tap.lost
    if unshown:
        aside(f"{unshown} messages were not shown: more came than could be followed")


def beside_run(site: Path | None, data: Path | None, host: str | None, port: int | None) -> Settings:
    """Read the settings, with the port of the embedded broker that runs on the data folder unless one is given."""
    found = configured(site=site, data=data, mqtt_host=host, mqtt_port=port)
    if port is None and not found.mqtt_host and (noted := running.port_of(found.data_folder)) is not None:
        return configured(site=site, data=data, mqtt_port=noted)
    return found


def site_of(found: Settings, given: Path | None) -> Site:
    """Load the site that runs on the data folder, or the one named; end with a sentence when it is not sound."""
    if given is None and (found.data_folder / publication.FILE).exists():
        try:
            return bundle.unpack(publication.read(found.data_folder)).site
        except (OSError, ValueError) as error:
            fail(f"cannot read {found.data_folder}: {error}; name the site with --site")
    try:
        return load_site(found.site_folder)
    except DocumentError as error:
        fail(f"the site is not sound: {error.problems[0]} (see `foreshock check {found.site_folder}`)")


@contextmanager
def tap_of(found: Settings, filters: list[str], name: str = MAIN) -> Iterator[Tap]:
    """Listen at one of the run's brokers; end with a sentence when it does not answer or is lost."""
    try:
        listed = {one.name: one for one in (*running.brokers_of(found.data_folder), *brokers(found))}
        one = listed.get(name)
        if one is None:
            fail(f"--broker {name}: there is none of that name; there are {', '.join(listed)}")
        password = one.password(found)
    except SettingsError as error:
        fail(str(error))
    host, port = one.address
    tap = Tap(filters, host=host, port=port, username=one.username, password=password or "", encrypted=one.encrypted)
    try:
        with tap:
            yield tap
    except TapError as error:
        fail(str(error))


def _print(heard: Heard, zone: str) -> None:
    mark = MARKS[heard.verdict]
    stored = said(" (stored)") if heard.retained else ""
    out.print(f"{local(heard.time, zone)[11:]}  {mark}  {plain(heard.topic)}{stored}  {said(f'{heard.size} bytes')}")
    for one in heard.readings[:3]:
        flags = f"  {', '.join(one.quality)}" if one.quality else ""
        at = _at(one.time, heard.time, zone)
        out.print(plain(f"            {one.point} = {one.value:g} {one.unit}{at}{flags}"))
    if heard.count > 3:
        tell(f"and {heard.count - 3} more readings", " " * 12)
    for event in heard.events[:3]:
        out.print(plain(f"            {_event(event)}{_at(event.time, heard.time, zone)}"))
    if len(heard.events) > 3:
        tell(f"and {len(heard.events) - 3} more events", " " * 12)
    for trouble in heard.troubles[:3]:
        several = said(f" ({trouble.readings} readings)") if trouble.readings > 1 else ""
        out.print(plain(f"            {trouble.reason}{several}: {trouble.detail}"))
    if heard.verdict in ("refused", "unheard"):
        out.print(plain("            " + heard.beginning.replace("\n", "\\n")))


def _event(one: Event) -> str:
    """Write an event in one line: what it is and of whom, then what else was decoded."""
    subject = f"  {one.subject}" if one.subject else ""
    fields = ", ".join(f"{name} {text}" for name, text in one.fields.items())
    return f"{said(one.what)}: {one.kind}{subject} " + said(f"in {one.area}") + (f"  {fields}" if fields else "")


def _at(time: float, arrived: float, zone: str) -> str:
    """Write a time that is not that of the arrival."""
    return "" if abs(time - arrived) < 1.0 else "  " + said(f"at {local(time, zone)}")
