"""What people are told, in Chinese and English, from templates of plain text that a site may replace.

A template's `$name` stands for a field; nothing in it is ever run. A line all of whose fields are empty is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from string import Template
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from alerts import reason_words
from alerts.messages import MESSAGES, text
from alerts.notifiers.notice import Notice
from sensors.site import LEVELS, RANK

LANGUAGES = ("zh", "en")

FIELDS = {
    "title": "the incident's title, with area and level",
    "what": "what has happened: issued, which step is overdue, nobody on it, …, and how often it was said again",
    "area": "the area's name",
    "level": "the warning level",
    "unit": "the name of the unit that is sent",
    "why": "the reason of the alarm",
    "note": "the dispatcher's note; of an order that is called back the reason",
    "deadline": "until when the next step is due, in the site's zone",
    "step": "which step that is: accept, arrive, resolve, feed back, visit",
    "link": "where the incident stands in the console",
    "reply": "where one acknowledges with a click, once",
    "code": "the code that acknowledges once, for an answer by message",
    "time": "when it happened, in the site's zone",
    "site": "the site's name",
    "mark": "【演练】 or [Exercise] where it is only that, else empty",
    "id": "the notice's id: the same on every repeat",
    "count": "how many notices a digest has",
    "items": "a digest's notices, one a line",
}
"""The names that a template may use."""

_LINES = 200
_NAME = re.compile(r"\$\{?([a-z]+)")


class Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The templates of one language. `digest_subject` and `digest` are for several notices at once."""

    subject: str
    body: str
    digest_subject: str
    digest: str


class OwnWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a site writes itself of one language; what it leaves out stays as it comes."""

    subject: str = ""
    body: str = ""
    digest_subject: str = ""
    digest: str = ""


class Templates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A site's own templates by language."""

    zh: OwnWords = OwnWords()
    en: OwnWords = OwnWords()


DEFAULT = {
    "zh": Words(
        subject="$mark$title · $what",
        body="$mark$title\n状态：$what\n区域：$area（$level）\n原因：$why\n派往：$unit\n说明：$note\n"
        "须在 $deadline 前$step\n"
        "详情：$link\n一键确认（仅可使用一次）：$reply\n或回复确认码：$code\n时间：$time\n编号：$id",
        digest_subject="$mark$count 条通知（$site）",
        digest="$mark$site：短时间内有 $count 条通知\n$items\n详情：$link\n编号：$id",
    ),
    "en": Words(
        subject="$mark$title · $what",
        body="$mark$title\nState: $what\nArea: $area ($level)\nWhy: $why\nSent: $unit\nNote: $note\n"
        "$step by $deadline\nDetails: $link\nAcknowledge with one click (works once): $reply\n"
        "Or answer with the code: $code\nTime: $time\nId: $id",
        digest_subject="$mark$count notices ($site)",
        digest="$mark$site: $count notices in a short time\n$items\nDetails: $link\nId: $id",
    ),
}


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """Whose notices they are and how they are said. `console` is where people open it; empty leaves links out."""

    site: str = ""
    name: Mapping[str, str] = {}
    zone: str = "UTC"
    language: str = "zh-CN"
    console: str = ""
    areas: Mapping[str, Mapping[str, str]] = {}
    templates: Templates = Templates()

    @property
    def languages(self) -> tuple[str, ...]:
        """Both languages, the site's own first."""
        return LANGUAGES if self.language.startswith("zh") else LANGUAGES[::-1]


class Message(msgspec.Struct, frozen=True):
    """A notice in words: a subject in the site's language, and a body in each, the site's own first."""

    subject: str
    bodies: dict[str, str]


def mistakes(words: OwnWords) -> Iterator[tuple[str, str]]:
    """Yield (field, message) for what cannot be filled in, in a site's own templates."""
    for field in words.__struct_fields__:
        template = Template(getattr(words, field))
        if len(template.template) > 4000:
            yield field, "a template has at most 4000 characters"
        elif not template.is_valid():
            yield field, "a $ stands before a name or another $"
        else:
            unknown = sorted(set(template.get_identifiers()) - FIELDS.keys())
            if unknown:
                yield field, f"there is no ${unknown[0][:40]}; there are {', '.join('$' + name for name in FIELDS)}"
        if "subject" in field and "\n" in template.template:
            yield field, "a subject is one line"


def say(notice: Notice, voice: Voice, code: str = "", lines: int = _LINES) -> Message:
    """Put a notice into words, in both languages; a digest names at most so many `lines` of its notices."""
    if notice.kind == "report":
        return _report(notice, voice)
    bodies, subjects = {}, {}
    for language in voice.languages:
        words, own = DEFAULT[language], getattr(voice.templates, language)
        values = _values(notice, voice, language, code, lines)
        kind = "digest_subject" if notice.kind == "digest" else "subject"
        subjects[language] = _fill(getattr(own, kind) or getattr(words, kind), values)
        kind = "digest" if notice.kind == "digest" else "body"
        bodies[language] = _fill(getattr(own, kind) or getattr(words, kind), values)
    return Message(" ".join(subjects[voice.languages[0]].split())[:200], bodies)


def _report(notice: Notice, voice: Voice) -> Message:
    """Put a situation report into words: its title, its figures line by line, and where it stands in the console."""
    data, bodies = notice.data, {}
    console = voice.console.rstrip("/")
    link = f"{console}{data.get('link', '')}" if console.startswith(("http://", "https://")) else ""
    for language in voice.languages:
        said = [_of(data.get("title"), language), *(_text(one) for one in data.get("lines", {}).get(language, ()))]
        bodies[language] = "\n".join(one for one in (*said, link, notice.id) if one)
    return Message(_of(data.get("title"), voice.languages[0])[:200], bodies)


def _fill(template: str, values: Mapping[str, str]) -> str:
    lines = []
    for line in template.splitlines():
        names = _NAME.findall(line.replace("$$", ""))
        if not names or any(values.get(name) for name in names):
            lines.append(Template(line).safe_substitute(values))
    return "\n".join(lines)


def _values(notice: Notice, voice: Voice, language: str, code: str, lines: int) -> dict[str, str]:
    data = notice.data
    area = data.get("area")
    unit = data.get("unit")
    deadline = _when(data.get("deadline"), voice.zone)
    items: list[dict[str, Any]] = notice.payload.get("items", [])
    console = voice.console.rstrip("/")
    links = data.get("links")
    link = _text(links.get("incident", "")) if isinstance(links, dict) else console
    if link.startswith("/"):
        link = console + link if console else ""
    mark = f"【{text('exercise', language)}】" if language == "zh" else f"[{text('exercise', language)}] "
    return {
        "title": title_of(notice, language) or _of(voice.name, language) or voice.site,
        "what": text(f"notice.{notice.kind}", language) if notice.kind != "dispatch" else _what(notice, language),
        "area": _of(area.get("name"), language)
        if isinstance(area, dict)
        else _of(voice.areas.get(notice.area), language),
        "level": text(f"level.{notice.level}", language) if notice.kind == "dispatch" else "",
        "unit": (_of(unit.get("name"), language) or _text(unit.get("id", ""))) if isinstance(unit, dict) else "",
        "why": reason_words.said(_text(data.get("why", "")), language, _text(data.get("rule", ""))),
        "note": text(_text(data.get("reason", "")), language) if data.get("recalled") else _text(data.get("note", "")),
        "deadline": deadline,
        "step": _step(notice, language) if deadline else "",
        "link": link if link.startswith(("http://", "https://")) else "",
        "reply": f"{console}/reply/{code}" if code and console.startswith(("http://", "https://")) else "",
        "code": code,
        "time": _local(notice.time, voice.zone),
        "site": _of(voice.name, language) or voice.site,
        "mark": mark if notice.simulated else "",
        "id": notice.id,
        "count": str(len(items)) if items else "",
        "items": "\n".join(_lines(items, voice, language, lines)),
    }


def title_of(notice: Notice, language: str) -> str:
    """Title a notice by the area whose level it tells; the incident's own title may name another, where its cause is.

    Empty where its event has no title.
    """
    title, area = _of(notice.data.get("title"), language), notice.data.get("area")
    name = _of(area.get("name"), language) if isinstance(area, dict) else ""
    if notice.kind != "dispatch" or not (title and name and notice.data.get("incident")):
        return title  # of a silence or mode that is nearly over: it has no cause
    cause, said = title, ""
    for said in LEVELS:
        cause = re.sub(rf" ?[（(]{re.escape(text(f'level.{said}', language))}[)）]$", "", title)
        if cause != title:
            break
    own = text(f"level.{notice.level}", language)
    if not title.startswith((f"{name}：", f"{name}: ")):
        return text("notice.elsewhere", language, area=name, level=own, cause=cause)
    if cause == title or RANK[said] <= RANK[notice.level]:
        return title
    return cause + (f"（{own}）" if language == "zh" else f" ({own})")  # higher is another area, not this one


def _what(notice: Notice, language: str) -> str:
    """Say what has happened to a dispatch or an incident: which step is overdue, and how often that was said again."""
    if notice.unit and notice.edge == "overdue":
        what = text("notice.overdue", language, step=_step(notice, language))
    else:
        what = text(f"{'dispatch' if notice.unit else 'incident'}.edge.{notice.edge}", language)
    count = notice.data.get("reminders")
    return text("notice.again", language, what=what, count=str(count)) if isinstance(count, int) and count else what


def _step(notice: Notice, language: str) -> str:
    """Name the step of a dispatch that is due next."""
    known = f"notice.step.{notice.data.get('leg', '')}"
    return text(known if known in MESSAGES else "notice.step", language)


def _lines(items: list[dict[str, Any]], voice: Voice, language: str, most: int) -> Iterator[str]:
    for item in items[:most]:
        edge = text(f"{'incident' if item['incident'] else 'dispatch'}.edge.{item['edge']}", language)
        title = _of(item["title"], language) or _of(voice.areas.get(item["area"]), language) or item["area"]
        mark = text("exercise", language) + " " if item["simulated"] else ""
        yield f"- {_local(item['time'], voice.zone)} {mark}{title} · {edge} ({item['id']})"
    if len(items) > most:
        yield text("notice.more", language, count=str(len(items) - most))


def _of(names: Any, language: str) -> str:
    return _text(names.get(language, "")) if isinstance(names, Mapping) else ""


def _text(value: object) -> str:
    """Make one line of what an event says: it must not look like another line of the message."""
    return " ".join(str(value or "").split())[:1000]


def _local(time: float, zone: str) -> str:
    return datetime.fromtimestamp(time, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


def _when(value: object, zone: str) -> str:
    """Write an event's time in the site's zone; empty when it is none."""
    try:
        return _local(datetime.fromisoformat(str(value)).timestamp(), zone) if value else ""
    except ValueError:
        return ""
