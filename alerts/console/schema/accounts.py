"""Accounts, sessions and tokens."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from alerts.console.schema.base import Answer, Body, Language, Role, Text


class LogIn(Body):
    """A name and its password."""

    name: str = Field(max_length=200)
    password: str = Field(max_length=1024)
    code: str = Field("", max_length=20)  # of the second step, where the account has one


class Confirm(Body):
    """One's own password, given once more; empty from who signs in by a provider."""

    password: str = Field(max_length=1024)


class SignInBy(Answer):
    """By what one signs in, beside a password: the provider's name, where there is one."""

    provider: Text | None


class Code(Body):
    """A code of the second step."""

    code: str = Field(min_length=6, max_length=20)


class SecondStep(Answer):
    """A new secret of a second step: as text (base32), as the address that apps read, and that as a picture (data:)."""

    secret: str
    address: str
    picture: str


class FirstAdministrator(Body):
    """The first administrator, with the one-time link's token."""

    name: str = Field(max_length=200)
    password: str = Field(max_length=1024)
    token: str = Field(max_length=200)


class SiteName(Answer):
    """Which site this is."""

    id: str
    name: Text


class Me(Answer):
    """Who is logged in. `csrf` goes into the header X-Foreshock-CSRF of every write."""

    name: str
    display: str
    roles: list[Role]
    unit: str | None
    places: list[str]
    language: Language | None
    second: bool = False  # whether one gives a code beside the password
    second_needed: bool = False  # whether one has to set that up, or to give a code, before anything else
    second_kept: bool = False  # whether one may not take it away
    external: bool = False  # whether one signs in by a provider
    csrf: str
    zone: str
    site: SiteName


class User(Answer):
    """One account."""

    name: str
    display: str
    roles: list[Role]
    unit: str | None
    places: list[str]
    language: Language | None
    disabled: bool
    created: float
    second: bool = False  # whether it gives a code beside its password
    external: bool = False  # whether it signs in by a provider, which says what it may do
    erased: bool = False  # whether all that was kept of its holder is gone: it stays as it is for good


class Session(Answer):
    """One session that is open. `mine` is the one that asks. Times are unix seconds."""

    id: str
    user: str
    created: float
    seen: float
    expires: float
    address: str
    agent: str
    mine: bool


class Sessions(Answer):
    """The sessions that are open."""

    items: list[Session]


class Users(Answer):
    """All accounts."""

    items: list[User]


class NewUser(Body):
    """An account to add."""

    name: str = Field(max_length=200)
    password: str = Field(max_length=1024)
    roles: list[str] = Field(max_length=20)
    display: str = Field("", max_length=400)
    unit: str | None = Field(None, max_length=128)
    places: list[str] = Field(default_factory=list, max_length=100)
    language: str | None = Field(None, max_length=20)


class UserChange(Body):
    """What to change in an account; what is left out stays."""

    roles: list[str] | None = Field(None, max_length=20)
    display: str | None = Field(None, max_length=400)
    unit: str | None = Field(None, max_length=128)
    places: list[str] | None = Field(None, max_length=100)
    language: str | None = Field(None, max_length=20)
    disabled: bool | None = None
    password: str | None = Field(None, max_length=1024)


class Token(Answer):
    """One API token. Times are unix seconds."""

    id: str
    name: str
    roles: list[Role]
    unit: str | None
    places: list[str]
    author: str
    created: float
    expires: float
    used: float | None
    revoked: bool


class Tokens(Answer):
    """All API tokens, the newest first."""

    items: list[Token]


class NewToken(Body):
    """A token to make."""

    name: str = Field(max_length=200)
    roles: list[str] = Field(max_length=20)
    days: float = Field(90.0, strict=False)
    unit: str | None = Field(None, max_length=128)
    places: list[str] = Field(default_factory=list, max_length=100)


class AuditEntry(Answer):
    """Who did what to what. `detail` has no secrets."""

    sequence: int
    time: float
    actor: str
    action: str
    target: str
    detail: dict[str, Any]


class Audit(Answer):
    """A page of the audit, the newest first. `next` is the `before` of the page after.

    The first page is `checked`: `broken` names the first entry at which the chain of hashes does not hold, if any.
    """

    items: list[AuditEntry]
    next: int | None = None
    checked: bool = False
    broken: int | None = None


class Personal(Answer):
    """What is kept of a person: the account, its sessions, drafts of rules and tokens, what it did (the audit), and
    each line of the journal that names it, with the name of its table.
    """

    account: dict[str, Any]
    sessions: list[dict[str, Any]]
    drafts: list[dict[str, Any]]
    tokens: list[dict[str, Any]]
    audit: list[AuditEntry]
    journal: list[dict[str, Any]]


class ErasedUser(User):
    """An account that was erased. `lines` of the journal changed, `left` are in what is open: ask again later."""

    lines: int
    left: int


class Subject(Body):
    """Whom reports are about, as they were called in them: a telephone number, for example."""

    subject: str = Field(min_length=1, max_length=200)


class AboutSubject(Answer):
    """The reports about somebody, the newest first. `subject` is the keyed hash under which they are kept."""

    subject: str
    items: list[dict[str, Any]]


class ErasedSubject(Answer):
    """What was removed of somebody. `left` reports are where something is open: ask again once it is over."""

    subject: str
    lines: int
    left: int


class MadeToken(Token):
    """A new token with its secret, which is shown this once."""

    secret: str
