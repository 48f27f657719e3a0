"""The JSON Schema of a file of rules, for editors: what each field is, in Chinese and English."""

from __future__ import annotations

from typing import Any

import msgspec

from rules.loading import ID
from rules.rule import RuleFile

_END = r"\Z"  # which JSON Schema, that is JavaScript, does not know

_DELAYS = {
    "for": "when 须持续成立多久才触发，如 1 min · how long `when` must hold before the level is raised, such as 1 min",
    "clear_after": "解除条件须持续成立多久 · how long the clear condition must hold before the level is left",
    "samples": "最近读数中须有几个成立，如 3 of 5 · at how many of the last readings `when` must have held: 3 of 5",
    "deadband": "须回到限值以内多少才解除 · how far past its limit a value must be back before the level is left",
}
_RULE = _DELAYS | {
    "title": "标题，中英文 · title, in Chinese and English",
    "kind": "risk 风险，或 data_quality 数据质量 · risk, or data_quality: shown apart, never dispatched by itself",
    "scope": "按测点、区域或摄像机各判一次 · one condition a point, an area or a camera",
    "where": "适用于哪些测点、区域或摄像机 · the points, areas or cameras that it covers",
    "levels": "各级预警的条件 · the condition of each level; at least one",
    "schedule": "何时生效，按站点时钟 · when its conditions count, by the site's clock",
    "with": "触发时须有其一佐证 · one of these must be so for a level to be raised",
    "latch": "条件消失后仍保持，直至有人复位 · its alarms stay until a person resets them",
    "suppress": "在哪些运行模式下按设计抑制 · in which modes of the site its alarms give way",
    "flapping": "多久内响铃几次算频繁报警 · from how many rings within what time its alarms chatter",
    "priority": "同级告警中的先后 · among alarms of one level",
    "rationale": "为何设此规则 · why the rule exists: none loads without it",
    "plan": "处置清单 · the checklist that the incident shows",
    "tests": "规则自带的测试 · its own tests: it does not load when one fails",
    "version": "版本，修改后加一 · its version: raise it with each change",
}
WORDS: dict[str, dict[str, str]] = {
    "RuleFile": {
        "rules": "规则 · rules",
        "templates": "模板：参数不同的同类规则 · templates: rules that differ by some numbers",
    },
    "Rule": _RULE
    | {
        "id": "规则编号，不可再用 · its id: small letters, digits, - _ . ; never given to another rule",
        "template": "由加载程序填写 · the template that it was made from; said by the loader",
    },
    "Body": _RULE,
    "Template": {
        "id": "模板编号；规则为 编号.类型 · its id; rules are called id.type",
        "parameters": "留待填写的数值 · the numbers that it leaves open",
        "for": "用于哪些区域类型或区域 · the area types and areas that it makes rules for",
        "rule": "规则本身，{名称} 代表参数 · the rule, in which {name} stands for a parameter",
    },
    "Parameter": {
        "name": "名称 · what it is",
        "unit": "单位 · its unit",
        "default": "默认值；没有则每处须给出 · its value unless a use says another; without one each use says it",
        "min": "最小值 · the least",
        "max": "最大值 · the most",
    },
    "Use": {
        "types": "区域类型，每类一条规则 · area types: a rule for each",
        "areas": "区域，每个一条规则 · areas: a rule for each",
        "with": "此处的参数值 · the parameters here",
    },
    "Where": {
        "quantity": "测量量 · what is measured: one, or any of several",
        "types": "区域类型 · types of area",
        "areas": "区域编号 · ids of areas",
        "points": "测点编号，可用 * ? · ids of points, with * and ?",
        "tags": "须有其一的标签 · tags of which one must be there",
        "without_tags": "不得有的标签 · tags that must not be there",
        "cameras": "摄像机编号，可用 * ? · ids of cameras, with * and ?",
        "without_areas": "除外的区域 · areas that are left out",
    },
    "Levels": {
        "blue": "蓝色 · blue: notice",
        "yellow": "黄色 · yellow: warning",
        "orange": "橙色 · orange: severe",
        "red": "红色 · red: extreme",
    },
    "Level": _DELAYS
    | {
        "when": "触发条件 · the condition that raises it, such as value > 1.2 m and rate('10m') > 2 mm/h",
        "clear": "解除条件；缺省为 when 确不成立 · the condition that lets go; by default that `when` does not hold",
    },
    "Schedule": {
        "from": "开始时刻，如 22:00 · from what time of the day, such as 22:00",
        "to": "结束时刻，可跨零点 · until what time, over midnight where it is the earlier one",
        "days": "星期、工作日或节假日 · mon … sun, workdays, holidays: any of them",
    },
    "Corroboration": {
        "event": "摄像机事件种类 · the kind of a camera event",
        "report": "群众上报类别 · the category of a report",
        "quantity": "同区域另一测点的量 · what another point of the area measures",
        "above": "高于此值 · above this number, with its unit",
        "below": "低于此值 · below this number, with its unit",
        "within": "多久以内 · how long ago it may be",
    },
    "Suppress": {
        "modes": "运行模式 · modes of the site",
        "up_to": "最高抑制到哪一级 · the highest level that gives way",
    },
    "Flapping": {
        "rings": "响铃次数 · how many rings",
        "within": "在多长时间内 · within what time",
    },
    "Rationale": {
        "cause": "原因 · what causes it",
        "consequence": "后果 · what happens if nobody acts",
        "response": "应对 · what to do",
        "time_to_respond": "须在多久内响应 · within what time somebody must act",
        "owner": "责任单位 · who answers for the rule",
        "review": "复审日期 · the day by which the owner looks at it again, YYYY-MM-DD",
        "source": "限值依据的标准 · the standard or work that sets its limits",
        "placeholder": "哪些限值为示例 · which limits are examples that the owner has yet to set",
    },
    "RuleTest": {
        "name": "名称 · what it shows",
        "point": "被测测点及其数据 · the point itself, and its series",
        "camera": "摄像机画面，每步一项 · what the camera shows, a token a step: none, black, blur+cover, unjudged, _",
        "others": "同区域其他测点 · more points of the area, by id",
        "events": "摄像机事件与群众上报 · camera events and reports",
        "modes": "运行模式 · modes of the site that the area is run in",
        "surge": "每步的 surge 值 · what surge(…) says, a number a step",
        "area_score": "每步的区域模型评分 · the score of the area's model, a number a step",
        "step": "步长，如 30 s · the time between steps, such as 30 s",
        "watched": "开始前已观察多久，默认很久 · how long events and readings were watched before; long by default",
        "start": "开始时刻，站点时钟 · when it begins by the site's clock, 2026-10-01 22:00",
        "expect": "期望的级别 · the level expected at each step (none*5 yellow*2), or at given times",
    },
    "Series": {
        "quantity": "测量量 · what it measures",
        "unit": "单位 · its unit",
        "limit": "限值 · its limit",
        "limit_below": "限值为下限 · whether the limit is a floor",
        "levels": "各级限值 · its limits by level",
        "normal": "正常范围 · its normal band",
        "values": "读数：1 2*3 0..9*10 _ · its readings, a token a step: 1 2*3 0..9*10 _",
        "score": "评分 · its scores, a number a step",
        "alarm": "模型预警，0 或 1 · the models' early events, 0 or 1 a step",
        "eta": "到达限值的秒数 · seconds until the limit, or inf",
        "deviation": "与该时刻常值之差 · how far the value is from what is usual at that hour",
        "upstream": "是否为上游驱动测点 · whether it is a driver of the point",
        "flags": "数据质量标记 · a flag a step, _ for none",
    },
    "EventStep": {
        "kind": "事件种类；上报为 report-类别 · the kind of event; of a report, report-<category>",
        "at": "发生时间 · when, from the test's beginning",
        "phase": "阶段 · new, update or end",
        "subject": "上报所涉对象 · whom a report is about",
    },
    "ModeStep": {
        "mode": "运行模式 · the mode",
        "at": "开始时间 · when it begins",
        "for": "持续多久；缺省至测试结束 · for how long; to the test's end by default",
    },
    "Text": {"zh": "中文 · in Chinese", "en": "英文 · in English"},
}
"""What each field of each kind of part is. A test holds this against the fields that there are."""


NAMES: dict[str, str] = {
    "RuleFile": "规则文件 · a file of rules",
    "Rule": "规则 · a rule",
    "Body": "模板中的规则 · the rule of a template",
    "Template": "模板 · a template",
    "Parameter": "参数 · a parameter",
    "Use": "用途 · where a template makes rules",
    "Where": "适用范围 · what a rule covers",
    "Levels": "各级预警 · the levels",
    "Level": "一级预警 · a level",
    "Schedule": "生效时段 · a schedule",
    "Corroboration": "佐证 · what corroborates",
    "Suppress": "抑制 · suppression by modes",
    "Flapping": "频繁报警 · chattering",
    "Rationale": "理由 · the rationale",
    "RuleTest": "规则的测试 · a test of the rule",
    "Series": "测点的数据 · a point's series",
    "EventStep": "事件 · an event of a test",
    "ModeStep": "模式 · a mode of a test",
    "Text": "中英文文字 · a text in both languages",
}
"""What each kind of part is called: an editor offers one with the fields that it must have under this name."""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a file of rules; every part and field says what it is in Chinese and English."""
    schema: dict[str, Any] = msgspec.json.schema(RuleFile)
    for kind, part in schema["$defs"].items():
        part |= {"title": NAMES[kind], "description": NAMES[kind]}
        for name, field in part.get("properties", {}).items():
            words = WORDS[kind][name]
            if "$ref" in field:  # a description beside a reference is what editors show for the field
                part["properties"][name] = {"description": words, **field}
            else:
                field["description"] = words
    schema["$defs"]["Levels"]["minProperties"] = 1
    fields = schema["$defs"]["Rule"]["properties"]
    fields["id"] |= {
        "pattern": f"^{ID.pattern.removesuffix(_END)}$",
        "patternErrorMessage": "只用小写字母、数字和 - _ .，最长 64 · small letters, digits, - _ . ; at most 64",
    }
    fields["template"]["doNotSuggest"] = True  # nobody writes it: `rules export` does
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Foreshock rules"} | schema
