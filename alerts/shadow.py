"""Shadow rules as the journal has them: the set that runs, and how its alarms compare with those in force."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from alerts.outcome import ShadowChange
from alerts.tables import shadow_verdicts, shadows
from rules.difference import HOWS

MOST = 200
"""Verdicts that are listed at most."""

Row = dict[str, Any]


def begun_shadow(change: ShadowChange) -> Row:
    """Make the row of a set in a partition that the journal does not know yet."""
    return {
        "id": change.shadow,
        "partition": change.partition,
        "began": None,
        "ended": None,
        "state": "running",
        "author": change.author,
        "reason": change.reason,
        "rules": change.rules,
        "fault": "",
        "ended_by": "",
        "ended_why": "",
    }


def fold_shadow(row: Row, change: ShadowChange) -> None:
    """Bring the row of a set up to date with a change."""
    if change.edge == "began":
        row |= {"began": change.time, "state": "running", "author": change.author, "reason": change.reason}
    elif change.edge == "fault":
        row["fault"] = change.reason
    else:
        row |= {"state": change.edge, "ended": change.time, "ended_by": change.author, "ended_why": change.reason}
        if change.edge == "broken":
            row["fault"] = change.reason


def status(engine: sa.Engine, shadow: str | None = None, limit: int = 50) -> Row | None:
    """Tell of a set of shadow rules, by default the newest: since when it runs, and how its alarms compare.

    `state` is that of its partitions: broken where one is, else running while one runs. Counts are by how, by rule and
    by area; `verdicts` are the latest that are not the same, at most `limit`. None when there was none.
    """
    with engine.connect() as connection:
        if shadow is None:
            newest = sa.select(shadows.c.id).order_by(
                sa.func.coalesce(shadows.c.began, shadows.c.ended).desc(), shadows.c.id
            )
            shadow = connection.scalar(newest.limit(1))
        parts = [
            dict(row)
            for row in connection.execute(
                sa.select(shadows).where(shadows.c.id == shadow).order_by(shadows.c.partition)
            ).mappings()
        ]
        if not parts:
            return None
        table = shadow_verdicts
        counted = connection.execute(
            sa.select(table.c.rule, table.c.area, table.c.how, sa.func.count(), sa.func.avg(table.c.seconds))
            .where(table.c.shadow == shadow)
            .group_by(table.c.rule, table.c.area, table.c.how)
            .order_by(table.c.rule, table.c.area, table.c.how)
        ).all()
        latest = [
            dict(row)
            for row in connection.execute(
                sa.select(table)
                .where(table.c.shadow == shadow, table.c.how != "same")
                .order_by(table.c.number.desc())
                .limit(min(limit, MOST))
            ).mappings()
        ]
    states = {one["state"] for one in parts}
    faults = [one["fault"] for one in parts if one["fault"]]
    total = dict.fromkeys(HOWS, 0)
    by_rule: dict[str, dict[str, int]] = {}
    by_area: dict[str, dict[str, int]] = {}
    for rule, area, how, count, _ in counted:
        for counts in (
            total,
            by_rule.setdefault(rule, dict.fromkeys(HOWS, 0)),
            by_area.setdefault(area, dict.fromkeys(HOWS, 0)),
        ):
            counts[how] += count
    moved = [(count, mean) for _, _, how, count, mean in counted if how in ("earlier", "later") and mean is not None]
    began = [one["began"] for one in parts if one["began"] is not None]
    ended = [one["ended"] for one in parts if one["ended"] is not None]
    return {
        "id": shadow,
        "state": next((one for one in ("broken", "running") if one in states), min(states)),
        "began": min(began, default=None),
        "ended": max(ended, default=None) if "running" not in states else None,
        "author": parts[0]["author"],
        "reason": parts[0]["reason"],
        "rules": max(one["rules"] for one in parts),
        "fault": faults[0] if faults else "",
        "ended_by": parts[0]["ended_by"],
        "ended_why": parts[0]["ended_why"],
        "counts": total,
        "seconds": sum(count * mean for count, mean in moved) / sum(count for count, _ in moved) if moved else None,
        "by_rule": by_rule,
        "by_area": by_area,
        "verdicts": latest,
    }
