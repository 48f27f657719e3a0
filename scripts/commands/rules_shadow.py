"""`foreshock rules shadow`, `promote`, `drop`, `approve` and `reject`: what is not in force yet."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from alerts import messages, shadow
from alerts.queries import JournalMissing, Reader
from scripts.commands import reload as reloading
from scripts.commands.speaking import in_force, name_problems, sentence
from scripts.commands.terminal import (
    DataOption,
    JsonOption,
    configured,
    done,
    fail,
    local,
    out,
    plain,
    who,
    wrong,
)
from scripts.commands.words import Language, LanguageOption, Words
from sensors import observation
from sensors.document import DocumentError
from sensors.lookup import Registry
from sensors.observation import Decision
from sensors.site import SYSTEM
from streams import publication, shadowing
from streams.difference import unraised_in
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
    language: LanguageOption = None,
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
    words = in_force(found.data_folder, language)[1]
    if status:
        _show(_status(found), words, as_json)
        return
    if site is None:
        fail(words("name_folder"))
    _require_reason(reason, words)
    _require_running(found, words)
    author = who()
    try:
        id, records = shadowing.begin(site, found.data_folder, author, reason)
    except DocumentError as error:
        name_problems(error.problems, words)
        fail(words("no_shadow_of", count=len(error.problems), site=site))
    except (ValueError, OSError, publication.IndicesError) as error:
        fail(sentence(error, words))
    told = _hand_over(found, records, lambda: _told(found, id), words)
    reloading.note(found, author, "rules.shadow", id, reason=reason)
    if told["state"] == "broken":
        fail(words("does_not_run", site=site, fault=told["fault"]))
    if as_json:
        print(msgspec.json.encode(told).decode())
        return
    done(words("shadow_begun", rules=told["rules"], id=id))


def promote(
    reason: ReasonOption = "", data: DataOption = None, language: LanguageOption = None, as_json: JsonOption = False
) -> None:
    """Put the rules that run in the shadow in force: windows and delays go on as they stand.

    Refused where the rules in force have changed since the set began: it would take that back. The site folder
    is not written: copy the rules there as well, before the next `foreshock run`. Where the site takes two persons, it
    waits for the second. Exit code 3 when nothing runs.

    foreshock rules promote --reason "three nights: two false alarms less, none missed"
    """
    found = configured(data=data)
    words = in_force(found.data_folder, language)[1]
    _require_reason(reason, words)
    _require_running(found, words)
    running = _running(found, words)
    author = who()
    try:
        prepared, taken = shadowing.promote(found.data_folder, running["id"], author, reason)
    except (ValueError, OSError, publication.IndicesError) as error:
        fail(sentence(error, words))
    reloading.note(found, author, "rules.promote", running["id"], reason=reason, version=prepared.version)
    waiting = taken is not None and taken.waiting
    if as_json:
        answer = {"shadow": running["id"], "version": prepared.version, "waiting": waiting}
        answer["unraised"] = unraised_in(prepared.difference)
        print(msgspec.json.encode(answer).decode())
        return
    if waiting:
        done(words("awaits", version=prepared.version))
    else:
        done(words("promoted", id=running["id"], version=prepared.version))
    reloading.warn_of_unraised(prepared.difference, words)


def drop(reason: ReasonOption = "", data: DataOption = None, language: LanguageOption = None) -> None:
    """End what runs in the shadow; what it was compared with stays to be read. Exit code 3 when nothing runs.

    foreshock rules drop --reason "misses the creep of Tuesday"
    """
    found = configured(data=data)
    words = in_force(found.data_folder, language)[1]
    _require_reason(reason, words)
    _require_running(found, words)
    id, author = _running(found, words)["id"], who()
    _hand_over(
        found,
        shadowing.end(found.data_folder, author, reason),
        lambda: one if (one := _told(found, id)) is not None and one["state"] != "running" else None,
        words,
    )
    reloading.note(found, author, "rules.drop", id, reason=reason)
    done(words("dropped", id=id))


def approve(
    number: Annotated[int, typer.Argument(min=1, help="The publication, as `foreshock rules history` numbers it.")],
    reason: ReasonOption = "",
    data: DataOption = None,
    language: LanguageOption = None,
) -> None:
    """Approve a publication that waits for a second person: it takes force at once. Not one's own.

    foreshock rules approve 4
    """
    words = _decide(number, True, reason, data, language)
    done(words("approved", number=number))


def reject(
    number: Annotated[int, typer.Argument(min=1, help="The publication, as `foreshock rules history` numbers it.")],
    reason: ReasonOption = "",
    data: DataOption = None,
    language: LanguageOption = None,
) -> None:
    """Reject a publication that waits for a second person; one may take one's own back.

    foreshock rules reject 4 --reason "no lead time left on the north slope"
    """
    words = _decide(number, False, reason, data, language)
    done(words("rejected", number=number))


def waiting(found: Settings) -> list[dict[str, Any]]:
    """List the publications that waited for a second person, the latest first; none where there is no journal."""
    with contextlib.suppress(JournalMissing):
        return Reader(found.journal_url).proposals()
    return []


def _decide(number: int, approved: bool, reason: str, data: Path | None, language: Language | None) -> Words:
    """Decide about what waits and wait until that is in the journal; end the command with a sentence when it is not."""
    found = configured(data=data)
    content, words = in_force(found.data_folder, language)
    if not approved:
        _require_reason(reason, words)
    _require_running(found, words)
    author = who()
    partition = Registry(content.site).partition(SYSTEM)
    decision = Decision(
        id=uuid.uuid4().hex, number=number, approve=approved, actor=author, time=time.time(), reason=reason[:500]
    )
    record = (OBSERVATIONS, partition, None, observation.encode(decision))
    answer = _hand_over(found, [record], lambda: Reader(found.journal_url).result(decision.id), words)
    action = "rules.approve" if approved else "rules.reject"
    refused = {} if answer["ok"] else {"refused": answer["reason"]}
    reloading.note(found, author, action, str(number), reason=reason, **refused)
    if not answer["ok"]:
        fail(words("refused", why=messages.text(answer["reason"], words.language)))
    return words


def _hand_over(
    found: Settings,
    records: Sequence[tuple[str, int, bytes | None, bytes]],
    told: Callable[[], dict[str, Any] | None],
    words: Words,
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
        fail(words("no_answer", folder=found.data_folder, error=str(error) or words("time_out")))


def _told(found: Settings, id: str) -> dict[str, Any] | None:
    return shadow.status(Reader(found.journal_url).engine, id)


def _status(found: Settings) -> dict[str, Any] | None:
    try:
        return shadow.status(Reader(found.journal_url).engine)
    except JournalMissing as error:
        fail(str(error))


def _running(found: Settings, words: Words) -> dict[str, Any]:
    one = _status(found)
    if one is None or one["state"] != "running":
        fail(words("no_shadow"))
    return one


def _show(told: dict[str, Any] | None, words: Words, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode(told).decode())
        return
    if told is None:
        done(words("never_shadow"))
        return

    def counted(counts: dict[str, int]) -> str:
        return words("joined").join(words("count_of", what=words(how), count=count) for how, count in counts.items())

    since = local(told["began"], words.zone) if told["began"] is not None else words("never")
    state = words(f"state_{told['state']}")
    id = f"[bold]{plain(told['id'])}[/bold]"
    out.print(words("shadow_since", id=id, state=state, rules=told["rules"], since=since))
    out.print(f"  {plain(told['author'])}: {plain(told['reason'])}")
    if told["fault"]:
        wrong(told["fault"])
    out.print(f"  {counted(told['counts'])}")
    for name, each in (("rule_of", told["by_rule"]), ("area_of", told["by_area"])):
        for id, counts in each.items():
            differs = {how: count for how, count in counts.items() if count and how != "same"}
            if differs:
                out.print(f"    {words(name, id=plain(id), counts=counted(differs))}")
    for one in told["verdicts"][:20]:
        how = words(one["how"])
        if one["seconds"]:
            how += words("by_seconds", seconds=f"{abs(one['seconds']):.0f}")
        levels = " → ".join(words(one[side] or "nothing") for side in ("before", "after"))
        where = words("rule_at", rule=one["rule"], scope=one["scope"])
        out.print(plain(f"  {local(one['begun'], words.zone)}  {how}  {where}  {levels}"))


def _require_reason(reason: str, words: Words) -> None:
    if not reason.strip():
        fail(words("say_why"))


def _require_running(found: Settings, words: Words) -> None:
    if holder(found.data_folder) is None:
        fail(words("nothing_runs", folder=found.data_folder), 3)
