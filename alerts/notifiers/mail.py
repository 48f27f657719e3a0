"""Mail over SMTP (RFC 5321), with TLS unless a target says otherwise: one message to one person.

The `Message-ID` is made from the notice's id and the target's name, so that a repeat is recognised as one; the body is
two plain texts (RFC 2046 `multipart/mixed`), each with its `Content-Language` (RFC 3282).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import aiosmtplib

from alerts.notifiers.address import resolve
from alerts.notifiers.notice import Failed, Notice, Rejected, Unavailable
from alerts.notifiers.targets import MailTarget, TargetError, read_secret
from alerts.notifiers.wording import Voice, say

_PORTS = {"starttls": 587, "implicit": 465, "none": 25}
_LEAVE = 2.0  # seconds that the answer to a good-bye is waited for


class _NamedContext(ssl.SSLContext):
    """Check a certificate against the name that a target gave: the connection itself is made to an address."""

    host: str

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        """Wrap as ever, under the name."""
        return super().wrap_bio(*arguments, **{**named, "server_hostname": self.host})


class MailSender:
    """Deliver to one address. The server's address is checked at every attempt and then kept to."""

    retained = False
    areas: Sequence[str] = ()

    def __init__(self, target: MailTarget, voice: Voice, code: Callable[[Notice], str] = lambda _: "") -> None:
        self.target, self.voice, self._code = target, voice, code
        if len(target.to) != 1:
            raise TargetError(f"{target.name}: a sender of mail has one recipient")
        self._password = read_secret(target.password_env, target.password_file)
        if target.username and not self._password:
            raise TargetError(f"{target.name}: a username needs password_env or password_file")
        if self._password and target.tls == "none":
            raise TargetError(f"{target.name}: a password is sent over TLS only")
        self._context = _context(target) if target.tls != "none" else None
        self._leaving: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Need nothing: each message has a connection of its own."""

    async def close(self) -> None:
        """Take leave of the servers that messages were handed to."""
        await asyncio.gather(*self._leaving)

    def wants(self, kind: str, simulated: bool) -> bool:
        """Take dispatch events; simulated ones only as an exercise target."""
        return kind == "dispatch" and (not simulated or self.target.exercise)

    def take_stale(self) -> bool:
        """Say no: mail retains nothing."""
        return False

    async def send(self, notice: Notice) -> None:
        """Send one message; done when the server has taken it. Raise `Failed` for a refusal for now (4yz).

        Raise `Rejected` for one for good (5yz), `Unavailable` when no connection came about.
        """
        message = letter(notice, self.target, self.voice, self._code(notice))
        port = self.target.port or _PORTS[self.target.tls]
        connected = False
        try:
            async with asyncio.timeout(self.target.timeout):
                address = await resolve(self.target.host, port, allow_private=self.target.allow_private)
                server = aiosmtplib.SMTP(
                    hostname=address,
                    port=port,
                    use_tls=self.target.tls == "implicit",
                    start_tls=self.target.tls == "starttls",
                    tls_context=self._context,
                    timeout=self.target.timeout,
                    local_hostname="foreshock",
                    username=self.target.username or None,
                    password=self._password or None,
                )
                await server.connect()
                connected = True
                try:
                    await server.send_message(message, sender=self.target.sender, recipients=list(self.target.to))
                except asyncio.CancelledError:
                    server.close()
                    raise
                finally:
                    self._leave(server)
        except TimeoutError as error:
            failure = Failed if connected else Unavailable
            raise failure(f"no answer within {self.target.timeout:g} s") from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            first = error.recipients[0]
            raise _refused(first.code, first.message) from error
        except aiosmtplib.SMTPConnectResponseError as error:
            raise Unavailable(f"the server answered {error.code} at once") from error
        except aiosmtplib.SMTPAuthenticationError as error:
            raise Failed(f"the server does not take the name and password ({error.code})") from error
        except aiosmtplib.SMTPResponseException as error:
            raise _refused(error.code, error.message) from error
        except (aiosmtplib.SMTPException, OSError) as error:  # OSError: TLS, and names that are not known
            failure = Failed if connected else Unavailable
            raise failure(f"{type(error).__name__}: {str(error)[:200]}") from error

    def _leave(self, server: aiosmtplib.SMTP) -> None:
        """Say good-bye by the way: who waits for its answer would send again what was taken, were it killed then."""
        task = asyncio.create_task(_quit(server), name="take leave of a mail server")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


async def _quit(server: aiosmtplib.SMTP) -> None:
    try:
        await server.quit(timeout=_LEAVE)
    except (aiosmtplib.SMTPException, OSError):  # it has hung up already, or never will
        pass
    finally:
        server.close()


def letter(notice: Notice, target: MailTarget, voice: Voice, code: str = "") -> EmailMessage:
    """Write the mail of a notice; the same notice gives the same mail."""
    said = say(notice, voice, code)
    message = EmailMessage(policy=SMTP)
    message["Subject"] = said.subject
    message["From"] = target.sender
    message["To"] = ", ".join(target.to)
    message["Date"] = format_datetime(datetime.fromtimestamp(int(notice.time), UTC))
    message["Message-ID"] = message_id(notice.id, target)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    message["X-Foreshock-Id"] = notice.id
    if notice.kind != "digest" and notice.level == "red":
        message["Importance"] = "high"
    message.make_mixed(boundary=f"=_{blake2b(notice.id.encode(), digest_size=12).hexdigest()}")
    for language, body in said.bodies.items():
        part = EmailMessage(policy=SMTP)
        part.set_content(body + "\n", charset="utf-8", cte="base64", disposition="inline")
        part["Content-Language"] = "zh-CN" if language == "zh" else language
        message.attach(part)
    if notice.file:
        message.add_attachment(notice.file, maintype="application", subtype="pdf", filename=notice.name)
    return message


def message_id(id: str, target: MailTarget) -> str:
    """Name the mail of a notice to a target."""
    digest = blake2b(f"{id}\0{target.name}".encode(), digest_size=12).hexdigest()
    return f"<{digest}@{target.sender.rpartition('@')[2].rstrip('>')}>"


def _context(target: MailTarget) -> ssl.SSLContext:
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.host = target.host
    try:
        if target.ca_file:
            context.load_verify_locations(Path(target.ca_file))
        else:
            context.load_default_certs()
    except OSError as error:
        raise TargetError(f"{target.name}: cannot use ca_file {target.ca_file}: {error}") from error
    return context


def _refused(code: int, message: str) -> Failed | Rejected:
    said = f"answered {code} {' '.join(message.split())[:200]}"
    return Rejected(said) if code >= 500 else Failed(said)
