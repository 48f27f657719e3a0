"""Why an alarm of the product's own fired and what clears it, in Chinese: reports, gateways, the system itself.

The log has these reasons in English, and a replay gives the same; they are said in Chinese where they are shown. A
rule's own clause stays as the site writes it, and so does what is not here, above all an error's own words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from alerts.console.phrases import Phrases

_REASONS = Phrases(
    (
        # reports
        ("{} report of {} about one subject", "同一当事人的 {} 条上报（{}）"),
        ("{} reports of {} about one subject", "同一当事人的 {} 条上报（{}）"),
        ("{} report of {} about this area", "本区域的 {} 条上报（{}）"),
        ("{} reports of {} about this area", "本区域的 {} 条上报（{}）"),
        ("somebody closes the case", "由人员关闭事件"),
        # gateways
        ("{} of {} points silent", "{} 个测点无数据（共 {} 个）"),
        ("{} offline", "{} 自报离线"),
        ("a reading of one of its points", "收到其任一测点的读数"),
        ("it is heard of again", "已重新收到其数据"),
        # the system itself
        ("no order is left untried", "没有停止重试的通知"),
        ("someone has acknowledged it", "由人员确认"),
        ("{} works again", "{} 恢复工作"),
        ("no error", "没有错误"),
    )
)

_DETAILS = Phrases(
    (
        ("down", "中断"),
        ("up", "已恢复"),
        ("ended with exit code {}, restart {}", "进程结束，退出码 {}，第 {} 次重启"),
        ("ended by {}, restart {}", "进程被 {} 终止，第 {} 次重启"),
        ("ended by signal {}, restart {}", "进程被信号 {} 终止，第 {} 次重启"),
        ("no connection", "无连接"),
        ("cannot reach the MQTT broker at {}: {}", "无法连接 MQTT 服务器 {}：{}"),
        ("refused by the MQTT broker at {}: {}", "被 MQTT 服务器 {} 拒绝：{}"),
        ("not subscribed at the MQTT broker at {}: it refuses {}: {}", "未能在 MQTT 服务器 {} 订阅：拒绝 {}：{}"),
        ("cannot be read: {}", "无法读取：{}"),
        ("{} observations were gone from the log before they were archived", "{} 条观测在存档前已从日志中删除"),
        ("partition {}: observations {} to {} are no longer in the log", "分区 {}：日志中已没有观测 {} 至 {}"),
        ("{} GB free of {}", "剩余 {} GB（{}）"),
    )
)
"""What a part of the product says of its trouble."""

_OURS = "@"
"""How the ids of the product's own rules begin: no site can have one of these."""

_LONGEST = 500
"""Characters of a reason of ours; to look for phrases in a longer one could take long."""

_VALUES = re.compile(r"(.*) \[(.*)\]", re.DOTALL)
_OFFLINE = re.compile(r"(\S+) offline(?=$|, )")
_UNCONFIRMED = re.compile(r"(\S+(?:, \S+)*) not confirmed by neighbours$")


def said(reason: str, language: str, rule: str) -> str:
    """Say a clause, what clears it, or a reason in one line (`alerts.condition.in_short`) in the reader's language.

    Of a `rule` of the site's own, only what the product notes beside its values.
    """
    if language.startswith("en"):
        return reason
    valued = _VALUES.fullmatch(reason)
    if valued is not None:
        seen = _UNCONFIRMED.sub(r"\1 未获邻近测点印证", _OFFLINE.sub(r"\1 自报离线", valued[2]))
        return f"{said(valued[1], language, rule)} [{seen}]"
    if not rule.startswith(_OURS) or len(reason) > _LONGEST:
        return reason
    return _REASONS.told(reason, _DETAILS)


def in_both(explanation: Mapping[str, Any], rule: str) -> Mapping[str, Any]:
    """Give an alarm's explanation, as the journal has it, with its clauses in Chinese beside those in English.

    That of a `rule` of the site's own is as it was.
    """
    if not rule.startswith(_OURS):
        return explanation
    named = {name: explanation.get(name, "") for name in ("clause", "clear")}
    chinese = {f"{name}_zh": said(text, "zh", rule) for name, text in named.items()}
    return {**explanation, **{name: text for name, text in chinese.items() if text != named[name.removesuffix("_zh")]}}
