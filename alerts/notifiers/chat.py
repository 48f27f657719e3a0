"""Chat groups and gateways of short messages, through Apprise and a list of the services that are allowed.

An address (`dingtalk://…`) holds the service's secrets: it is read from a file or the environment and never logged.
Every connection that Apprise makes is checked as it is made, so that neither a redirect nor a name that suddenly has
another address leads into a private range.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar, copy_context
from functools import cache
from typing import Any

import apprise

from alerts.notifiers.address import is_public
from alerts.notifiers.notice import Failed, Notice, Unavailable
from alerts.notifiers.targets import ChatTarget, TargetError, read_secret
from alerts.notifiers.wording import Voice, say

_ALLOWED = (
    "dingtalk feishu lark wecombot wxpusher pushplus pushdeer pushdeers schan bark barks qq spugpush "  # China
    "slack tgram discord workflows gchat webex mmost mmosts rocket rockets matrix matrixs zulip synology "
    "synologys line signal signals ntfy ntfys gotify gotifys pover "
    "twilio vonage nexmo sns clicksend msgbird infobip sinch plivo bulksms d7sms httpsms smseagle smseagles threema "
    "json jsons form forms xml xmls"  # a gateway of one's own
)
SCHEMES = frozenset(_ALLOWED.split())
"""Services that may be used: each speaks HTTP. None of Apprise's that run programs, write files or the desktop."""

_LINES = 20
_checked: ContextVar[bool] = ContextVar("checked", default=False)

for _name in ("apprise", "urllib3", "requests"):  # what they log may hold an address's secrets
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)


class ChatSender:
    """Deliver to one address of Apprise, in a thread of its own: a service that hangs holds up nobody else."""

    retained = False
    areas: Sequence[str] = ()

    def __init__(self, target: ChatTarget, voice: Voice, code: Callable[[Notice], str] = lambda _: "") -> None:
        self.target, self.voice, self._code = target, voice, code
        if not (target.url_env or target.url_file):
            raise TargetError(f"{target.name}: a chat needs url_env or url_file")
        self._service = service(target)
        self._under_way: tuple[str, asyncio.Future[bool]] | None = None
        if not target.allow_private:
            _watch_connections()

    async def open(self) -> None:
        """Need nothing."""

    async def close(self) -> None:
        """Let go of nothing: a thread that still waits for its service ends with the process."""

    def wants(self, kind: str, simulated: bool) -> bool:
        """Take dispatch events; simulated ones only as an exercise target."""
        return kind == "dispatch" and (not simulated or self.target.exercise)

    def take_stale(self) -> bool:
        """Say no: a chat retains nothing."""
        return False

    async def send(self, notice: Notice) -> None:
        """Send one message, in both languages. Raise `Failed` when the service does not take it.

        Raise `Unavailable` while an earlier message is still under way. One that was given up and taken after all is
        not sent again.
        """
        if self._under_way is None:
            self._under_way = (notice.id, self._begin(notice))
        id, future = self._under_way
        try:
            async with asyncio.timeout(self.target.timeout):
                taken = await asyncio.shield(future)
        except TimeoutError as error:
            if id != notice.id:
                raise Unavailable("an earlier message is still under way") from error
            raise Failed(f"no answer within {self.target.timeout:g} s") from error
        self._under_way = None
        if id != notice.id:
            await self.send(notice)
        elif not taken:
            raise Failed("the service did not take it, or its address is private or wrong")

    def _begin(self, notice: Notice) -> asyncio.Future[bool]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        said = say(notice, self.voice, self._code(notice), _LINES)
        body = "\n\n".join(said.bodies.values())

        def finish(taken: bool) -> None:
            if not future.done():
                future.set_result(taken)

        def work() -> None:
            _checked.set(not self.target.allow_private)
            try:
                taken = bool(self._service.notify(body=body, title=said.subject))
            except Exception:  # a plug-in's own mistake: what it says may hold the address
                taken = False
            if not loop.is_closed():
                loop.call_soon_threadsafe(finish, taken)

        context = copy_context()
        threading.Thread(target=context.run, args=(work,), name=f"chat {self.target.name}", daemon=True).start()
        return future


def service(target: ChatTarget) -> Any:
    """Make a target's service. Raise `TargetError`, which never holds the address."""
    url = read_secret(target.url_env, target.url_file)
    scheme = url.partition("://")[0].lower()
    if scheme not in SCHEMES:
        shown = scheme if scheme.isalnum() and len(scheme) <= 20 else "what it begins with"
        raise TargetError(f"{target.name}: {shown} is not allowed; there are {', '.join(sorted(SCHEMES))}")
    if any(mark in url for mark in "\r\n ,"):
        raise TargetError(f"{target.name}: the address must be one, without spaces, commas and line breaks")
    asset = apprise.AppriseAsset(
        app_id="Foreshock",
        app_desc="Foreshock",
        app_url="",
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        plugin_paths=[],
        async_mode=False,
        secure_logging=True,
        http_redirects=False,
    )
    # the plug-in itself: Apprise's own dispatch would send from threads whose connections are not checked
    found = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if found is None:
        raise TargetError(f"{target.name}: the address is not one that {scheme} has")
    return found


@cache
def _watch_connections() -> None:
    """Have every connection of a chat's thread checked from now on."""
    sys.addaudithook(_check)


def _check(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _checked.get():
        address = arguments[1]
        if not (isinstance(address, tuple) and is_public(str(address[0]))):
            raise ConnectionRefusedError("not a public address")
