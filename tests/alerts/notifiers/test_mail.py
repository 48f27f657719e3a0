"""Mail to a real SMTP server on the loopback."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from alerts.notifiers import mail
from alerts.notifiers.mail import MailSender
from alerts.notifiers.notice import Failed, Notice, Rejected, Unavailable
from alerts.notifiers.targets import MailTarget, TargetError
from alerts.notifiers.wording import Voice
from scripts.ports import free_port


class Sink:
    """What a mail server took. `answers` are given in order in place of taking a message."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.encrypted: list[bool] = []
        self.users: list[Any] = []
        self.answers: list[str] = []
        self.refused: dict[str, str] = {}

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's own name
        self, _server: Any, _session: Session, envelope: Envelope, address: str, _: Any
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's own name
        self, _server: Any, session: Session, envelope: Envelope
    ) -> str:
        if self.answers:
            return self.answers.pop(0)
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(message_from_bytes(content, policy=policy.default))  # type: ignore[arg-type]
        self.envelopes.append(envelope)
        self.encrypted.append(session.ssl is not None)
        self.users.append(session.auth_data)
        return "250 OK"


@contextlib.contextmanager
def sink(it: Sink, port: int, **settings: Any) -> Iterator[None]:
    controller = Controller(it, hostname="127.0.0.1", port=port, **settings)
    controller.start()
    try:
        yield
    finally:
        controller.stop()


VOICE = Voice(
    site="test", name={"zh": "测试区", "en": "Test"}, zone="Asia/Shanghai", console="https://desk.example.org"
)


def target(port: int, **changes: Any) -> MailTarget:
    made = MailTarget(
        name="duty:li@example.org", host="127.0.0.1", port=port, tls="none", sender="Foreshock <f@example.org>",
        to=("li@example.org",), allow_private=True, timeout=5.0,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def notice(**data: Any) -> Notice:
    given = {
        "dispatch": "d-1", "incident": "i-1", "edge": "issued", "leg": "issued", "level": "red",
        "title": {"zh": "一号边坡：蠕变（红色）", "en": "Slope 1: creep (red)"},
        "area": {"id": "slope-1", "name": {"zh": "一号边坡", "en": "Slope 1"}},
        "unit": {"id": "team", "name": {"zh": "社区队", "en": "team"}},
        "deadline": "2026-11-27T00:05:00Z", "links": {"incident": "/#/incidents/i-1"}, "why": "3.2 mm/h", **data,
    }  # fmt: skip
    return Notice(
        id="d-1.1", kind="dispatch", area="slope-1", unit="team", simulated=False, time=1795737600.0,
        payload={"data": given},
    )  # fmt: skip


def send(made: MailSender, *notices: Notice) -> None:
    async def go() -> None:
        for one in notices:
            await made.send(one)

    asyncio.run(go())


def test_a_mail_says_it_in_both_languages_and_a_repeat_is_the_same_mail() -> None:
    it, port = Sink(), free_port()
    with sink(it, port):
        send(MailSender(target(port), VOICE, lambda _: "2345-6789-ABCD"), notice(), notice())
    first, second = it.mails
    assert first.as_bytes() == second.as_bytes()
    assert first["Message-ID"].endswith("@example.org>") and first["X-Foreshock-Id"] == "d-1.1"
    assert first["Subject"] == "一号边坡：蠕变（红色） · 下发"
    zh, en = first.iter_parts()  # type: ignore[misc]
    assert (zh["Content-Language"], en["Content-Language"]) == ("zh-CN", "en")
    assert "派往：社区队" in zh.get_content() and "须在 2026-11-27 08:05:00 前接单" in zh.get_content()
    assert "https://desk.example.org/reply/2345-6789-ABCD" in en.get_content()
    assert "Note:" not in en.get_content(), "a line without its field is left out"
    assert it.envelopes[0].rcpt_tos == ["li@example.org"]


def test_two_people_and_two_notices_have_other_ids() -> None:
    it, port = Sink(), free_port()
    with sink(it, port):
        send(MailSender(target(port), VOICE), notice(), msgspec.structs.replace(notice(), id="d-1.2"))
        send(MailSender(target(port, name="duty:wu@example.org", to=("wu@example.org",)), VOICE), notice())
    assert len({mail["Message-ID"] for mail in it.mails}) == 3


def test_what_an_event_says_cannot_add_a_header_or_a_line() -> None:
    it, port = Sink(), free_port()
    hostile = "x\r\nBcc: all@example.org\r\n\r\nbody"
    with sink(it, port):
        send(MailSender(target(port), VOICE), notice(title={"zh": hostile, "en": hostile}, why="a\nCode: 1234"))
    (mail,) = it.mails
    assert mail["Bcc"] is None and "\n" not in mail["Subject"]
    assert not any(
        line.startswith("Code: 1234") for part in mail.iter_parts() for line in part.get_content().split("\n")
    )


@pytest.mark.parametrize(
    ("answer", "failure"), [("451 later", Failed), ("552 too large", Rejected), ("421 going down", Failed)]
)
def test_a_refusal_for_now_is_tried_again_and_one_for_good_is_not(answer: str, failure: type[Exception]) -> None:
    it, port = Sink(), free_port()
    it.answers = [answer]
    with sink(it, port), pytest.raises(failure, match=answer[:3]):
        send(MailSender(target(port), VOICE), notice())
    assert it.mails == []


def test_an_unknown_recipient_is_a_dead_letter() -> None:
    it, port = Sink(), free_port()
    it.refused = {"li@example.org": "550 nobody here"}
    with sink(it, port), pytest.raises(Rejected, match="550 nobody here"):
        send(MailSender(target(port), VOICE), notice())


def test_a_server_that_is_away_or_private_is_told_apart() -> None:
    with pytest.raises(Unavailable):
        send(MailSender(target(free_port()), VOICE), notice())
    with pytest.raises(Rejected, match="not a public address"):
        send(MailSender(target(free_port(), allow_private=False), VOICE), notice())
    with pytest.raises(Failed, match="not a public address"):  # a name may have another address at the next attempt
        send(MailSender(target(free_port(), allow_private=False, host="localhost"), VOICE), notice())


class Lingering(Sink):
    """Never answers a good-bye."""

    async def handle_QUIT(self, _server: Any, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        await asyncio.Event().wait()
        return "221 Bye"


def test_a_mail_that_was_taken_counts_though_the_good_bye_is_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "_LEAVE", 0.05)
    it, port = Lingering(), free_port()
    with sink(it, port):
        send(MailSender(target(port, timeout=2.0), VOICE), notice())
    assert len(it.mails) == 1


def test_a_server_that_says_nothing_is_given_up() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises((Failed, Unavailable), match=r"0\.3 s|Timeout"),
    ):
        send(MailSender(target(silent.getsockname()[1], timeout=0.3), VOICE), notice())


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    file = folder / "ca.pem"
    authority.cert_pem.write_to_path(file)
    return context, file


def test_a_password_goes_over_starttls_and_the_certificate_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, ca = certified(tmp_path, "localhost")
    (tmp_path / "password").write_text("open sesame\n")
    it, port = Sink(), free_port()

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and data.password == b"open sesame"
        return AuthResult(
            success=good, handled=False, auth_data=data.login if isinstance(data, LoginPassword) else None
        )

    changes = {
        "host": "localhost", "tls": "starttls", "ca_file": str(ca), "username": "foreshock",
        "password_file": str(tmp_path / "password"),
    }  # fmt: skip
    with sink(it, port, tls_context=context, require_starttls=True, auth_required=True, authenticator=check):
        send(MailSender(target(port, **changes), VOICE), notice())
        assert it.encrypted == [True] and it.users == [b"foreshock"]
        (tmp_path / "password").write_text("wrong")
        with pytest.raises(Failed, match="name and password"):
            send(MailSender(target(port, **changes), VOICE), notice())
        strange, other = certified(tmp_path, "localhost")
        with pytest.raises((Failed, Unavailable)):
            send(MailSender(target(port, **{**changes, "ca_file": str(other), "timeout": 1.0}), VOICE), notice())
    assert strange is not None and len(it.mails) == 1


def test_implicit_tls_checks_the_name_not_the_address(tmp_path: Path) -> None:
    it, port = Sink(), free_port()
    context, ca = certified(tmp_path, "other.example.org")
    with sink(it, port, ssl_context=context), pytest.raises((Failed, Unavailable), match=r"(?i)mismatch|not valid"):
        send(MailSender(target(port, host="localhost", tls="implicit", ca_file=str(ca)), VOICE), notice())
    context, ca = certified(tmp_path, "localhost")
    port = free_port()
    with sink(it, port, ssl_context=context):
        send(MailSender(target(port, host="localhost", tls="implicit", ca_file=str(ca)), VOICE), notice())
    assert len(it.mails) == 1


def test_a_password_without_tls_or_a_username_without_a_password_is_no_target(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("x")
    with pytest.raises(TargetError, match="over TLS only"):
        MailSender(target(25, username="f", password_file=str(tmp_path / "password")), VOICE)
    with pytest.raises(TargetError, match="needs password_env"):
        MailSender(target(25, username="f"), VOICE)
