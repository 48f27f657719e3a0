"""`foreshock adopt`: from topics that nobody knows to points that somebody may want."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from alerts.notifiers.targets import KINDS
from scripts.commands.listen import BrokerOption, HostOption, PortOption, beside_run, tap_of
from scripts.commands.spoken import near, said
from scripts.commands.terminal import DataOption, SiteOption, aside, done, fail
from sensors.adoption.patch import patch
from sensors.adoption.proposal import Proposals, propose
from sensors.adoption.watch import MOST_TOPICS, Watch
from sensors.dialects import senml
from sensors.dialects.dialect import Route
from sensors.document import DocumentError, convert, read_document
from sensors.lookup import Registry
from sensors.registry import load_site
from sensors.site_files import TypesFile
from streams import running
from streams.brokers import MAIN

TURN = 0.25  # seconds


def adopt(
    filters: Annotated[
        list[str] | None, typer.Argument(help="Topic filters as MQTT writes them; all topics if not given.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, max=86_400, help="How long to watch.")] = 60.0,
    area: Annotated[str | None, typer.Option(help="Area of the topics that name none by its id or name.")] = None,
    most: Annotated[int, typer.Option(min=1, max=20_000, help="Topics to watch at most.")] = MOST_TOPICS,
    write: Annotated[Path | None, typer.Option("--write", help="Write the patch to this new file.")] = None,
    site: SiteOption = None,
    data: DataOption = None,
    host: HostOption = None,
    port: PortOption = None,
    broker: BrokerOption = MAIN,
) -> None:
    """Watch topics that the site does not know and propose points for them, as a YAML patch to be read and mended.

    The site is the one that runs on the data folder, or --site.

    It guesses quantity and unit from words in topic and payload and from the values, the area from the topic, and says
    how sure it is and why; what is doubtful is marked `# check`. Records of SenML packs and what announces itself as
    Home Assistant's discovery has it are proposed by the names that they give themselves, as `sources`. It changes
    nothing: put what you take into the site,
    `foreshock check` it, and `foreshock reload` puts it in force.

    foreshock adopt --seconds 120

    foreshock adopt "plant/#" --area slope-01 --write proposed.yaml
    """
    found = beside_run(site, data, host, port)
    folder = site or running.site_of(found.data_folder) or found.site_folder
    try:
        content = load_site(folder)
        quantities = convert(read_document(folder / "types.yaml"), TypesFile).quantities
    except DocumentError as error:
        fail(f"the site is not sound: {error.problems[0]} (see `foreshock check {folder}`)")
    registry = Registry(content)
    if area is not None and area not in registry.areas:
        fail(said(f"--area {area}: the site has no such area") + near(area, list(registry.areas)))
    if write is not None and write.exists():
        fail(f"--write {write}: this file is there already; name a new one")
    own = tuple(f"{content.signals.native or 'foreshock'}/{kind}/" for kind in KINDS)
    watch = Watch(content.zone, most, lambda topic: _base(topic, registry))
    begun = time.monotonic()
    with tap_of(found, filters or ["#"], broker) as tap:
        aside(f"watching for {seconds:g} s; Ctrl-C ends it sooner")
        try:
            while (left := seconds - (time.monotonic() - begun)) > 0:
                for message in tap.take(min(TURN, left)):
                    if not message.topic.startswith(own):
                        watch.hear(message.topic, message.payload, message.time, retained=message.retained)
        except KeyboardInterrupt:
            pass
        lost = tap.lost
    proposals = propose(watch, registry, quantities, area=area)
    text = patch(proposals, quantities)
    if write is None:
        typer.echo(text, nl=False)
    else:
        try:
            with write.open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            fail(f"cannot write {write}: {error.strerror or error}")
        done(f"{write} proposes {_summary(proposals)}; read it before you take it")
    if lost:
        aside(f"{lost} messages were not looked at: more came than could be followed")


def _base(topic: str, registry: Registry) -> str:
    """Give what the names of a topic's SenML packs begin with."""
    for config in registry.site.signals.senml:
        route = senml.resolve(topic, config, registry)
        if isinstance(route, Route):
            return route.subject
    return ""


def _summary(proposals: Proposals) -> str:
    ready = sum(not one.lacks for one in proposals.points)
    lacking = len(proposals.points) - ready
    doubtful = sum(not one.lacks and "guess" in (one.guess.sure, one.area_sure) for one in proposals.points)
    look = said(f", {doubtful} of them to be checked") if doubtful else ""
    rest = said(f"; {lacking} more lack something, {len(proposals.left)} topic(s) were left")
    return said(f"{ready} point(s)") + look + rest
