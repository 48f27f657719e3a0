"""`foreshock users` and `foreshock tokens`: who may use the console and the API."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table
from sqlalchemy.exc import DBAPIError

from alerts.console import messages, persons
from alerts.console.accounts import audit, first, second
from alerts.console.accounts import tokens as token_store
from alerts.console.accounts import users as user_store
from alerts.console.accounts.store import AccountError, Accounts, open_accounts
from alerts.console.permissions import ROLES
from alerts.console.rule_words import meant
from scripts.commands.spoken import heads, language, said
from scripts.commands.terminal import (
    DataOption,
    JsonOption,
    configured,
    done,
    fail,
    local,
    out,
    plain,
    require_run,
    tell,
    warn,
    who,
)
from sensors.document import DocumentError
from sensors.registry import load_site
from sensors.site import Site
from streams import bundle, publication

users = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Accounts of the console: add, list, change, disable; who did what.",
)
tokens = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="Tokens of the HTTP API: add, list, revoke."
)

SiteOption = Annotated[
    Path | None,
    typer.Option(
        "--site", help="Folder of the site that has the unit and the places; if not given, what last ran on the data."
    ),
]
PlaceOption = Annotated[
    list[str] | None,
    typer.Option("--place", help="Confine it to a district, subdistrict, community or area; may be repeated."),
]
RoleOption = Annotated[list[str], typer.Option("--role", help=f"One of {', '.join(ROLES)}; may be repeated.")]


@contextmanager
def _open(data: Path | None, *, make: bool = False) -> Iterator[Accounts]:
    """Open the account store of a data folder; end with a sentence on a refused request.

    Only with `make` is a store made where there is none: what asks or changes must not leave one at a mistyped folder.
    """
    found = configured(data=data)
    folder, place = found.data_folder, found.accounts_at
    if not make and isinstance(place, Path):
        require_run(place)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        accounts = open_accounts(place)
    except OSError as error:
        fail(f"cannot use the data folder {folder}: {error.strerror or error}")
    except DBAPIError as error:
        fail(f"cannot use the data folder {folder}: {error.orig}")
    try:
        yield accounts
    except AccountError as error:
        clause, mark, hint = str(error).partition(" (did you mean")
        known = said(clause)  # what names the word that is wrong
        if language() != "en" and known == clause:
            fail(messages.text(error.code, "zh-CN"))
        fail(known + meant(mark + hint, language()))
    except DBAPIError as error:
        fail(f"cannot write to {folder}: {error.orig}")
    finally:
        accounts.close()


def _site(data: Path | None, site: Path | None) -> Site:
    """Read the site that runs on the data folder, or that of `--site`; end with a sentence if there is none."""
    found = configured(data=data, site=site)
    if site is None:
        try:
            return bundle.unpack(publication.read(found.data_folder)).site
        except (FileNotFoundError, msgspec.DecodeError, bundle.BundleError):
            pass  # nothing has run here yet
    try:
        return load_site(found.site_folder)
    except DocumentError as error:
        fail(f"the site is not sound: {error.problems[0]} (see `foreshock check {found.site_folder}`)")


def _known(
    data: Path | None, folder: Path | None, unit: str | None, places: list[str] | None
) -> tuple[set[str] | None, set[str] | None]:
    """Return the ids of units, and of places and areas, that what is named is held against; None for what is not."""
    if not unit and not places:
        return None, None
    site = _site(data, folder)
    return {one.id for one in site.units}, {one.id for one in (*site.places, *site.areas)}


def _password(text: str = "Password: ") -> str:
    """Ask for a password twice at a terminal, or read it from standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return str(typer.prompt(said(text), hide_input=True, confirmation_prompt=True, prompt_suffix=""))


@users.command("add")
def add_user(
    name: Annotated[str, typer.Argument(help="Log-in name.")],
    role: RoleOption,
    display: Annotated[str, typer.Option(help="Name as people read it.")] = "",
    unit: Annotated[str | None, typer.Option(help="The unit that a field account acts for.")] = None,
    language: Annotated[str | None, typer.Option(help="zh-CN or en.")] = None,
    place: PlaceOption = None,
    data: DataOption = None,
    site: SiteOption = None,
) -> None:
    """Add an account. The password is asked for, or read from standard input; it is never an option.

    foreshock users add chen --role duty --display 陈静

    foreshock users add team7 --role field --unit team-xinan-fanshen < password.txt

    foreshock users add shiyan --role duty --place shiyan
    """
    units, known = _known(data, site, unit, place)
    with _open(data, make=True) as accounts:
        user_store.check_unit(role, unit, units)  # before the password is asked for
        user_store.check_places(role, place or (), known)
        user = user_store.add_user(
            accounts,
            name,
            _password(),
            role,
            display=display,
            unit=unit,
            language=language,
            places=place or (),
            units=units,
            known=known,
            actor=who(),
        )
        done(f"{user.name} added with {', '.join(user.roles)}")


@users.command("second-step")
def second_step(
    name: Annotated[str, typer.Argument(help="Log-in name.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take it away: the password alone is enough again.")] = False,
    data: DataOption = None,
) -> None:
    """Say whether an account gives a code beside its password, or take that away from who lost their telephone.

    It is set up on the page, by the person: My account.

    foreshock users second-step li --remove
    """
    with _open(data) as accounts:
        found = user_store.find_user(accounts, name)
        if found is None:
            fail(f"there is no account {name}")
        if remove:
            second.remove_second(accounts, name, actor=who())
            done(f"{found.name} logs in with the password alone")
        else:
            tell(f"{found.name}: a second step" if found.second else f"{found.name}: no second step")


@users.command("list")
def list_users(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the accounts: who may log in, in which roles, for which unit and places."""
    with _open(data) as accounts:
        found = user_store.list_users(accounts)
        if as_json:
            print(msgspec.json.encode(found).decode())
            return
        table = Table(*heads("name", "display", "roles", "unit", "places", "state"))
        for user in found:
            table.add_row(
                plain(user.name),
                plain(user.display),
                " ".join(user.roles),
                plain(user.unit or ""),
                plain(" ".join(user.places)),
                said("erased" if user.erased else "disabled" if user.disabled else "active"),
            )
        out.print(
            table if found else said("no accounts yet; `foreshock run` prints a link for the first administrator")
        )


@users.command("password")
def set_password(name: Annotated[str, typer.Argument(help="Log-in name.")], data: DataOption = None) -> None:
    """Set an account's password, asked for or read from standard input; its sessions end."""
    with _open(data) as accounts:
        user_store.set_password(accounts, name, _password(), actor=who())
        done(f"password of {name} set; its sessions have ended")


@users.command("disable")
def disable_user(name: Annotated[str, typer.Argument(help="Log-in name.")], data: DataOption = None) -> None:
    """Disable an account; its sessions end. The last administrator cannot be disabled."""
    with _open(data) as accounts:
        user_store.disable_user(accounts, name, actor=who())
        done(f"{name} is disabled")


@users.command("export")
def export_person(name: Annotated[str, typer.Argument(help="Log-in name.")], data: DataOption = None) -> None:
    """Print all that accounts and journal hold of a person, as JSON, for that person; it is audited.

    foreshock users export li > li.json
    """
    with _open(data) as accounts:
        told = persons.give(accounts, configured(data=data).journal_url, name, actor=who())
        print(msgspec.json.format(msgspec.json.encode(told)).decode())


@users.command("erase")
def erase_person(
    name: Annotated[str, typer.Argument(help="Log-in name.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without this nothing is changed.")] = False,
    data: DataOption = None,
) -> None:
    """Take away all that is kept of a person but the audit; the account is disabled for good, its tokens end.

    The account's name stays taken, and in the audit. What the journal says of them in cases that are open is counted:
    do it again once these are over. Reports about somebody are taken away on the page, under Accounts.

    foreshock users erase li --yes
    """
    with _open(data) as accounts:
        if not yes:
            fail(f"this cannot be undone: `foreshock users erase {name} --yes` does it")
        user, found = persons.take_away(accounts, configured(data=data).journal_url, name, actor=who())
        done(f"{user.name} is erased, in {found.lines} line(s) of the journal, too; the audit stays")
        if found.left:
            warn(f"{found.left} are in what is open: do it again once that is over")


@users.command("first-link")
def first_link(
    url: Annotated[str | None, typer.Option(help="The console's own address.")] = None, data: DataOption = None
) -> None:
    """Print a fresh one-time link for the first administrator, as long as there is none."""
    found = configured()
    with _open(data, make=True) as accounts:
        link = first.first_link(accounts, url or f"http://{found.host}:{found.port}")
        if link is None:
            fail("there is an administrator already; ask them, or use `foreshock users password NAME`")
        print(link)


@users.command("audit")
def show_audit(
    actor: Annotated[str, typer.Option(help="Who: user:li, user:root@terminal, token:probe, address:10.0.0.7.")] = "",
    action: Annotated[str, typer.Option(help="What: user.add, session.refused, or all of a kind: command.")] = "",
    target: Annotated[str, typer.Option(help="To what: an account, a token's id, an incident's id.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Entries to show, the newest.")] = 50,
    before: Annotated[int | None, typer.Option(min=1, help="Only entries before this one.")] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who did what, the newest first, and check that nothing was changed or taken out since.

    Each entry is hashed over the one before it. Exit code 1 when the chain does not hold. That the latest entries were
    cut off it cannot show: keep a backup elsewhere.

    foreshock users audit --action command --actor user:li
    """
    with _open(data) as accounts:
        found = audit.list_audit(accounts, actor=actor, action=action, target=target, limit=limit, before=before)
        broken = audit.audit_break(accounts)
        if as_json:
            print(msgspec.json.encode({"items": found, "broken": broken}).decode())
        else:
            table = Table(*heads("entry", "time (UTC)", "who", "what", "to what", "detail"))
            for entry in found:
                told = ", ".join(f"{name} {value}" for name, value in entry.detail.items())
                cells = (entry.actor, entry.action, entry.target, told)
                table.add_row(str(entry.sequence), local(entry.time, "UTC"), *map(plain, cells))
            out.print(table if found else said("no such entries"))
        if broken is not None:
            fail(f"the audit does not hold: entry {broken} or one before it was changed or taken out since it was made")
        if not as_json:
            done("the audit holds: nothing was changed or taken out")


@tokens.command("add")
def add_token(
    name: Annotated[str, typer.Argument(help="What the token is for.")],
    role: RoleOption,
    days: Annotated[float, typer.Option(help="Days until it expires.")] = 90.0,
    unit: Annotated[str | None, typer.Option(help="The unit that a field token acts for.")] = None,
    place: PlaceOption = None,
    data: DataOption = None,
    site: SiteOption = None,
) -> None:
    """Make a token for the HTTP API and print its secret, this once.

    foreshock tokens add dashboard --role viewer --days 365
    """
    units, known = _known(data, site, unit, place)
    with _open(data, make=True) as accounts:
        _, secret = token_store.add_token(
            accounts, name, role, days=days, unit=unit, places=place or (), units=units, known=known, actor=who()
        )
        print(secret)


@tokens.command("list")
def list_tokens(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the tokens, without their secrets."""
    zone = "UTC"
    with _open(data) as accounts:
        found = token_store.list_tokens(accounts)
        if as_json:
            print(msgspec.json.encode(found).decode())
            return
        table = Table(*heads("id", "name", "roles", "places", "expires", "used", "state"))
        for token in found:
            state = said("revoked" if token.revoked else "active")
            row = (
                token.id,
                plain(token.name),
                " ".join(token.roles),
                plain(" ".join(token.places)),
                local(token.expires, zone),
                local(token.used, zone),
            )
            table.add_row(*row, state)
        out.print(table if found else said("no tokens yet; make one with `foreshock tokens add NAME --role viewer`"))


@tokens.command("revoke")
def revoke_token(token: Annotated[str, typer.Argument(help="Id or name.")], data: DataOption = None) -> None:
    """Revoke a token: from now on no request with it is answered. Where several have the name, say which by its id.

    foreshock tokens revoke dashboard
    """
    with _open(data) as accounts:
        revoked = token_store.revoke_token(accounts, token, actor=who())
        done(f"{revoked.name} ({revoked.id}) is revoked")
