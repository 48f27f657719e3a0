"""What administrators see, and a situation report, made up."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
LEVELS = ("red", "orange", "yellow", "blue")
ZONE = ZoneInfo("Asia/Shanghai")
SECRET = "JBSWY3DPEHPK3PXP"
DOT = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/%3E"


class Administration:
    """Tokens, sessions, the audit, checks, backups."""

    def __init__(self) -> None:
        self.must_second = False  # whether the site asks for a second step
        now = time.time()
        self.tokens: list[Row] = [token("grafana", ["viewer"], now), token("old-gateway", ["gateway"], now, left=-60)]
        agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36"
        ends = {"created": now - 7200, "seen": now - 60, "expires": now + 86400, "agent": agent}
        self.sessions: list[Row] = [
            {"id": f"{n:016x}", "user": user, "address": "10.0.0.7", "mine": mine, **ends}
            for n, (user, mine) in enumerate((("chen", True), ("li", False)))
        ]
        self.broken: int | None = None
        self.entries: list[Row] = [
            {
                "sequence": n,
                "time": now - 60 * (70 - n),
                "actor": actor,
                "action": action,
                "target": target,
                "detail": {},
            }
            for n, (actor, action, target) in enumerate(
                [("user:chen", "command.acknowledge", "inc-1"), ("user:li", "session.begin", "li")] * 35, 1
            )
        ]
        self.work: Row = {"running": False, "begun": None, "ended": None, "error": ""}
        self.looked: Row = {**self.work, "findings": [], "problems": []}
        self.backups: Row = {
            **self.work,
            "folder": "/var/backups/foreshock",
            "encrypted": True,
            "bytes": 0,
            "items": [],
        }
        self.second: set[str] = set()
        self.muted: list[str] = []  # why somebody's page was silent
        self.asked: list[tuple[str, str]] = []  # who was given what is kept of them, and of whom that was taken
        self.calm = False  # nothing happened in the span that is reported

    def read(self, path: list[str], query: Any, site: Row) -> Any:
        if path == ["tokens"]:
            return {"items": self.tokens}
        if path == ["sessions"]:
            return {"items": self.sessions}
        if path == ["audit"]:
            return self._audit(query)
        if path == ["system", "checks"]:
            return self.looked
        if path == ["system", "backups"]:
            return self.backups
        return report(site, query.get("place") or "", query.get("period", "week"), query.get("day"), self.calm)

    def _audit(self, query: Any) -> Row:
        found = [
            one for one in reversed(self.entries) if not query.get("before") or one["sequence"] < int(query["before"])
        ]
        for field in ("actor", "action", "target"):
            if query.get(field):
                found = [one for one in found if one[field].startswith(query[field])]
        first = not query.get("before")
        following = found[49]["sequence"] if len(found) > 50 else None
        return {"items": found[:50], "next": following, "checked": first, "broken": self.broken if first else None}

    def write(self, method: str, path: list[str], body: Row, name: str) -> Any:
        now = time.time()
        if path == ["tokens"]:
            self.tokens.insert(0, token(body["name"], body["roles"], now, body["days"] * 86400, body["places"]))
            return {**self.tokens[0], "secret": f"fsk_{secrets.token_urlsafe(16)}"}
        if path[0] == "tokens":
            next(one for one in self.tokens if one["id"] == path[1])["revoked"] = True
        elif path[0] == "sessions":
            self.sessions = [one for one in self.sessions if one["id"] != path[1]]
        elif path == ["system", "checks"]:
            said = [("disk", True, "112 GB free"), ("outbox", False, "2 order(s) were not delivered")]
            findings = [{"what": what, "well": well, "said": words, "told": words} for what, well, words in said]
            problem = {"file": "rules/fire.yaml", "line": 12, "field": "levels.red", "told": "unknown feature"}
            self.looked = {**self.work, "begun": now, "ended": now, "findings": findings, "problems": [problem]}
        elif path == ["system", "backups"]:
            made = {"file": "foreshock-20261127T120000Z.tar.gz.age", "time": now, "bytes": 3.4e9, "encrypted": True}
            self.backups = {**self.backups, "begun": now, "ended": now, "items": [made]}
        elif path[0] in ("users", "subjects") and path[-1] in ("export", "erase"):
            self.asked.append((path[-1], body.get("subject") or path[1]))
            return {"lines": 12, "left": 3} if path[-1] == "erase" else {"journal": [{"actor": f"user:{path[1]}"}]}
        elif path == ["me", "mute"]:
            self.muted.append(body["reason"])
        elif path == ["me", "second-step"] and method == "POST":
            return {"secret": SECRET, "address": f"otpauth://totp/x?secret={SECRET}", "picture": DOT}
        elif path == ["me", "second-step"]:
            self.second.add(name)
        else:
            self.second.discard(name)
        return {}


def token(name: str, roles: list[str], now: float, left: float = 30 * 86400.0, places: Sequence[str] = ()) -> Row:
    return {
        "id": secrets.token_hex(6),
        "name": name,
        "roles": roles,
        "unit": None,
        "places": list(places),
        "author": "user:chen",
        "created": now - 86400,
        "expires": now + left,
        "used": now - 300,
        "revoked": False,
    }


def report(site: Row, place: str, period: str, day: str | None, calm: bool) -> Row:
    """Make up a report of a place; `calm` is one in which nothing was."""
    where = place or next(one["id"] for one in site["places"] if not one.get("parent"))
    today = datetime.now(ZONE).date()
    first = date.fromisoformat(day) if day else today - timedelta(days=7)
    if period == "week":
        first -= timedelta(days=first.weekday())
    elif period == "month":
        first = first.replace(day=1)
    begin = datetime(first.year, first.month, first.day, tzinfo=ZONE).timestamp()
    step, count = {"day": (3600.0, 24), "week": (86400.0, 7), "month": (86400.0, 30)}[period]
    marks = [begin + n * step for n in range(count + 1)]
    many = 0 if calm else 1
    below = [one for one in site["places"] if one.get("parent") == where]
    spread = {"count": 9 * many, "median": 95.0 if many else None, "most": 420.0 if many else None}
    mine, past = figures(count, many, 3), figures(count, many, 1)
    return {
        "place": where,
        "period": period,
        "first": first.isoformat(),
        "begin": begin,
        "end": marks[-1],
        "before": {"begin": begin - step * count, "end": begin},
        "marks": marks,
        "known_from": begin + 3600 if calm else begin - 1,
        "compared": not calm,
        "now": mine,
        "past": past,
        "left_out": 4 * many,
        "cut": False,
        "types": [
            {
                "type": one["id"],
                "field": site["fields"][0]["id"],
                "red": 1,
                "orange": 2,
                "yellow": 5,
                "blue": 9,
                "alarms": 17,
                "before": 6,
            }
            for one in site["area_types"][: 3 * many]
        ],
        "places": [
            {
                "place": one["id"],
                "alarms": 12,
                "before": 9,
                "peaks": mine["peaks"],
                "accept": spread,
                "close": spread,
                "orders": 4,
                "overdue": 1,
                "points": 0.982,
                "cameras": None,
            }
            for one in below
        ],
        "rules": [{"rule": "creep", "title": {"zh": "边坡蠕变", "en": "Slope creep"}, "alarms": 11}] * many,
        "leads": [
            {
                "area": site["areas"][0]["id"],
                "incident": "inc-1",
                "title": {"zh": "后山边坡：蠕变", "en": "Hill slope: creep"},
                "point": "p",
                "seconds": 2400.0,
            }
        ]
        * many,
        "poor": [
            {
                "id": "co",
                "area": site["areas"][-1]["id"],
                "name": {"zh": "一氧化碳", "en": "Carbon monoxide"},
                "share": 0.71,
                "troubles": 3,
            }
        ]
        * many,
        "drills": [
            {
                "id": "e1",
                "title": {"zh": "森林火灾演练", "en": "Forest fire drill"},
                "areas": [],
                "began": begin,
                "ended": begin + 60,
                "met": 4,
                "of": 5,
                "score": 0.8,
            }
        ]
        * many,
        "worse": [
            {"what": "accept", "type": "", "now": 95.0, "before": 40.0},
            {"what": "points", "type": "", "now": 0.965, "before": 0.994},
            {"what": "type", "type": site["area_types"][0]["id"], "now": 17, "before": 6},
        ]
        * many,
    }


def figures(count: int, many: int, times: int) -> Row:
    series = {
        level: [(n * 7 + rank) % (rank + 2) * many * times for n in range(count)] for rank, level in enumerate(LEVELS)
    }
    levels = {level: sum(row) for level, row in series.items()}
    spread = {"count": 9 * many, "median": 95.0 * times if many else None, "most": 420.0 * times if many else None}
    heard = [None if n == 1 else 0.965 + 0.005 * (n % 7) for n in range(count)]
    return {
        "alarms": sum(levels.values()),
        "levels": levels,
        "series": series,
        "incidents": 14 * many,
        "peaks": levels,
        "closed": 12 * many,
        "dispositions": {"real": 9, "nuisance": 3, "test": 0, "duplicate": 0, "none": 0},
        "nuisance": {"of": 12 * many, "share": 0.25 if many else None, "low": None, "high": None},
        "times": dict.fromkeys(("acknowledge", "accept", "on_scene", "resolve", "close"), spread),
        "orders": 8 * many,
        "overdue": 2 * many,
        "lead": {**spread, "limits": 10 * many},
        "availability": {
            "points": {"total": 5, "never": 1, "share": 0.981, "series": heard},
            "cameras": {"total": 2, "never": 0, "share": 0.99, "series": [0.99] * count},
        },
    }
