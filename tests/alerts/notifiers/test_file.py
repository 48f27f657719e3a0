"""`notify.yaml`: every mistake is named with its line and field, and no secret may stand in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.notifiers.file import expanded, read, voice_of
from alerts.notifiers.notice import Notice
from alerts.notifiers.wording import say
from sensors.document import DocumentError
from tests.streams.small_site import site

GOOD = """
templates:
  en: {subject: "$level: $title", body: "$title\\n$note\\n$code"}
targets:
  - {kind: mail, name: duty, host: smtp.example.org, sender: f@example.org, to: [Li <li@example.org>, wu@example.org],
     username: f, password_file: /etc/foreshock/mail, level: yellow, quiet: "22:00-06:00"}
  - {kind: chat, name: group, url_file: /etc/foreshock/chat, callback_env: CALLBACK}
  - {kind: webhook, name: desk, url: "https://desk.example.org/x", secret_file: /etc/foreshock/hook, per_minute: 60}
"""


def wrong(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "notify.yaml"
    file.write_text(text)
    with pytest.raises(DocumentError) as found:
        read(file, site())
    return [str(one) for one in found.value.problems]


def test_each_recipient_of_mail_is_a_target_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "notify.yaml"
    file.write_text(GOOD)
    listed = read(file, site())
    assert [one.name for one in expanded(listed)] == ["duty:li@example.org", "duty:wu@example.org", "group", "desk"]


def test_a_sites_own_words_are_used_and_the_rest_stays(tmp_path: Path) -> None:
    file = tmp_path / "notify.yaml"
    file.write_text(GOOD)
    data = {"title": {"zh": "边坡", "en": "Slope"}, "level": "red", "edge": "issued", "note": "$code ${site.__class__}"}
    notice = Notice(id="d-1.1", kind="dispatch", area="a", unit="u", simulated=True, time=0.0, payload={"data": data})
    said = say(notice, voice_of(site(), read(file).templates), "CODE")
    assert said.bodies["en"] == "Slope\n$code ${site.__class__}\nCODE", "what is filled in is not filled in again"
    assert said.subject == "【演练】边坡 · 下发"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{kind: pigeon, name: a}", "kind"),
        ("{kind: mail, name: a, host: h, sender: f@example.org, to: [x@example.org], password: secret}", "password"),
        ("{kind: mail, name: a, host: h, sender: nobody, to: [x@example.org]}", "sender"),
        ("{kind: mail, name: a, host: h, sender: f@example.org, to: []}", "1 to 50 people"),
        ("{kind: mail, name: a, host: h, sender: f@example.org, to: ['x@e.org, y@e.org']}", "no address of mail"),
        ("{kind: mail, name: a, host: h, sender: f@example.org, to: [X@e.org, x@e.org]}", "stands there twice"),
        ("{kind: mail, name: a, host: h, sender: f@e.org, to: [x@e.org], username: u}", "needs password_file"),
        (
            "{kind: mail, name: a, host: h, sender: f@e.org, to: [x@e.org], tls: none, username: u, password_env: P}",
            "over TLS only",
        ),
        ("{kind: chat, name: a}", "needs url_file"),
        ("{kind: chat, name: a, url_file: f, quiet: 22-6}", "HH:MM-HH:MM"),
        ("{kind: chat, name: a, url_file: f, areas: [nowhere]}", "there is no nowhere"),
        ("{kind: chat, name: a, url_file: f, units: [nobody]}", "there is no nobody"),
        ("{kind: chat, name: a, url_file: f, edges: [flown]}", "there is no flown"),
        ("{kind: chat, name: a, url_file: f, level: purple}", "level"),
        ("{kind: chat, name: a, url_file: f, per_minute: -1}", "per_minute"),
        ("{kind: chat, name: A b, url_file: f}", "a name is of a to z"),
        ("{kind: chat, name: mqtt, url_file: f}", "that the settings make"),
        ("{kind: webhook, name: a, url: 'file:///etc/passwd', secret_file: f}", "must be http"),
        ("{kind: webhook, name: a, url: 'http://h:99999/', secret_file: f}", "must be http"),
        ("{kind: webhook, name: a, url: 'http://h/'}", "needs secret_file"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, entry: str, said: str) -> None:
    (problem,) = wrong(tmp_path, f"templates: {{}}\ntargets:\n  - {entry}\n")
    assert said in problem and "notify.yaml:3" in problem


def test_mistakes_in_templates_and_names_are_all_told(tmp_path: Path) -> None:
    chat = "{kind: chat, name: a, url_file: f}"
    problems = wrong(
        tmp_path,
        f"templates:\n  zh: {{subject: $title.$who}}\n  en: {{body: 100$}}\ntargets:\n  - {chat}\n  - {chat}\n",
    )
    assert any("two targets are named a" in one for one in problems)
    assert any("there is no $who" in one for one in problems) and any("a $ stands before" in one for one in problems)
