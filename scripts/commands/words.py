"""What commands say, in Chinese and English, and the catalogue of those about rules: checks, tuning, comparisons."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from scripts.commands.desk_words import EXERCISES, INCIDENTS, MODES, SILENCES
from scripts.commands.force_words import ALARMS, CHECK, FORCE
from scripts.commands.replay_words import REPLAY, TUNE

Language = Literal["zh-CN", "en"]
LanguageOption = Annotated[
    Language | None, typer.Option("--language", help="Language of what is said or written; the site's by default.")
]
LocaleOption = Annotated[
    Language | None, typer.Option("--language", help="Language of what is said; the terminal's locale by default.")
]

WORDS: dict[str, tuple[str, str]] = {
    "title": ("规则回放对比", "Replay of rules compared"),
    "before": ("原规则", "before"),
    "after": ("新规则", "after"),
    "change": ("变化", "change"),
    "alarms": ("报警", "alarms"),
    "rings": ("响铃", "rings"),
    "peak": ("十分钟最多响铃", "most in ten minutes"),
    "hour_peak": ("一小时最多响铃", "most in an hour"),
    "flood": ("报警泛滥（分钟）", "minutes of flood"),
    "dispatches": ("派单", "dispatches"),
    "crossings": ("越限次数", "crossings of a limit"),
    "warned": ("越限前已报警", "of them with an alarm before"),
    "lead": ("提前量中位数", "median lead before the limit"),
    "gained": ("新增", "gained"),
    "lost": ("减少", "lost"),
    "earlier": ("提前", "earlier"),
    "later": ("推迟", "later"),
    "level": ("等级变化", "level changed"),
    "same": ("不变", "the same"),
    "alarms_changed": ("报警：{counted} · 不变 {same}", "alarms: {counted} · the same {same}"),
    "by_rule": ("按规则", "By rule"),
    "by_area": ("按区域", "By area"),
    "by_hour": ("按小时", "By hour"),
    "by_seat": ("按席位", "By seat"),
    "rule": ("规则", "rule"),
    "area": ("区域", "area"),
    "scope": ("对象", "scope"),
    "hour": ("小时", "hour"),
    "seat": ("席位", "seat"),
    "unit": ("单位", "unit"),
    "point": ("测点", "point"),
    "what": ("差异", "what"),
    "when": ("时间", "when"),
    "shift": ("时差", "by"),
    "levels": ("等级", "level"),
    "leads": ("越限提前量", "Lead before limits"),
    "changed_alarms": ("有差异的报警", "Alarms that differ"),
    "changed_dispatches": ("有差异的派单", "Dispatches that differ"),
    "rings_an_hour": ("每小时响铃次数", "Rings an hour"),
    "courses": ("报警时段：上为原规则，下为新规则", "When alarms were active: above before, below after"),
    "none": ("没有差异", "Nothing differs"),
    "not_warned": ("无报警", "no alarm"),
    "more": ("另有 {count} 条未列出", "{count} more are not listed"),
    "replayed": (
        "两套规则各回放 {observations} 个观测，读数共 {readings} 个，用时 {took:.1f} s",
        "{observations} observations replayed under both sets of rules, {readings} readings in {took:.1f} s",
    ),
    "drawn": ("已绘制到 {file}", "drawn in {file}"),
    "not_as_recorded": (
        "现行规则的回放与当时的记录不符：以上差异须据此看待",
        "the published rules, replayed, do not say what was recorded: what differs above rests on that",
    ),
    "outcomes": ("{how} {count} 个：{ids}", "{count} {how}: {ids}"),
    "outcome_missing": ("缺少", "missing"),
    "outcome_added": ("多出", "added"),
    "outcome_changed": ("不同", "changed"),
    "first_outcome": (
        "第一处：{id}，分区 {partition} 偏移 {offset}，{at}，{named}：{how}",
        "first: {id} at offset {offset} of partition {partition}, {at}, {named}: {how}",
    ),
    "commands": (
        "人员操作 {commands} 次重做：{same} 次对原报警或事件，{moved} 次对取代它的那一个，{astray} 次无对象而略去",
        "{commands} actions of people done again: {same} to what they were about, {moved} to what stands in its place, "
        "{astray} left out, as nothing does",
    ),
    "simulated": ("模拟", "simulated"),
    "red": ("红", "red"),
    "orange": ("橙", "orange"),
    "yellow": ("黄", "yellow"),
    "blue": ("蓝", "blue"),
    "problems": ("{site} 有 {count} 个问题", "{count} problem(s) in {site}"),
    "more_problems": ("另有 {count} 个未列出，--json 列出全部", "{count} more are not listed; --json lists all"),
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
    "at_hours": ("按小时：{hours}", "by hour: {hours}"),
    "at_hour": ("{hour:02} 时 {count}", "{hour:02}h {count}"),
    "joined": ("、", ", "),
    "real": ("属实", "real"),
    "nuisance": ("扰动", "nuisance"),
    "test": ("测试", "test"),
    "duplicate": ("重复", "duplicate"),
    "threshold": ("阈值", "threshold"),
    "delay": ("延时", "delay"),
    "false": ("误报", "false"),
    "missed": ("漏报", "missed"),
    "ahead": ("提前", "lead"),
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
    "no_tests": ("{rule} 没有测试", "{rule} has no tests"),
    "unnoticed": ("{rule}：{change}：没有测试能发现", "{rule}: {change}: no test notices"),
    "pass": ("{rules} 条规则的 {tests} 个测试通过", "{tests} tests of {rules} rules pass"),
    "noticed": (
        "改坏的 {broken} 处限值和延时中，测试发现了 {noticed} 处",
        "{noticed} of {broken} broken limits and delays are noticed",
    ),
    "no_difference": ("规则没有差异", "no rule differs"),
    "rule_added": ("新增", "added"),
    "rule_removed": ("已删除", "removed"),
    "rule_changed": ("已修改", "changed"),
    "texts_only": ("（仅文字和测试不同，其报警继续）", " (texts and tests only: its alarms go on)"),
    "would_change": ("{file} 将被修改", "{file} would change"),
    "laid_out": ("{file} 已排版", "{file} is laid out"),
    "stay": ("{files} 个文件中有 {count} 个保持原样", "{count} of {files} files stay as they are"),
    "not_laid_out": (
        "{files} 个文件中有 {count} 个未排版，`foreshock rules format {site}` 可排版",
        "{count} of {files} files are not laid out; `foreshock rules format {site}` does it",
    ),
    "all_laid_out": ("{files} 个规则文件已排版", "{files} files of rules are laid out"),
    "exported": ("{count} 条规则已写入 {file}", "{count} rules are in {file}"),
    "imported": ("{count} 条规则已写入 {file}", "{count} rules are in {file}"),
    "would_import": ("{count} 条规则将写入 {file}", "{count} rules would be in {file}"),
    "outside": (
        "--out {file}：请指定站点 rules/ 下的 .yaml 文件",
        "--out {file}: name a .yaml file in rules/ of the site",
    ),
    "exists": (
        "{file} 已存在：--replace 覆盖它，--out 另指文件",
        "{file} exists; --replace writes over it, --out names another",
    ),
    "not_written": ("{count} 个问题，未写入任何内容", "{count} problem(s); nothing was written"),
    "cannot_write": ("无法写入 {file}：{error}", "cannot write {file}: {error}"),
    "not_raised": ("未触发", "not raised"),
    "nothing_read": ("尚无数据", "nothing is known yet"),
    "of_version": ("{when}，版本 {version}", "{when}, version {version}"),
    "raised_when": ("触发条件：{clause}", "when {clause}"),
    "has_held": ("，已持续 {held} s，需 {hold} s", ", has held for {held} s of {hold} s"),
    "clears_when": ("解除条件：{clause}，持续 {after} s", "clears when {clause} for {after} s"),
    "it_is": ("：现为 {value}", ": it is {value}"),
    "away": ("，相差 {gap}", ", {gap} away"),
    "silenced": ("不再报警：{flipped}", "silenced: {flipped}"),
    "raised": ("新增报警：{flipped}", "raised: {flipped}"),
    **FORCE,
    **CHECK,
    **ALARMS,
    **INCIDENTS,
    **MODES,
    **SILENCES,
    **EXERCISES,
    **TUNE,
    **REPLAY,
}


def of_locale() -> Language:
    """Tell which language the locale of the terminal asks for: Chinese, or English for every other."""
    told = next((found for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (found := os.environ.get(name))), "")
    return "zh-CN" if told.startswith("zh") else "en"


class Words:
    """Say things of a catalogue in one language; times in one zone."""

    def __init__(self, language: Language, zone: str, catalogue: Mapping[str, tuple[str, str]] = WORDS) -> None:
        """`catalogue` has by key what is said in Chinese and in English."""
        self.language: Language = language
        self._catalogue = catalogue
        self._place = 0 if language == "zh-CN" else 1
        self.zone, self._zone = zone, ZoneInfo(zone)

    def __call__(self, key: str, **values: object) -> str:
        """Return the text of a key."""
        text = self._catalogue[key][self._place]
        return text.format(**values) if values else text

    def time(self, time: float, form: str = "%m-%d %H:%M:%S") -> str:
        """Write unix seconds."""
        return datetime.fromtimestamp(time, self._zone).strftime(form)

    def rounded(self, time: float, step: float, *, up: bool = False) -> float:
        """Give the unix time nearest to one (or not before it) at which the zone's clocks show a whole `step` (s)."""
        ahead = datetime.fromtimestamp(time, self._zone).utcoffset()
        east = ahead.total_seconds() if ahead is not None else 0.0
        steps = (time + east) / step
        return (math.ceil(steps) if up else round(steps)) * step - east

    def duration(self, seconds: float | None) -> str:
        """Write a span of time, at most three digits of it."""
        if seconds is None:
            return "–"
        size = abs(seconds)
        for least, length, zh, en in ((86400 * 2, 86400, "天", "d"), (7200, 3600, "小时", "h"), (120, 60, "分", "min")):
            if size >= least:
                return f"{seconds / length:.3g} {zh if self.language == 'zh-CN' else en}"
        return f"{seconds:.3g} {'秒' if self.language == 'zh-CN' else 's'}"

    def shift(self, seconds: float | None) -> str:
        """Write by how much something is later (+) or earlier (-)."""
        return "" if seconds is None or abs(seconds) < 1.0 else ("+" if seconds > 0 else "") + self.duration(seconds)
