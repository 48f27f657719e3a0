"""What the commands of `foreshock models` say, in Chinese and English."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "joined": ("、", ", "),
    "unknown": ("未知", "unknown"),
    "no_area": ("本站点没有区域 {area}{near}", "the site has no area {area}{near}"),
    # train
    "needs_csv": (
        "--time 和 --column 说明如何读取记录：请用 --csv 指明文件",
        "--time and --column say how to read a recording: name it with --csv",
    ),
    "since_when": (
        "请写明从何时起学习，如 --from '14 d'，或用 --csv 指明记录文件",
        "say from when to learn, as in --from '14 d', or name a recording with --csv",
    ),
    "order": ("--to 应晚于 --from", "--to must be later than --from"),
    "own_only": (
        "--from、--to、--point、--without、--ignore 和 --simulated 用于站点自身的历史，不能与 --csv 同用",
        "--from, --to, --point, --without, --ignore and --simulated are for the site's own history, not for --csv",
    ),
    "columns": (
        "请写明时间列，以及至少两列和各自的测点，如 --time t --column rain=ns-rain",
        "name the column of times and at least two others with their points, as in --time t --column rain=ns-rain",
    ),
    "column_twice": (
        "有一列对应了两个测点：它们会完全同步，任何传感器都不会如此",
        "a column was named for two points: they would move as one, which no sensors do",
    ),
    "of_rows": ("（共 {rows} 行{left}）", " (of {rows}{left})"),
    "left_out": ("，{count} 行{why}", ", {count} {why}"),
    "learning": ("正在从 {rows} 行学习", "learning from {rows} rows"),
    "trial": (
        "  {kind}：加入的故障找到 {found:.0%}，平稳行误报 {false:.2%}",
        "  {kind}: {found:.0%} of faults put on found, {false:.2%} of rows false",
    ),
    "learnt": (
        "{version}：{points} 个测点的 {kind}，学自 {rows} 行{note}；尚未启用",
        "{version}: {kind} of {points} points from {rows} rows{note}; not in force yet",
    ),
    "no_point": ("区域 {area} 没有测点 {point}", "area {area} has no point {point}"),
    "is_state": (
        "{point} 是状态量：其代码没有大小，无从学习",
        "{point} is a state: its codes have no size to learn from",
    ),
    "two_points": (
        "一个模型至少需要两个测点，各写一次；{area} 可学习的有 {count} 个",
        "a model takes two points at least, each once; of {area} there are {count} to learn from",
    ),
    "still": (
        "从未变化的测点无从学习：{points}；请用 {options} 略去",
        "there is nothing to learn from what never moved: {points}; leave them out with {options}",
    ),
    "still_columns": (
        "从未变化的测点无从学习：{points}；请略去它们的列",
        "there is nothing to learn from what never moved: {points}; leave their columns out",
    ),
    "no_log": (
        "Kafka 中的日志只能向前读取：请指明历史库 FORESHOCK_INFLUX_URL，或用 --csv 指明记录文件",
        "a log in Kafka is only read forwards: name a history, FORESHOCK_INFLUX_URL, or a recording, --csv",
    ),
    "reading_history": ("正在读取历史", "reading the history"),
    "no_history": ("无法读取历史：{error}", "the history cannot be read: {error}"),
    # list
    "version": ("版本", "version"),
    "area": ("区域", "area"),
    "kind": ("种类", "kind"),
    "points": ("测点", "points"),
    "rows": ("行数", "rows"),
    "from": ("自", "from"),
    "to": ("至", "to"),
    "age": ("已过", "age"),
    "found": ("找到", "found"),
    "false": ("误报", "false"),
    "promoted": ("启用", "promoted"),
    "drift": ("漂移", "drift"),
    "in_drift": ("已漂移", "in drift"),
    "no_drift": ("无", "none"),
    "counting": ("统计中", "counting"),
    "days": ("{days:.1f} 天", "{days:.1f} d"),
    "missing": (
        "{version} 不作判定：站点没有 {points}，也没有以此为曾用名的测点",
        "{version} says nothing: the site has no {points}, under no former name either",
    ),
    # compare
    "different_areas": (
        "{first} 与 {second} 属于不同区域：{areas}",
        "{first} and {second} are of different areas: {areas}",
    ),
    "other_site": (
        "{version} 属于另一站点：本站点没有 {points}",
        "{version} is of another site: there is no {points}",
    ),
    "no_later": (
        "两个模型学习之后没有历史；请用 --from 和 --to 另指一段",
        "there is no history after what both were learnt from; name another with --from and --to",
    ),
    "part_learnt": (
        "其中一部分历史是学习用过的：这些数字偏好",
        "a part of this history was learnt from: figures of that are too good",
    ),
    "no_usable": ("这段历史没有可用的行", "no row of that history can be used"),
    "compared": ("{area}，{begin} 至 {end}", "{area}, {begin} to {end}"),
    "rows_judged": ("判定的行", "rows judged"),
    "quiet_rows": ("平稳行", "quiet rows"),
    "false_a_day": ("每天误报", "false a day"),
    "outside": ("越出常态", "outside"),
    "found_after": ("多久后找到", "found after"),
    "of": ("{of} 中 {count}", "{count} of {of}"),
    "minutes": ("{minutes:.0f} 分", "{minutes:.0f} min"),
    # promote, rollback
    "triage": ("研判", "triage"),
    "is_in_force": ("{of} 启用 {version}", "{version} is in force for {of}"),
    "none_in_force": ("{of} 不再有模型在生效", "no model is in force for {of} any more"),
    "already": ("{of} 已在使用 {version}", "{version} is in force for {of} already"),
    "waits": ("等待第二人批准：{of} 启用 {version}", "it waits for a second person to approve it: {version} for {of}"),
    "no_model": ("无模型", "no model"),
    "next_run": (
        "没有正在运行的系统：自下次 `foreshock run` 起，{what}",
        "nothing runs: from the next `foreshock run` on {what}",
    ),
    "as_of": ("{what}，自发布 {publication} 起", "{what}, as of publication {publication}"),
    # triage
    "no_triage": (
        "没有研判模型在生效；`foreshock models triage train` 学习，`promote` 启用",
        "no triage model is in force; `foreshock models triage train` learns one, `promote` puts it in force",
    ),
    "triage_learnt": (
        "{version}：学自 {verdicts} 个处置结论；尚未启用",
        "{version}: learnt from {verdicts} verdicts; not in force yet",
    ),
    "verdicts": ("处置结论", "verdicts"),
    "real": ("属实", "real"),
    "brier": ("Brier", "Brier"),
    "constant": ("固定概率", "constant"),
    "ordered": ("次序", "order"),
    "code": ("程序版本", "code"),
    "figures": (
        "处置结论 {verdicts} 个，属实 {real} 个；由较早的预测较晚的 {tested} 个：Brier {brier:.3f}，"
        "固定概率为 {brier_constant:.3f}；属实排在扰动之前的占 {order:.0%}",
        "{verdicts} verdicts, {real} real; the later {tested} foretold from the earlier: "
        "Brier {brier:.3f}, of a constant {brier_constant:.3f}; a real one comes before a nuisance in {order:.0%}",
    ),
    "alarms": ("报警", "alarms"),
    "odds_told": ("预测概率", "odds told"),
    "were_real": ("实际属实", "were real"),
}
