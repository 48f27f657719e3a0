"""What `foreshock rules tune` and `foreshock replay` say beside their tables, in Chinese and English.

A part of the one catalogue in `words`, where `Words` looks.
"""

from __future__ import annotations

TUNE: dict[str, tuple[str, str]] = {
    "no_rule": ("现行规则中没有 {rule}{near}", "no rule {rule} is in force{near}"),
    "no_level": (
        "--level {level}：没有这种等级；可用 {known}",
        "--level {level}: there is no such level; there are {known}",
    ),
    "no_limit": (
        "--limit {limit}：登记表的限值有 limit、{known}",
        "--limit {limit}: the registry's limits are limit, {known}",
    ),
    "limit_of_rule": (
        "--limit 须同时写规则：要试哪条规则的限值",
        "--limit takes a rule too: whose limits are to be swept",
    ),
    "plot_of_rule": (
        "--plot 须写规则，以及以 .svg 或 .html 结尾的文件名",
        "--plot takes a rule and the name of an .svg or .html file",
    ),
    "sweeping": ("正在试算", "sweeping"),
}

REPLAY: dict[str, tuple[str, str]] = {
    "with_rules": (
        "--against 和 --html 须与 --rules（要试的规则）同用",
        "--against and --html go with --rules, the rules to try",
    ),
    "html_name": (
        "{file}：对比以 HTML 写成，请用以 .html 结尾的文件名",
        "{file}: the page is written as HTML; choose a name that ends in .html",
    ),
    "history_alone": (
        "--history 须与 --rules（要试的规则）同用：历史库没有当时的结果可供核对",
        "--history goes with --rules, the rules to try: the history does not have what was decided, to be checked",
    ),
    "history_or_archive": (
        "--history 和 --archive 只能用一个：前者只读历史库中的读数",
        "--history and --archive: choose one; the former reads nothing but readings of the history",
    ),
    "in_history": (
        "；历史库有 {since} 以来的读数：加 --history 和 --rules（要试的规则）即可用这些读数试算",
        "; the history has readings from {since} on: with --history and --rules, the rules to try, these are replayed",
    ),
    "of_history": (
        "只用历史库中的读数，按读数自身的时间：没有摄像头事件、上报和人员操作，派单无人应答，现行的站点视为一直有效，"
        "模型自 {since} 起学习。因此与当时的记录不可比，日志库不参与核对；差别只说明两套规则。",
        "Of the history's readings alone, by their own time: no camera event, report or person's action is in it, no "
        "dispatch is answered, the site of now holds all along, and models learn from {since} on. So this is not what "
        "was recorded then, and the journal is not asked: it tells one set of rules from the other.",
    ),
    "not_before": ("--from {begin} 不早于 --to {end}", "--from {begin} is not before --to {end}"),
    "no_such": ("{file} 不存在", "{file} does not exist"),
    "replaying": ("正在回放", "replaying"),
    "all_same": (
        "已回放 {observations} 个观测（读数 {readings} 个）：{recorded} 个结果全部一致，其中报警变化 {transitions} 个",
        "{observations} observations ({readings} readings) replayed: all {recorded} outcomes are the same, "
        "{transitions} of them alarm transitions",
    ),
    "journal_same": (
        "日志库与之一致：{recorded} 个变化，其中报警变化 {transitions} 个",
        "the journal has them: {recorded} changes, {transitions} of them alarm transitions",
    ),
    "journal_differs": ("日志库与日志的记录不符", "the journal does not have what was recorded"),
    "journal_unread": ("无法读取日志库：{error}", "the journal cannot be read: {error}"),
    "desk_load": (
        "值班负荷：响铃的报警 {rings} 次，十分钟最多 {peak} 次；报警泛滥 {floods} 次，共 {minutes} 分钟",
        "load of the desk: alarms that rang: {rings}, at most {peak} in ten minutes; floods: {floods}, {minutes} min "
        "of them",
    ),
    "page_unwritten": ("{file}：无法写入：{error}", "{file}: cannot be written: {error}"),
}
