"""Users: names, roles and passwords."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Collection, Iterable
from typing import Any

import argon2
import msgspec
from sqlalchemy import Connection, insert, select, update

from alerts.console.accounts.audit import append
from alerts.console.accounts.sessions import revoke_all
from alerts.console.accounts.store import NO_PASSWORD, USERS, AccountError, Accounts
from alerts.console.permissions import OWN_UNIT, ROLES, WHOLE_SITE
from sensors.problem import suggest

LANGUAGES = ("zh-CN", "en")
SHORTEST, LONGEST = 10, 256
_NAME_PUNCTUATION = frozenset("._-@")


class User(msgspec.Struct, frozen=True, kw_only=True):
    """One account. `unit` is the unit it acts for, `language` its choice or None, `places` what it is confined to.

    `second` says whether it gives a code of its own beside its password, `external` that it has none: it signs in by a
    provider, which also says what it may do. One that is `erased` has neither: it stays as it is for good.
    """

    name: str
    display: str
    roles: tuple[str, ...]
    unit: str | None
    language: str | None
    disabled: bool
    created: float
    places: tuple[str, ...] = ()
    second: bool = False
    external: bool = False
    erased: bool = False


def add_user(
    accounts: Accounts,
    name: str,
    password: str,
    roles: Iterable[str],
    *,
    display: str = "",
    unit: str | None = None,
    language: str | None = None,
    places: Iterable[str] = (),
    units: Collection[str] | None = None,
    known: Collection[str] | None = None,
    actor: str = "cli",
    now: float | None = None,
) -> User:
    """Add an account. `units` are the site's unit ids, `known` those of its places and areas, checked if given.

    Raise `AccountError` on a bad or taken name, a weak password, an unknown role, a field account without a unit, or
    places for a role of the whole site.
    """
    hashed = accounts.hasher.hash(checked_password(password, name))
    with accounts.writing() as connection:
        return insert_user(
            connection,
            name,
            hashed,
            roles,
            display=display,
            unit=unit,
            language=language,
            places=places,
            units=units,
            known=known,
            actor=actor,
            now=time.time() if now is None else now,
        )


def list_users(accounts: Accounts) -> list[User]:
    """List all accounts by name."""
    with accounts.reading() as connection:
        return [user_of(row) for row in connection.execute(select(USERS).order_by(USERS.c.name))]


def find_user(accounts: Accounts, name: str) -> User | None:
    """Find one account by name."""
    with accounts.reading() as connection:
        row = connection.execute(select(USERS).where(USERS.c.name == normal_name(name))).first()
    return user_of(row) if row else None


def change_user(
    accounts: Accounts,
    name: str,
    *,
    roles: Iterable[str] | None = None,
    display: str | None = None,
    unit: str | msgspec.UnsetType | None = msgspec.UNSET,
    language: str | msgspec.UnsetType | None = msgspec.UNSET,
    places: Iterable[str] | None = None,
    disabled: bool | None = None,
    units: Collection[str] | None = None,
    known: Collection[str] | None = None,
    by_provider: bool = False,
    actor: str = "cli",
    now: float | None = None,
) -> User:
    """Change what is given. A disabled account loses its sessions. Raise `AccountError` when there is no such account,
    it is erased, no administrator with a password would remain, or what it may do is a provider's to say.
    """
    now = time.time() if now is None else now
    with accounts.writing() as connection:
        before = usable(connection, name)
        granted = (roles, places, None if unit is msgspec.UNSET else (unit,))
        if before.external and not by_provider and any(one is not None for one in granted):
            raise AccountError("external", f"the provider says what {before.name} may do", "name")
        after = msgspec.structs.replace(
            before,
            roles=before.roles if roles is None else checked_roles(roles),
            display=before.display if display is None else checked_display(display, before.name),
            unit=before.unit if unit is msgspec.UNSET else unit,
            language=before.language if language is msgspec.UNSET else checked_language(language),
            disabled=before.disabled if disabled is None else disabled,
            places=before.places if places is None else tuple(places),
        )
        check_unit(after.roles, after.unit, units)
        check_places(after.roles, after.places, known)
        if administers(before) and not administers(after) and administrators(connection) == 1:
            raise AccountError("last_administrator", f"{before.name} is the last administrator")
        changed = {
            key: getattr(after, key)
            for key in ("roles", "display", "unit", "places", "language", "disabled")
            if getattr(after, key) != getattr(before, key)
        }
        if changed:
            stored = {**changed, "roles": " ".join(after.roles), "places": " ".join(after.places)}
            connection.execute(update(USERS).where(USERS.c.name == before.name).values(**stored, changed=now))
            append(connection, actor, "user.change", before.name, changed, now)
        if after.disabled:
            revoke_all(connection, before.name, now)
    return after


def disable_user(
    accounts: Accounts, name: str, *, disabled: bool = True, actor: str = "cli", now: float | None = None
) -> User:
    """Disable (or enable) an account. Raise `AccountError` as `change_user` does."""
    return change_user(accounts, name, disabled=disabled, actor=actor, now=now)


def set_password(accounts: Accounts, name: str, password: str, *, actor: str = "cli", now: float | None = None) -> None:
    """Set a password and end all the account's sessions.

    Raise `AccountError` on a weak one, or an account that is unknown, erased or a provider's.
    """
    now = time.time() if now is None else now
    hashed = accounts.hasher.hash(checked_password(password, name))
    with accounts.writing() as connection:
        user = usable(connection, name)
        if user.external:
            raise AccountError("external", f"{user.name} has no password here: it signs in by a provider", "name")
        connection.execute(update(USERS).where(USERS.c.name == user.name).values(password=hashed, changed=now))
        revoke_all(connection, user.name, now)
        append(connection, actor, "user.password", user.name, {}, now)


def check_password(accounts: Accounts, name: str, password: str) -> User | None:
    """Return the account whose password this is, or None. Takes the same time whether or not the name exists."""
    with accounts.reading() as connection:
        row = connection.execute(select(USERS).where(USERS.c.name == normal_name(name))).first()
    if row is None or len(password) > LONGEST:
        accounts.hasher.hash("the time that a wrong password takes")
        return None
    try:
        accounts.hasher.verify(row.password, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return None
    if row.disabled:
        return None
    if accounts.hasher.check_needs_rehash(row.password):
        with accounts.writing() as connection:
            connection.execute(
                update(USERS)
                .where(USERS.c.name == row.name, USERS.c.password == row.password)
                .values(password=accounts.hasher.hash(password))
            )
    return user_of(row)


def insert_user(
    connection: Connection,
    name: str,
    hashed: str,
    roles: Iterable[str],
    *,
    display: str,
    unit: str | None,
    language: str | None,
    places: Iterable[str] = (),
    units: Collection[str] | None,
    known: Collection[str] | None = None,
    issuer: str | None = None,
    subject: str | None = None,
    disabled: bool = False,
    actor: str,
    now: float,
) -> User:
    """Insert an account whose password is hashed already, within a transaction. Raise `AccountError`.

    One that signs in by a provider has its `issuer` and `subject`, and no password.
    """
    user = User(
        name=checked_name(name),
        display=checked_display(display, name),
        roles=checked_roles(roles),
        unit=unit or None,
        language=checked_language(language),
        disabled=disabled,
        created=now,
        places=tuple(places),
        external=issuer is not None,
    )
    check_unit(user.roles, user.unit, units)
    check_places(user.roles, user.places, known)
    if connection.execute(select(USERS.c.name).where(USERS.c.name == user.name)).first():
        raise AccountError("name_taken", f"there is an account {user.name} already", "name")
    lists = {"roles": " ".join(user.roles), "places": " ".join(user.places), "second": None}
    row: dict[str, Any] = msgspec.structs.asdict(user) | lists | {"issuer": issuer, "subject": subject}
    del row["external"], row["erased"]
    connection.execute(insert(USERS).values(**row, password=hashed, changed=now))
    append(
        connection, actor, "user.add", user.name, {"roles": user.roles, "unit": user.unit, "places": user.places}, now
    )
    return user


def user_of(row: Any) -> User:
    """Read an account from its row."""
    return User(
        name=row.name,
        display=row.display,
        roles=tuple(row.roles.split()),
        unit=row.unit,
        language=row.language,
        disabled=bool(row.disabled),
        created=row.created,
        places=tuple(row.places.split()),
        second=row.second is not None,
        external=row.issuer is not None,
        erased=row.issuer is None and row.password == NO_PASSWORD,
    )


def normal_name(name: str) -> str:
    """Bring a name to the form in which it is stored: NFKC, case folded, without outer space."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def checked_name(name: str) -> str:
    """Return the stored form of a name. Raise `AccountError` when it cannot be one."""
    normal = normal_name(name)
    good = all(letter.isalnum() or letter in _NAME_PUNCTUATION for letter in normal)
    if not 0 < len(normal) <= 64 or not good or not normal[0].isalnum():
        raise AccountError("bad_name", "a name is 1 to 64 letters, digits and . _ - @, a letter or digit first", "name")
    return normal


def checked_password(password: str, name: str) -> str:
    """Return a password that is long enough. Raise `AccountError` otherwise."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccountError("weak_password", f"a password has {SHORTEST} to {LONGEST} characters", "password")
    if password.casefold() == normal_name(name) or len(set(password)) < 4:
        raise AccountError("weak_password", "a password is not the name, nor a few characters repeated", "password")
    return password


def checked_roles(roles: Iterable[str]) -> tuple[str, ...]:
    """Return the roles in the order of `ROLES`. Raise `AccountError` on none or on an unknown one."""
    asked = set(roles)
    unknown = sorted(asked - set(ROLES))
    if unknown or not asked:
        what = f"no role {', '.join(unknown)}" if unknown else "no role given"
        raise AccountError("bad_role", f"{what}; the roles are {', '.join(ROLES)}", "roles")
    return tuple(role for role in ROLES if role in asked)


def checked_language(language: str | None) -> str | None:
    """Return a language that the console speaks, or None. Raise `AccountError` otherwise."""
    if language is not None and language not in LANGUAGES:
        raise AccountError("bad_language", f"the console speaks {' and '.join(LANGUAGES)}", "language")
    return language


def checked_display(display: str, name: str) -> str:
    """Return the name to show, the account's own if there is none. Raise `AccountError` when it is too long."""
    text = "".join(letter for letter in display.strip() if letter.isprintable())
    if len(text) > 100:
        raise AccountError("bad_display", "a name to show has at most 100 characters", "display")
    return text or normal_name(name)


def check_unit(roles: Collection[str], unit: str | None, units: Collection[str] | None) -> None:
    """Raise `AccountError` when a field account has no unit, or the site has no such unit."""
    if OWN_UNIT in roles and not unit:
        raise AccountError("unit_needed", "an account with the role field needs a unit", "unit")
    if unit and units is not None and unit not in units:
        raise AccountError("unknown_unit", f"the site has no unit {unit}{suggest(unit, units)}", "unit")


def check_places(roles: Collection[str], places: Collection[str], known: Collection[str] | None) -> None:
    """Raise `AccountError` when a role of the whole site is confined to places, or the site has no such place."""
    if places and not WHOLE_SITE.isdisjoint(roles):
        whole = ", ".join(role for role in ROLES if role in WHOLE_SITE)
        raise AccountError("places_whole", f"the work of {whole} is the whole site's: name no places", "places")
    for place in places:
        if not place or place.split() != [place] or (known is not None and place not in known):
            hint = suggest(place, known) if known is not None else ""
            raise AccountError("unknown_place", f"the site has no place or area {place!r}{hint}", "places")


def existing(connection: Connection, name: str) -> User:
    """Find an account within a transaction. Raise `AccountError` when there is none."""
    row = connection.execute(select(USERS).where(USERS.c.name == normal_name(name))).first()
    if row is None:
        raise AccountError("unknown_user", f"there is no account {name}", "name")
    return user_of(row)


def usable(connection: Connection, name: str) -> User:
    """Find an account that can be changed, within a transaction. Raise `AccountError` when it is unknown or erased."""
    user = existing(connection, name)
    if user.erased:
        raise AccountError("erased", f"the account {user.name} was erased, for good", "name")
    return user


def administers(user: User) -> bool:
    """Tell who can administer whatever becomes of the provider."""
    return "administrator" in user.roles and not user.disabled and not user.external


def administrators(connection: Connection) -> int:
    """Count who can administer, within a transaction."""
    rows = connection.execute(select(USERS).where(USERS.c.disabled.is_(False)))
    return sum(administers(user_of(row)) for row in rows)
