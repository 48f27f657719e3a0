"""What `foreshock rules check` and `tune` say, in English and Chinese: one small catalogue."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

Language = Literal["en", "zh-CN"]
LanguageOption = Annotated[Language, typer.Option("--language", help="Language of what is said.")]

_WORDS: dict[str, tuple[str, str]] = {
    "problems": ("{site} 有 {count} 个问题", "{count} problem(s) in {site}"),
    "more": ("另有 {count} 个未列出，--json 列出全部", "{count} more are not listed; --json lists all"),
    "sound": (
        "{site} 的 {rules} 条规则无误，{tests} 个测试通过",
        "{rules} rules of {site} are sound, and their {tests} tests pass",
    ),
    "doubts": ("{count} 处不像是有意为之", "{count} thing(s) that can hardly be meant"),
    "review": (
        "{rule}：复审日期为 {date}，已过期：请重新审阅并写明下次日期",
        "{rule}: its review was due on {date}: look at it again, and set the next date",
    ),
    "more_reviews": ("另有 {count} 条规则复审过期", "and {count} more rules whose review is past due"),
    "unjudged": (
        "这段时间内没有事件在关闭时给出结论：无从知道哪些属实",
        "no incident was closed with a disposition in that time: nothing is known of what was real",
    ),
    "unchanged": ("未作任何修改", "nothing was changed"),
    "unknown": ("未知", "unknown"),
    "share": ("{value:.0%}（{low:.0%} 至 {high:.0%}，共 {of}）", "{value:.0%} ({low:.0%} to {high:.0%}, of {of})"),
    "rates": ("查准率 {precision} · 查全率 {recall}", "precision {precision} · recall {recall}"),
    "nuisances": ("扰动报警：{places}", "nuisances: {places}"),
    "by_hour": ("按小时：{hours}", "by hour: {hours}"),
    "hour": ("{hour:02} 时 {count}", "{hour:02}h {count}"),
    "joined": ("、", ", "),
    "real": ("属实", "real"),
    "nuisance": ("扰动", "nuisance"),
    "test": ("测试", "test"),
    "duplicate": ("重复", "duplicate"),
    "threshold": ("阈值", "threshold"),
    "delay": ("延时", "delay"),
    "alarms": ("报警", "alarms"),
    "false": ("误报", "false"),
    "missed": ("漏报", "missed"),
    "lead": ("提前", "lead"),
    "no_better": (
        "没有已知更好的取值；● 为现行规则",
        "no variant is known to be better; ● is the rule as it is",
    ),
    "better": (
        "{when}，持续 {delay:g} s：误报更少，漏报不增",
        "{when} for {delay:g} s: fewer false alarms, and it misses no more",
    ),
    "move": (
        "登记表中 {quantity} 的 {limit}：{before:g} → {after:g} {unit}，{points} 个测点",
        "in the registry, {limit} of {quantity}: {before:g} → {after:g} {unit} at {points} points",
    ),
    "silenced": ("不再报警：{flipped}", "silenced: {flipped}"),
    "raised": ("新增报警：{flipped}", "raised: {flipped}"),
}


def words(key: str, language: Language, **values: object) -> str:
    """Return the text of a key in a language."""
    return _WORDS[key][0 if language == "zh-CN" else 1].format(**values)
