"""The built-in rule on the product's own processes: one that ended is an alarm until it works again."""

from __future__ import annotations

from typing import Any

import msgspec

from alerts.outcome import Explanation, Kind
from sensors.observation import SystemEvent
from sensors.site import RANK, SYSTEM

LONGEST = 200
"""Characters of a component's name or of a detail that are kept."""


class ProcessRule(msgspec.Struct, frozen=True, kw_only=True):
    """Stand beside the site's rules; no site can have one of this id."""

    id: str = "@process"
    title: dict[str, str] = msgspec.field(default_factory=lambda: {"zh": "系统进程中断", "en": "A process ended"})
    kind: Kind = "system"
    version: int = 1
    rationale: dict[str, Any] = msgspec.field(
        default_factory=lambda: {
            "cause": {
                "zh": "进程崩溃、被终止，或内存、磁盘不足",
                "en": "It crashed, was killed, or memory or disk ran out",
            },
            "consequence": {
                "zh": "恢复前该环节停顿：接入、计算、界面或通知",
                "en": "Its part stands still until it is back: intake, engine, console or notices",
            },
            "response": {
                "zh": "系统会自动重启该进程；反复出现时运行 foreshock doctor 并查看 run/<进程>.log",
                "en": "It is started again by itself; if this repeats, run foreshock doctor and read run/<process>.log",
            },
            "time_to_respond": "30 min",
            "owner": {"zh": "系统管理员", "en": "System administrator"},
            "review": "2027-11-30",
        }
    )


class ProcessChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the rule's condition, as `alerts.condition.Change` describes it. Yellow: nobody is sent out."""

    rule: ProcessRule
    scope: str
    before: int
    after: int
    onset: float
    time: float
    why: Explanation
    area: str = SYSTEM
    simulated: bool = False


RULE = ProcessRule()


def change(event: SystemEvent, clock: float) -> ProcessChange:
    """Turn an event into the rule's change of condition. `clock` is the engine's arrival clock, unix seconds."""
    down = event.state == "down"
    component, detail = event.component[:LONGEST], event.detail[:LONGEST]
    return ProcessChange(
        rule=RULE,
        scope=component,
        before=0 if down else RANK["yellow"],
        after=RANK["yellow"] if down else 0,
        onset=event.time,
        time=clock,
        why=Explanation(clause=f"{component}: {detail or event.state}", clear=f"{component} works again"),
    )
