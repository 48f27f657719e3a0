"""A small believable world behind the mock API: a slope that begins to creep, and what people do about it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from mock_models import Shelf
from mock_site import Row, both, explanation, rationale, reading, site, user

from rules.schema import json_schema

SHA = "5b1c" * 16
LEGS = {"accept": "accepted", "refuse": "refused", "on-scene": "on_scene", "resolve": "resolved", "close": "closed"}
AFTER = {"issued": 180.0, "accepted": 900.0, "on_scene": 7200.0, "resolved": 3600.0}


class Refused(Exception):
    """Say why the engine would refuse."""


RULE = """rules:
- id: slope-creep
  title: {zh: 边坡蠕动, en: Creeping slope}
  levels:
    orange: {when: value > 4 mm}
  tests:
    - {name: creep, step: 1 min, point: {values: "0*3"}, expect: none*3}
"""


class World:
    """Incidents, alarms and dispatches with the changes that made them; `publish` hears of each change."""

    def __init__(self) -> None:
        self.site = site()
        self.incidents: dict[str, Row] = {}
        self.silences: list[dict[str, Any]] = []
        self.candidates: list[dict[str, Any]] = []
        self.regrouped: list[tuple[str, str, dict[str, Any]]] = []  # orders to merge and split
        self.alarms: dict[str, Row] = {}
        self.dispatches: dict[str, Row] = {}
        self.reports: list[Row] = []
        self.changes: list[Row] = []
        self.started = time.time()
        self.silent = False
        self.held = 0.0  # seconds for which the way to the page holds up what the stream tells
        self.trouble = ""  # why alarms may not be seen
        self.rings = 1  # in the last ten minutes
        self.publish: Callable[[Row], None] = lambda change: None
        self.users: dict[str, Row] = {
            "chen": user("chen", "陈值班", ["duty", "administrator"]),
            "zhang": user("zhang", "张队长", ["field"], "unit-shiyan-1"),
            "li": user("li", "李查看", ["viewer"]),
            "lin": user("lin", "林分析", ["analyst"]),
            "duan": user("duan", "段值班", ["duty"]),
        }
        self.passwords = dict.fromkeys(self.users, "correct horse")
        self.models = Shelf()
        names = {"maintenance": {"zh": "检修", "en": "Maintenance"}, "exercise": {"zh": "演练", "en": "Exercise"}}
        known = [{"id": id, "name": name, "longest": 28800.0} for id, name in names.items()]
        level = {"level": "orange", "when": "score > 0.99 and rate('1h') > 2 mm/h", "clear": None}
        why = {"owner": {"zh": "地灾科", "en": "Geology"}, "review": "2024-01-01"}
        self.rule = {
            "id": "slope-creep", "title": {"zh": "边坡蠕动", "en": "Creeping slope"}, "kind": "risk", "scope": "point",
            "priority": "normal", "version": 1, "template": "creep", "rationale": why,
            "levels": [{**level, "hold": 300.0, "clear_after": 0.0}],
        }  # fmt: skip
        version = {"version": "0a1b2c3d4e5f", "time": time.time() - 600, "author": "user:lin", "reason": "夜间误扰"}
        self.publications: list[dict[str, Any]] = [
            {**version, "site": "", "difference": ["rules: changed slope-creep"], "in_force": True},
            {**version, "version": "f0e1d2c3b4a5", "site": "", "difference": [], "in_force": False},
        ]
        proposed = {
            "number": 1,
            "version": "111122223333",
            "state": "waiting",
            "author": "user:zhou",
            "why": "三个安静的夜晚",
        }
        self.proposals: list[dict[str, Any]] = [
            {
                **proposed,
                "proposed": time.time(),
                "difference": ["rules: changed x"],
                "time": 0.0,
                "by": "",
                "reason": "",
            }
        ]
        self.shadow: dict[str, Any] | None = None
        self.replays: list[dict[str, Any]] = []
        self.drafts: list[str] = []
        self.taken_again = 0.0
        self.rule_drafts: dict[str, dict[str, Any]] = {}
        self.drill = ""  # the script that was begun on the page
        self.drill_ended: float | None = None
        self.modes: dict[str, Any] = {"modes": known, "items": []}
        self.models_broken = False
        self.plan: Row | None = None  # that all incidents keep to
        self.silenced: set[str] = set()  # points that are silent
        self.leads: set[str] = set()  # points of which the server says where they lead
        self.cameras_live = 118
        self.incoming = "chen"  # who takes the turn over
        self._background()

    @property
    def rooms(self) -> dict[str, Callable[[list[str]], dict[str, Any]]]:
        """What the pages of the duty room read, by the first part of the path."""
        return {
            "duty": lambda _: self.duty(),
            "handover": lambda _: self.handover(),
            "handovers": lambda _: {"items": [self.signed()], "next": None},
            "exercises": self.exercises,
            "notifications": lambda _: {"items": [self.target()]},
            "modes": lambda _: self.modes,
            "cameras": lambda _: self.cameras(),
            "rules": self.of_rules,
            "proposals": lambda _: {"items": self.proposals},
            "publications": lambda _: {"items": self.publications},
            "replays": lambda rest: self.replay(rest[0]) if rest else {"items": self.replays},
        }

    def duty(self) -> dict[str, Any]:
        begin = time.time() - 3600
        seat = {"seat": "lead", "name": {"zh": "值班长", "en": "Duty lead"}, "account": "duty", "shift": "day"}
        people = [{**seat, "begin": begin, "end": begin + 8 * 3600, "load": None}]
        return {"time": time.time(), "mine": False, "turn": None, "people": people}

    def signed(self) -> dict[str, Any]:
        now = time.time()
        facts = {"id": "handover-1", "turn": "1", "shift": "day", "begin": now - 60, "time": now}
        return {**facts, "actor": "user:chen", "reason": "", "people": {"lead": "chen"}}

    def handover(self) -> dict[str, Any]:
        now = time.time()
        incident = next(iter(self.incidents.values()), None)
        opened = [] if incident is None else [{**incident, "steps_done": 1}]
        comment = {"incident": "i", "area": "a", "time": now, "actor": "user:chen", "text": "两处裂缝"}
        names = ("open", "outside", "overdue", "shelved", "modes", "degraded")
        parts = {name: {"items": opened if name == "open" else [], "more": 0} for name in names}
        load = {"rings": 3, "peak": 2, "floods": 0, "flood_minutes": 0}
        sheet = {"time": now, "since": now - 3600, "closed": 1, "load": load, **parts}
        silence = {
            "id": "s1", "state": "on", "level": "yellow", "areas": [], "scopes": ["slope-01-tilt-1"], "rules": [],
            "since": now, "until": now + 1200, "by": "user:chen", "reason": "换电池", "soon": True,
        }  # fmt: skip
        sheet["silences"] = {"items": [silence], "more": 0}
        sheet["comments"] = {"items": [comment], "more": 2}
        turn = {"key": "1", "shift": "day", "begin": now, "end": now + 3600, "signed": False}
        return {"turn": turn, "people": {"lead": self.incoming}, "sheet": sheet, "signed": None}

    def exercises(self, rest: list[str]) -> dict[str, Any]:
        """Answer for drills: the list, one, or the scripts and how far the one is that was begun."""
        if rest != ["scripts"]:
            return self.exercise() if rest else {"items": [self.exercise()], "next": None}
        facts = {"areas": ["slope-shiyan-1"], "lasts": 600.0, "acts": 2, "problems": []}
        title = {"zh": "滑坡演练", "en": "Slide drill"}
        wrong = {"file": "fire.yaml", "line": 4, "field": "areas[0]", "message": "", "told": "未知区域“forest-9”"}
        scripts = [
            {**facts, "name": "slide", "title": title, "units": ["unit-shiyan-1"]},
            {**facts, "name": "fire", "title": {}, "units": [], "problems": [wrong]},
        ]
        said = {"zh": "演练开始", "en": "It begins"}
        run = {"id": "e1", "script": self.drill, "lasts": 600.0, "seconds": 65.0, "said": said, "error": ""}
        last = {**run, "areas": facts["areas"], "over": self.drill_ended is not None} if self.drill else None
        return {"items": scripts, "last": last}

    def exercise(self) -> dict[str, Any]:
        now, title = time.time(), {"zh": "滑坡演练", "en": "Slide drill"}
        legs = [{"leg": "acknowledge", "seconds": 30.0, "objective": 60.0, "met": True}]
        case = {"id": "i", "title": title, "area": "a", "legs": legs, "steps_done": 1, "steps": 2}
        facts = {"id": "e1", "title": title, "areas": [], "units": [], "began": now - 600, "ended": self.drill_ended}
        said = {"zh": "没有可操作的事件或派单", "en": "There was no case or order to act on"}
        missed = {"time": now - 60, "do": "resolve", "of": "team", "reason": "exercise.nothing_there", "said": said}
        return {**facts, "incidents": [case], "missed": [missed], "met": 1, "of": 1, "score": 1.0}

    def of_rules(self, rest: list[str]) -> dict[str, Any]:
        """Answer for rules: the list, one as text, how each fared, and what runs in the shadow."""
        if not rest:
            return {"items": [self.rule], "total": 1}
        if rest[-1] == "draft":
            return {
                "id": rest[0], "text": RULE, "base": "aa", "in_folder": True, "others": [], "moved": False,
                "draft": self.rule_drafts.get(rest[0]),
            }  # fmt: skip
        if rest == ["drafts"]:
            return {"items": list(self.rule_drafts.values())}
        if rest == ["schema"]:
            return json_schema()
        if rest == ["words"]:
            kinds = ("names", "quantities", "tags", "modes", "events", "reports", "plans", "templates", "rules")
            return {kind: ["value", "score"] if kind == "names" else [] for kind in kinds}
        if rest[-1] == "history":
            facts = {"author": "user:lin", "reason": "夜间误扰", "text": RULE}
            fields = [["levels.orange.when", "value > 3 mm", "value > 4 mm"]]
            first = {**facts, "version": "0" * 12, "time": time.time() - 9e4, "in_force": False, "base": "bb"}
            last = {**facts, "version": "1" * 12, "time": time.time() - 9e3, "in_force": True, "base": "aa"}
            return {"items": [{**last, "fields": fields}, {**first, "fields": []}]}
        if rest == ["precision"]:
            share = {"of": 8, "value": 0.25, "low": 0.07, "high": 0.59}
            places = [{"scope": "slope-01-rain-1", "real": 2, "nuisance": 6}]
            hours = [0] * 24
            hours[3] = 6
            fared = {"rule": "slope-creep", "counts": {"real": 2, "nuisance": 6}, "precision": share, "recall": share}
            lead = {"of": 2, "before": 1, "median": 2400.0}
            return {"items": [{**fared, "by_hour": hours, "places": places, "lead": lead}]}
        return {"shadow": self.shadow}

    def run_in_the_shadow(self, actor: str, reason: str) -> None:
        """Begin a set of shadow rules that has something to show."""
        now = time.time()
        verdict = {"rule": "slope-creep", "scope": "slope-01-rain-1", "area": "slope-01", "how": "lost", "open": False}
        counts = {"gained": 0, "lost": 3, "earlier": 1, "later": 0, "level": 0, "same": 12}
        self.shadow = {
            "id": "s1", "state": "running", "began": now, "ended": None, "author": actor, "reason": reason, "rules": 47,
            "fault": "", "ended_by": "", "ended_why": "", "counts": counts, "seconds": -30.0,
            "by_rule": {"slope-creep": counts}, "by_area": {},
            "verdicts": [{**verdict, "begun": now, "time": now, "seconds": None, "before": "orange", "after": ""}],
        }  # fmt: skip

    def begin_replay(self, actor: str, text: str, rule: str = "", sweep: bool = False) -> dict[str, Any]:
        """Begin a replay that is done when it is asked for again."""
        now = time.time()
        facts = {"id": f"r{len(self.replays)}", "author": actor, "state": "running", "started": now, "ended": None}
        facts |= {"done": 40, "total": 100, "reason": "", "version": "", "against": "", "from": now - 86400, "to": None}
        facts |= {"rule": rule, "sweep": sweep}
        self.replays.insert(0, facts)
        self.drafts.append(text)
        return facts

    def replay(self, id: str) -> dict[str, Any]:
        """Tell how a replay is: it moves on with every look."""
        one = next(row for row in self.replays if row["id"] == id)
        found = {**one, "problems": [], "result": None}
        if one["state"] == "done":
            found["result"] = self.swept() if one["sweep"] else self.compared()
        if one["state"] == "running":
            one.update(state="done", done=100, ended=time.time())
        return found

    def refused(self) -> dict[str, Any]:
        """List one message that was refused, or was taken since."""
        text = {"zh": "没有此测点", "en": "there is no such point"}
        facts = {"id": "q-1", "time": time.time() - 60, "source": "mqtt", "topic": "foreshock/readings/slope-01/tilt-9"}
        facts |= {"reason": "unknown_point", "detail": "tilt-9", "size": 4, "raw": "0.12", "whole": True}
        return {"items": [{**facts, "text": text, "replayed": self.taken_again or None}], "cursor": None}

    def refused_counts(self) -> dict[str, Any]:
        """Count it."""
        by_reason = {"unknown_point": {"messages": 1, "readings": 1}}
        return {"messages": 1, "readings": 1, "replayed": int(self.taken_again > 0), "by_reason": by_reason}

    def decode_again(self, dry: bool) -> dict[str, Any]:
        """Take it."""
        if not dry:
            self.taken_again = time.time()
        told = {"dry_run": dry, "messages": 1, "outcomes": {"accepted": 1}, "readings": 1, "events": 0}
        return {**told, "refused": {}, "following": None}

    def swept(self) -> dict[str, Any]:
        """Make a sweep of three thresholds and two delays, of which one is better than the rule as it is."""
        tries = []
        for factor in (0.8, 1.0, 1.25):
            for delay in (30.0, 60.0):
                as_it_is, better = (factor, delay) == (1.0, 30.0), (factor, delay) == (1.25, 30.0)
                tries.append(
                    {
                        "threshold": 4 * factor, "delay": delay, "factor": factor, "when": f"value > {4 * factor} mm",
                        "as_it_is": as_it_is, "suggested": better, "alarms": 9, "false": round(8 / factor**2),
                        "nuisance": 2, "missed": int(delay > 30), "lead": None if delay > 30 else 600.0, "limit": "",
                    }
                )  # fmt: skip
        return {"rule": "slope-creep", "judged": 8, "sweep": tries}

    def compared(self) -> dict[str, Any]:
        now = time.time()
        hour = now // 3600 * 3600
        load = {"rings": 20, "peak": 6, "peak_at": now, "floods": 0, "flood_minutes": 0, "levels": {}, "actors": []}
        seat = {"seats": {"lead-day": load}, "seat_hours": {"lead-day": {hour: 8}}}
        side = {"dispatches": 2, "warned": 1, **seat}
        before = {**side, "alarms": 15, "load": load, "hours": {hour - 3600: 12, hour: 8}, "lead": 600.0}
        after = {**side, "alarms": 12, "load": {**load, "rings": 9}, "hours": {hour - 3600: 5, hour: 4}, "lead": 900.0}
        spell = {"raised": now - 600, "onset": now - 660, "level": "orange"}
        change = {"rule": "slope-creep", "scope": "slope-01-rain-1", "area": "slope-01", "simulated": False}
        return {
            "from": now - 86400, "to": now, "observations": 10, "readings": 1000, "commands": {},
            "recorded": {"agrees": True, "first": None}, "before": before, "after": after,
            "alarms": [{**change, "what": ["lost"], "before": spell, "after": None, "shift": None}],
            "dispatches": [{"what": ["lost"], "area": "slope-01", "unit": "unit-shiyan-1", "simulated": False,
                            "before": {"issued": now - 500, "level": "orange"}, "after": None, "shift": None}],
            "leads": [{"point": "slope-01-rain-1", "area": "slope-01", "time": now, "before": None, "after": 900.0}],
            "by_rule": {"slope-creep": {"lost": 3}}, "by_area": {}, "by_hour": {}, "same": 12,
            "counts": {"gained": 0, "lost": 3, "earlier": 0, "later": 0, "level": 0},
        }  # fmt: skip

    def put_into_mode(self, actor: str, mode: str, areas: list[str], until: float, reason: str) -> None:
        """Begin a mode, or end it where `until` is over."""
        now = time.time()
        places = areas or [""]
        kept = [row for row in self.modes["items"] if row["mode"] != mode or row["area"] not in places]
        facts = {"order": f"m{len(kept)}-{now}", "mode": mode, "state": "on", "since": now, "until": until, "by": actor}
        new = [{**facts, "area": one, "reason": reason, "time": now, "ended_by": "", "ended_why": ""} for one in places]
        self.modes["items"] = kept + (new if until > now else [])

    def target(self) -> dict[str, Any]:
        facts = {"id": "d-1.1", "unit": "", "area": "a", "attempts": 20, "due": 0.0, "dead": True, "error": "timeout"}
        counts = {"waiting": 0, "held": 0, "dead": 1, "error": "timeout"}
        return {"name": "duty-mail", "kind": "mail", **counts, "letters": [facts]}

    def status(self, held: float = 0.0) -> Row:
        """Give the figures as they were `held` seconds ago."""
        now = time.time() - held
        return {
            "time": self.started if self.silent else now, "now": now, "readings_per_second": 103.4,
            "points_total": 1012, "points_live": 1006, "cameras_total": 120, "cameras_live": self.cameras_live,
            "open": {}, "quarantine": {},
            "load": {
                "ten_minutes": self.rings, "day": 40, "band": "acceptable" if self.rings < 2 else "unacceptable",
                "flood": self.rings > 10, "flood_since": time.time() if self.rings > 10 else None,
            },
            "engine_lag": 0.01, "trouble": self.trouble, "journal_position": len(self.changes), "simulated": True,
        }  # fmt: skip

    def area_status(self, area: str) -> Row:
        """Say how an area's parts stand: the points in `silenced` are silent."""
        found = next(one for one in self.site["areas"] if one["id"] == area)
        now = time.time()
        return {
            "area": area,
            "points": [
                {"id": one, "value": 1.5, "time": now, "age": 1.0, "state": "stale" if one in self.silenced else "live"}
                for one in found["points"]
            ],
            "cameras": [{"id": one, "time": now, "age": 1.0, "state": "live"} for one in found["cameras"]],
        }

    def areas_status(self) -> Row:
        """Count how each area's parts stand."""
        items = []
        for area in self.site["areas"]:
            parts = self.area_status(area["id"])
            counts = {
                kind: {state: sum(one["state"] == state for one in parts[kind]) for state in ("live", "stale", "never")}
                for kind in ("points", "cameras")
            }
            items.append({"area": area["id"], **counts})
        heard = {place["id"]: self._heard_in(place["id"]) for place in self.site["places"]}
        heard["baoan"] = {"live": 1006, "stale": 6, "never": 0}  # as the status has it
        return {"items": items, "places": [{"place": id, "points": points} for id, points in heard.items()]}

    def _heard_in(self, place: str) -> Row:
        """Count the points of a place, each once."""
        above = {one["id"]: one["parent"] for one in self.site["places"]}
        here = {place} | {id for id, parent in above.items() if parent == place}
        ids = {one for area in self.site["areas"] if area["place"] in here for one in area["points"]}
        silent = len(ids & self.silenced)
        return {"live": len(ids) - silent, "stale": silent, "never": 0}

    # What happens

    def cameras(self) -> Row:
        """Say how the cameras fare, the first of them badly."""
        fare = {"supplier": "Dahua", "state": "live", "troubled": False, "in_order": 1.0, "troubles": 0, "repairs": 0}
        fare |= {"time_to_repair": None}
        items = [{**fare, "camera": one["id"], "area": one["areas"][0]} for one in self.site["cameras"]]
        items[0] |= {"state": "stale", "troubled": True, "in_order": 0.725, "troubles": 3, "time_to_repair": 5400.0}
        return {"since": time.time() - 7 * 86400, "until": time.time(), "cameras": items, "areas": [], "suppliers": []}

    def report(self, text: str, *, category: str = "family-dispute", subject: str | None = "9f3c" * 16) -> None:
        """Take a report of a person, the newest first."""
        now = time.time()
        self.reports.insert(0, {
            "id": f"rep-{len(self.reports)}", "area": "slope-shiyan-1", "category": category, "time": now,
            "received": now, "text": text, "subject": subject, "photo": "/api/v1/snapshots/report.jpg",
            "actor": "user:chen", "simulated": False,
        })  # fmt: skip

    def _background(self) -> None:
        now = time.time()
        self.raise_alarm(
            "underpass-shajing-2", "underpass-shajing-2.level", "underpass-level", "yellow",
            both("下穿通道水位上涨过快", "Underpass water rising fast"), now - 2400, score=0.97,
            clause="value >= 0.2 and rate('10m') > 0.02", value=0.24, simulated=False,
        )  # fmt: skip
        self.acknowledge("inc-underpass-level", "user:chen")

    def landslide(self, *, level: str = "orange", title: Row | None = None) -> str:
        """Raise the slope's incident; returns its id."""
        return self.raise_alarm(
            "slope-shiyan-1", "slope-shiyan-1.displacement-1", "slope-creep", level,
            title or both("位移异常加速，雨中蠕滑", "Displacement creeping fast in rain"), time.time() - 12,
            score=0.998,
            clause="score >= 0.99 and eta('limit') < 45m and area.sum(rain.sum('6h')) > 50 and seen('debris', '10m')",
            value=13.4, simulated=True,
        )  # fmt: skip

    def worsen(self, incident: str) -> None:
        """Raise the incident to red, which dispatches by itself, and attach a camera picture."""
        row = self.incidents[incident]
        alarm = self.alarms[row["cause"]]
        self._alarm_change(alarm, "raise", "UNACK", level="red")
        self._incident_change(row, "level", row["state"], level="red")
        alarm["worsened"], row["worsened"] = alarm["sequence"], row["sequence"]
        self._incident_change(
            row, "snapshot", row["state"], actor="camera:cam-slope-1",
            args={"camera": "cam-slope-1", "sha": SHA, "time": time.time()},
        )  # fmt: skip

    def raise_alarm(
        self, area: str, point: str, rule: str, level: str, title: Row, onset: float, *, score: float, clause: str,
        value: float, simulated: bool,
    ) -> str:  # fmt: skip
        alarm, incident = f"alm-{rule}", f"inc-{rule}"
        row: Row = {
            "id": alarm, "rule": rule, "rule_version": "3f9c1a", "rule_title": title, "kind": "risk", "area": area,
            "scope": point, "state": "NORM", "level": level, "onset": onset, "time": onset, "incident": incident,
            "acknowledged_by": None, "simulated": simulated, "sequence": 0, "transitions": [],
            "explanation": explanation(clause, point, value, score), "rationale": rationale(),
        }  # fmt: skip
        self.alarms[alarm] = row
        name = next(one["name"] for one in self.site["areas"] if one["id"] == area)
        heading = both(f"{name['zh']}：{title['zh']}", f"{name['en']}: {title['en']}")
        self.incidents[incident] = {
            "id": incident, "area": area, "kind": "risk", "state": "open", "level": level, "cause": alarm,
            "alarms": [alarm], "opened": onset, "time": onset, "acknowledged_by": None, "simulated": simulated,
            "title": heading, "sequence": 0, "dispatches": [], "disposition": "", "history": [], "snapshots": [],
        }  # fmt: skip
        self._alarm_change(
            row, "alarm", "UNACK", explanation=row["explanation"], title=title, rationale=row["rationale"]
        )
        self._incident_change(self.incidents[incident], "opened", "open")
        return incident

    # What people do

    def acknowledge(self, incident: str, actor: str) -> None:
        row = self.incidents[incident]
        if row["acknowledged_by"]:
            raise Refused("事件已被确认")
        for alarm in row["alarms"]:
            self.acknowledge_alarm(alarm, actor)
        row["acknowledged_by"] = actor
        state = "acknowledged" if row["state"] == "open" else row["state"]
        self._incident_change(row, "acknowledged", state, actor=actor)

    def acknowledge_alarm(self, alarm: str, actor: str) -> None:
        row = self.alarms[alarm]
        row["acknowledged_by"] = actor
        self._alarm_change(row, "acknowledge", "ACKED", actor=actor)

    def assign(self, alarm: str, actor: str, to: str, reason: str) -> None:
        row = self.alarms[alarm]
        row["assignee"] = f"user:{to}"
        self._alarm_change(row, "assign", row["state"], actor=actor, reason=reason, assignee=row["assignee"])

    def shelve(self, alarm: str, actor: str, seconds: float, reason: str) -> None:
        row, now = self.alarms[alarm], time.time()
        if row.get("aside"):
            raise Refused("报警已处于搁置状态")
        row["aside"] = {
            "by": actor, "reason": reason, "since": now, "until": now + seconds, "level": row["level"], "hidden": 0,
        }  # fmt: skip
        self._alarm_change(row, "shelve", "SHLVD", actor=actor, reason=reason, aside=row["aside"])
        self._incident_change(self.incidents[row["incident"]], "set_aside", "calm", actor=actor, reason=reason)

    def hide(self, alarm: str) -> None:
        """Have a shelved alarm ring where nobody hears it."""
        row = self.alarms[alarm]
        row["aside"] = {**row["aside"], "hidden": row["aside"]["hidden"] + 1}
        self._alarm_change(row, "hide", "SHLVD", aside=row["aside"])

    def warn(self, alarm: str) -> None:
        """Say that the shelf soon ends."""
        row = self.alarms[alarm]
        self._alarm_change(row, "warn", "SHLVD", actor="engine", reason="alarm.aside_ends", aside=row["aside"])

    def unshelve(self, alarm: str, actor: str, reason: str = "") -> None:
        row = self.alarms[alarm]
        aside, row["aside"] = row["aside"], None
        self._alarm_change(row, "unshelve", "UNACK", actor=actor, reason=reason, aside=aside)
        self._incident_change(self.incidents[row["incident"]], "level", "open", actor=actor)

    def chatter(self, alarm: str, folded: int) -> None:
        """Have an alarm ring so often that this ring is folded."""
        row = self.alarms[alarm]
        row["marks"], row["folded"] = ["chattering", "folded"], folded
        self._alarm_change(row, "realarm", "UNACK", marks=row["marks"], folded=folded)

    def latch(self, alarm: str) -> None:
        """Have the condition of a latched, acknowledged alarm go."""
        row = self.alarms[alarm]
        row["marks"] = ["latched"]
        self._alarm_change(row, "latch", "ACKED", marks=row["marks"])

    def reset(self, alarm: str, actor: str) -> None:
        row = self.alarms[alarm]
        if "latched" not in row.get("marks", ()):
            raise Refused("条件仍然存在")
        row["marks"] = []
        self._alarm_change(row, "return", "NORM", actor=actor)

    def comment(self, incident: str, actor: str, text: str) -> None:
        row = self.incidents[incident]
        self._incident_change(row, "commented", row["state"], actor=actor, reason=text, args={"text": text})

    def close(self, incident: str, actor: str, disposition: str, reason: str) -> None:
        row = self.incidents[incident]
        if any(self.dispatches[id]["leg"] not in ("closed", "refused") for id in row["dispatches"]):
            raise Refused("仍有派单未结束，请先结束派单")
        row["disposition"] = disposition
        self._incident_change(row, "closed", "closed", actor=actor, reason=reason, disposition=disposition)

    def dispatch(self, incident: str, actor: str, unit: str, note: str) -> str:
        row = self.incidents[incident]
        key = f"dsp-{incident}-{len(row['dispatches']) + 1}"
        now = time.time()
        self.dispatches[key] = {
            "id": key, "incident": incident, "area": row["area"], "unit": unit, "leg": "issued", "level": row["level"],
            "deadline": now + AFTER["issued"], "overdue": False, "issued": now, "time": now, "note": note,
            "simulated": row["simulated"], "sequence": 0, "history": [],
        }  # fmt: skip
        row["dispatches"].append(key)
        self._dispatch_change(self.dispatches[key], "issued", actor)
        self._incident_change(row, "dispatched", "dispatched", actor=actor)
        return key

    def step(self, dispatch: str, actor: str, step: str, reason: str) -> None:
        row = self.dispatches[dispatch]
        order = ["issued", "accepted", "on_scene", "resolved", "closed"]
        leg = LEGS[step]
        if leg != "refused" and order.index(leg) != order.index(row["leg"]) + 1:
            raise Refused("请先完成前面的步骤")
        row["leg"] = leg
        row["deadline"] = time.time() + AFTER[leg] if leg in AFTER else None
        self._dispatch_change(row, leg, actor, reason)

    # Changes

    def _alarm_change(self, row: Row, edge: str, after: str, actor: str = "", level: str = "", **more: Any) -> None:
        before = row["state"]
        row.update(state=after, level=level or row["level"], sequence=row["sequence"] + 1, time=time.time())
        record = {
            "type": "alarm", "id": f"{row['id']}.{row['sequence']}", "alarm": row["id"], "sequence": row["sequence"],
            "rule": row["rule"], "rule_version": row["rule_version"], "kind": row["kind"], "area": row["area"],
            "scope": row["scope"], "incident": row["incident"], "edge": edge, "before": before, "after": after,
            "level": row["level"], "onset": row["onset"], "time": row["time"], "actor": actor or f"rule:{row['rule']}",
            **({"simulated": True} if row["simulated"] else {}), **more,
        }  # fmt: skip
        row["transitions"].append(record)
        self._change("alarm", row["id"], record)

    def _incident_change(self, row: Row, edge: str, state: str, actor: str = "", level: str = "", **more: Any) -> None:
        row.update(state=state, level=level or row["level"], sequence=row["sequence"] + 1, time=time.time())
        waits = any(self.alarms[id]["state"] == "UNACK" for id in row["alarms"])
        if waits:
            row["acknowledged_by"] = None
        record = {
            "type": "incident", "id": f"{row['id']}.{row['sequence']}", "incident": row["id"],
            **{key: row[key] for key in ("sequence", "area", "kind", "state", "level", "cause", "opened")},
            "time": row["time"], "title": row["title"],
            "alarms": list(row["alarms"]), "edge": edge, **({"actor": actor} if actor else {}),
            **({"simulated": True} if row["simulated"] else {}), **({"unacknowledged": True} if waits else {}), **more,
        }  # fmt: skip
        row["history"].append(record)
        if edge == "snapshot":
            args = more["args"]
            row["snapshots"].append({**args, "url": f"/api/v1/snapshots/{args['sha']}.jpg"})
        self._change("incident", row["id"], record)

    def _dispatch_change(self, row: Row, edge: str, actor: str, reason: str = "") -> None:
        row.update(sequence=row["sequence"] + 1, time=time.time())
        incident = self.incidents[row["incident"]]
        keys = ("sequence", "incident", "area", "unit", "leg", "level", "deadline", "time")
        record = {
            "type": "dispatch", "id": f"{row['id']}.{row['sequence']}", "dispatch": row["id"],
            **{key: row[key] for key in keys}, "edge": edge, "actor": actor, "reason": reason,
            "event": {"data": {"title": incident["title"], "note": row["note"], "why": "score >= 0.99"}},
            **({"simulated": True} if row["simulated"] else {}),
        }  # fmt: skip
        row["history"].append(record)
        self._change("dispatch", row["id"], record)

    def _change(self, kind: str, key: str, record: Row) -> None:
        change = {"position": len(self.changes) + 1, "kind": kind, "id": key, "record": record}
        self.changes.append(change)
        self.publish(change)

    # What is asked

    def incident(self, key: str) -> Row:
        row = self.incidents[key]
        suggested = ["unit-shiyan-1", "unit-shiyan", "unit-geo"] if "slope" in row["area"] else ["unit-shajing-1"]
        return {
            **row, "alarm_details": [self.alarms[id] for id in row["alarms"]],
            "dispatch_details": [self.dispatches[id] for id in row["dispatches"]], "suggested_units": suggested,
            "plan": self.plan,
        }  # fmt: skip

    def explore(self, points: list[str], start: float, stop: float, most: int) -> Row:
        """Give several points, and the alarms of their areas; what is older than a week is not read whole."""
        areas = {one.split(".")[0] for one in points}
        alarms = [
            {"id": row["id"], "rule": row["rule"], "title": row["rule_title"], "area": row["area"],
             "level": row["level"],
             "scope": row["scope"], "simulated": row["simulated"], "begin": row["onset"], "end": stop}
            for row in self.alarms.values() if row["area"] in areas and row["onset"] >= start
        ]  # fmt: skip
        return {
            "items": [self.trace(one, start, stop, most) for one in points], "alarms": alarms, "reports": [],
            "complete": stop - start <= 8 * 86400, "since": max(start, stop - 7 * 86400),
        }  # fmt: skip

    def trace(self, point: str, start: float, stop: float, most: int, ahead: float = 0.0) -> Row:
        count = max(2, min(most, 1200, int((stop - start) / 10)))
        times = [start + (stop - start) * i / (count - 1) for i in range(count)]
        raised = [row for row in self.alarms.values() if row["explanation"]]
        onset = max((row["onset"] for row in raised if point in row["explanation"]["points"]), default=stop)
        values, scores = [], []
        for at in times:
            value, score = reading(point, at, onset)
            values.append(round(value, 3))
            scores.append(round(score, 4))
        unit = next(one["unit"] for one in self.site["points"] if one["id"] == point)
        flagged = [{"time": times[1], "value": values[1], "flags": ["jump"], "aside": True}] if stop < 1.8e9 else []
        told = {"point": point, "unit": unit, "learning": False, "time": times, "value": values, "score": scores}
        if ahead and point in self.leads:
            on, last = [times[-1] + ahead * step for step in (0.0, 0.5, 1.0)], values[-1]
            told["forecast"] = {
                "time": on, "value": [last, last + 1, last + 2], "low": [last, last, last + 1],
                "high": [last, last + 2, last + 4], "eta": 720.0, "soonest": 360.0, "latest": None,
            }  # fmt: skip
        return {**told, "flagged": flagged}
