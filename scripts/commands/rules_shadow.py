"""`foreshock rules shadow`, `promote`, `drop`, `approve` and `reject`: what is not in force yet."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import typer

from alerts import messages, shadow
from alerts.queries import JournalMissing, Reader
from scripts.commands import reload as reloading
from scripts.commands.terminal import (
    DataOption,
    JsonOption,
    configured,
    done,
    fail,
    local,
    out,
    plain,
    require_journal,
    who,
    wrong,
)
from sensors import observation
from sensors.document import DocumentError
from sensors.lookup import Registry
from sensors.observation import Decision
from sensors.site import SYSTEM
from streams import bundle, publication, shadowing
from streams.hub import HubClient
from streams.settings import Settings
from streams.supervisor import holder
from streams.topics import OBSERVATIONS

WAIT = 20.0
"""Seconds for the log to take it and the journal to tell."""

ReasonOption = Annotated[str, typer.Option(help="Why; it stands beside it.")]


def shadow_rules(
    site: Annotated[Path | None, typer.Argument(help="Folder of the site with the rules to try.")] = None,
    reason: ReasonOption = "",
    status: Annotated[bool, typer.Option("--status", help="Say how what runs in the shadow compares.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a folder's rules beside those in force, on the same readings: they raise nothing, and are compared.

    Each alarm is held against what is in force: gained, lost, earlier, later, at another level, or the same. It goes on
    over restarts until `foreshock rules promote` puts the set in force or `foreshock rules drop` ends it; another set
    takes its place. Exit code 3 when nothing runs.

    foreshock rules shadow my-site --reason "creep: 6 mm/h, for the night shift"

    foreshock rules shadow --status
    """
    found = configured(data=data)
    if status:
        require_journal(found)
        _show(found, _status(found), as_json)
        return
    if site is None:
        fail("name the folder with the rules to try, or ask for --status")
    _require_reason(reason)
    _require_running(found)
    author = who()
    try:
        id, records = shadowing.begin(site, found.data_folder, author, reason)
    except DocumentError as error:
        for problem in error.problems[:50]:
            wrong(str(problem))
        fail(f"{len(error.problems)} problem(s) in {site}; nothing runs in the shadow of it")
    except (ValueError, OSError, publication.IndicesError) as error:
        fail(str(error))
    told = _hand_over(found, records, lambda: _told(found, id))
    reloading.note(found, author, "rules.shadow", id, reason=reason)
    if told["state"] == "broken":
        fail(f"the rules of {site} do not run: {told['fault']}")
    if as_json:
        print(msgspec.json.encode(told).decode())
        return
    done(f"{told['rules']} rules run in the shadow as {id}; `foreshock rules shadow --status` compares them")


def promote(reason: ReasonOption = "", data: DataOption = None, as_json: JsonOption = False) -> None:
    """Put the rules that run in the shadow in force: windows and delays go on as they stand.

    Refused where the rules in force have changed since the set began: it would take that back. The site folder
    is not written: copy the rules there as well, before the next `foreshock run`. Where the site takes two persons, it
    waits for the second. Exit code 3 when nothing runs.

    foreshock rules promote --reason "three nights: two false alarms less, none missed"
    """
    found = configured(data=data)
    _require_reason(reason)
    _require_running(found)
    running = _running(found)
    author = who()
    try:
        prepared, taken = shadowing.promote(found.data_folder, running["id"], author, reason)
    except (ValueError, OSError, publication.IndicesError) as error:
        fail(str(error))
    reloading.note(found, author, "rules.promote", running["id"], reason=reason, version=prepared.version)
    waiting = taken is not None and taken.waiting
    if as_json:
        answer = {"shadow": running["id"], "version": prepared.version, "waiting": waiting}
        print(msgspec.json.encode(answer).decode())
    elif waiting:
        done(f"version {prepared.version} waits for a second person: `foreshock rules approve`, or `rules reject`")
    else:
        done(f"the rules of {running['id']} are in force as version {prepared.version}")


def drop(reason: ReasonOption = "", data: DataOption = None) -> None:
    """End what runs in the shadow; what it was compared with stays to be read. Exit code 3 when nothing runs.

    foreshock rules drop --reason "misses the creep of Tuesday"
    """
    found = configured(data=data)
    _require_reason(reason)
    _require_running(found)
    id, author = _running(found)["id"], who()
    _hand_over(
        found,
        shadowing.end(found.data_folder, author, reason),
        lambda: one if (one := _told(found, id)) is not None and one["state"] != "running" else None,
    )
    reloading.note(found, author, "rules.drop", id, reason=reason)
    done(f"{id} no longer runs in the shadow")


def approve(
    number: Annotated[int, typer.Argument(min=1, help="The publication, as `foreshock rules history` numbers it.")],
    reason: ReasonOption = "",
    data: DataOption = None,
) -> None:
    """Approve a publication that waits for a second person: it takes force at once. Not one's own.

    foreshock rules approve 4
    """
    _decide(number, True, reason, data)
    done(f"publication {number} is approved and takes force")


def reject(
    number: Annotated[int, typer.Argument(min=1, help="The publication, as `foreshock rules history` numbers it.")],
    reason: ReasonOption = "",
    data: DataOption = None,
) -> None:
    """Reject a publication that waits for a second person; one may take one's own back.

    foreshock rules reject 4 --reason "no lead time left on the north slope"
    """
    _require_reason(reason)
    _decide(number, False, reason, data)
    done(f"publication {number} is rejected")


def waiting(found: Settings) -> list[dict[str, Any]]:
    """List the publications that waited for a second person, the latest first; none where there is no journal."""
    with contextlib.suppress(JournalMissing):
        return Reader(found.journal_url).proposals()
    return []


def _decide(number: int, approved: bool, reason: str, data: Path | None) -> None:
    found = configured(data=data)
    _require_running(found)
    author = who()
    partition = Registry(bundle.unpack(publication.read(found.data_folder)).site).partition(SYSTEM)
    decision = Decision(
        id=uuid.uuid4().hex, number=number, approve=approved, actor=author, time=time.time(), reason=reason[:500]
    )
    record = (OBSERVATIONS, partition, None, observation.encode(decision))
    answer = _hand_over(found, [record], lambda: Reader(found.journal_url).result(decision.id))
    action = "rules.approve" if approved else "rules.reject"
    refused = {} if answer["ok"] else {"refused": answer["reason"]}
    reloading.note(found, author, action, str(number), reason=reason, **refused)
    if not answer["ok"]:
        fail(f"refused: {messages.text(answer['reason'], 'en')}")


def _hand_over(
    found: Settings,
    records: Sequence[tuple[str, int, bytes | None, bytes]],
    told: Callable[[], dict[str, Any] | None],
) -> dict[str, Any]:
    """Hand records to the running worker and wait until the journal tells what became of them."""

    async def send() -> dict[str, Any]:
        async with asyncio.timeout(WAIT):
            client = HubClient(found.hub_path)
            try:
                await client.produce(records)
                while (answer := told()) is None:  # noqa: ASYNC110 - the journal is a file
                    await asyncio.sleep(0.05)
                return answer
            finally:
                await client.close()

    try:
        return asyncio.run(send())
    except (OSError, TimeoutError) as error:
        _away(found, error)


def _away(found: Settings, error: Exception) -> NoReturn:
    fail(f"no running Foreshock answers on {found.data_folder}: {str(error) or 'time-out'}")


def _told(found: Settings, id: str) -> dict[str, Any] | None:
    return shadow.status(Reader(found.journal_url).engine, id)


def _status(found: Settings) -> dict[str, Any] | None:
    try:
        return shadow.status(Reader(found.journal_url).engine)
    except JournalMissing as error:
        fail(str(error))


def _running(found: Settings) -> dict[str, Any]:
    one = _status(found)
    if one is None or one["state"] != "running":
        fail("nothing runs in the shadow; `foreshock rules shadow FOLDER` begins")
    return one


def _show(found: Settings, told: dict[str, Any] | None, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode(told).decode())
        return
    if told is None:
        done("nothing has run in the shadow yet; `foreshock rules shadow FOLDER` begins")
        return
    zone = bundle.unpack(publication.read(found.data_folder)).site.zone
    since = local(told["began"], zone) if told["began"] is not None else "never"
    out.print(f"[bold]{plain(told['id'])}[/bold] {told['state']}, {told['rules']} rules since {since}")
    out.print(f"  {plain(told['author'])}: {plain(told['reason'])}")
    if told["fault"]:
        wrong(told["fault"])
    out.print("  " + ", ".join(f"{count} {how}" for how, count in told["counts"].items()))
    for name, counts in (("rule", told["by_rule"]), ("area", told["by_area"])):
        for id, counted in counts.items():
            differs = [f"{count} {how}" for how, count in counted.items() if count and how != "same"]
            if differs:
                out.print(f"    {name} {plain(id)}: {', '.join(differs)}")
    for one in told["verdicts"][:20]:
        by = f" by {abs(one['seconds']):.0f} s" if one["seconds"] else ""
        levels = f"{one['before'] or 'nothing'} → {one['after'] or 'nothing'}"
        where = f"{one['rule']} at {one['scope']}"
        out.print(plain(f"  {local(one['begun'], zone)}  {one['how']}{by}  {where}  {levels}"))


def _require_reason(reason: str) -> None:
    if not reason.strip():
        fail('say why: --reason "…"; those who look at it later will ask')


def _require_running(found: Settings) -> None:
    if holder(found.data_folder) is None:
        fail(f"nothing runs on {found.data_folder}; start with `foreshock run`", 3)
