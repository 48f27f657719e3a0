"""Why an alarm got its odds: what of it speaks most for and against, in both languages."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.triage.case import KEYS, NAMES, Case, key_of, vector
from models.triage.model import FARTHEST, TriageModel

TOLD = 3
"""Grounds that are named at most."""
LEAST = 0.15
"""What a ground must add to the logarithm of the odds to be named."""

Words = tuple[str, str]
"""In English and Chinese."""

_HOUR = len(NAMES) - 2  # sine and cosine are one ground
_KEYED: dict[str, Words] = {
    "rule": ("this rule", "该规则"),
    "scope": ("this place", "该对象"),
    "area": ("this area", "该区域"),
    "type": ("this type of area", "该类区域"),
}
_OF: dict[str, Callable[[Case], Words]] = {
    "level": lambda case: (f"its level ({case.level} of 4)", f"其级别（4 级中的第 {case.level} 级）"),
    "data quality": lambda case: (
        ("it is of data quality", "属于数据质量")
        if case.quality
        else ("it is no matter of data quality", "不属于数据质量")
    ),
    "score": lambda case: (f"its score {case.score or 0.0:.6g}", f"其异常度 {case.score or 0.0:.6g}"),
    "score known": lambda case: (
        ("no model scored it", "没有模型评分") if case.score is None else ("a model scored it", "有模型评分")
    ),
    "events": lambda case: (f"{case.events} camera events in the evidence", f"证据中有 {case.events} 个摄像机事件"),
    "reports": lambda case: (f"{case.reports} reports in the evidence", f"证据中有 {case.reports} 条上报"),
    "points": lambda case: (f"{case.points} points in the evidence", f"证据中有 {case.points} 个测点"),
    "other alarms of the area": lambda case: (
        f"{case.beside} other alarms of the area in the half-hour before", f"此前半小时该区域另有 {case.beside} 个报警",
    ),
    "repeats": lambda case: (f"it came {case.repeats} times in the day before", f"此前一天内已出现 {case.repeats} 次"),
    "data quality in doubt": lambda case: (
        ("the area's data are in doubt", "该区域数据存疑")
        if case.doubtful
        else ("nothing doubts the area's data", "该区域数据无疑问")
    ),
}  # fmt: skip


def reasons(model: TriageModel, case: Case) -> Words:
    """Say what speaks most for an alarm being real, and what against it; both empty where nothing stands out."""
    numbers = np.array(vector(case, model.tallies))
    added = np.clip((numbers - model.centre) / model.scale, -FARTHEST, FARTHEST) * model.weights
    grounds: list[tuple[float, Words]] = [
        (float(added[at]), _words(name, at, case, model)) for at, name in enumerate(NAMES[:_HOUR])
    ]
    grounds.append((float(added[_HOUR:].sum()), ("the hour of the day", "一天中的时刻")))
    grounds = sorted((one for one in grounds if abs(one[0]) >= LEAST), key=lambda one: (-abs(one[0]), one[1]))[:TOLD]
    speaks = [words for weight, words in grounds if weight > 0.0]
    against = [words for weight, words in grounds if weight < 0.0]
    english = [
        f"{lead}: {', '.join(one[0] for one in part)}" for lead, part in _parts("for it", "against it", speaks, against)
    ]
    chinese = [f"{lead}：{'，'.join(one[1] for one in part)}" for lead, part in _parts("支持", "反对", speaks, against)]
    return "; ".join(english), "；".join(chinese)


def _parts(speaking: str, against: str, pro: list[Words], contra: list[Words]) -> list[tuple[str, list[Words]]]:
    return [(lead, part) for lead, part in ((speaking, pro), (against, contra)) if part]


def _words(name: str, at: int, case: Case, model: TriageModel) -> Words:
    if at >= len(KEYS):
        return _OF[name](case)
    key = KEYS[at]
    real, nuisance = model.tallies.get(key, {}).get(key_of(case, key), (0.0, 0.0))
    what, what_zh = _KEYED[key]
    if real + nuisance <= 0.0:
        return f"nothing is known of {what} yet", f"{what_zh}尚无结论"
    return (
        f"alarms of {what} were real {real:.3g} of {real + nuisance:.3g} times",
        f"{what_zh}的报警 {real + nuisance:.3g} 次中 {real:.3g} 次为真实",
    )
