"""What `foreshock score` says, in Chinese and English."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "no_file": ("{file} 不是文件", "{file} is no file"),
    "missing_file": ("没有文件 {file}", "there is no file {file}"),
    "needs_limit": (
        "{option} 用于计算到达限值的时间：请同时写 --limit",
        "{option} is for the time to a limit: give --limit too",
    ),
    "limit_alone": (
        "--limit 只用于一列：多列一起评分时请去掉它",
        "--limit is for one column: score the columns together without it",
    ),
    "interval_alone": (
        "--interval 只用于一列：多列以所学的行为准",
        "--interval is for one column: several go by the rows that they learn from",
    ),
    "kind_alone": (
        "--kind 只用于一列：多列一起评分时请去掉它",
        "--kind is for one column: score the columns together without it",
    ),
    "unit_alone": (
        "--unit 只用于 --kind angle：其他种类按原有单位评分",
        "--unit is for --kind angle: anything else is scored in whatever unit it has",
    ),
    "own_driver": (
        "--driver {name} 就是所评的值：请指明能预示它的列，例如雨量",
        "--driver {name} is the value itself: name what foretells it, such as rain",
    ),
    "no_limit_of": (
        "--limit 用于会升降的量：{kind} 只有代码，不会到达限值",
        "--limit is for what grows and falls: a {kind} has codes, which lead to none",
    ),
    "lag_alone": (
        "--lag 是驱动量传到所需的时间：请同时写 --driver",
        "--lag is how long what a driver brings takes: give --driver too",
    ),
    "lag_range": ("--lag 应在 1 min 至 14 d 之间", "--lag must be between 1 min and 14 d"),
    "scoring": ("正在评分", "scoring"),
    "scored": (
        "已评分 {scored} 个读数，报警 {alarms} 次{quality}{warned}，已写入 {file}",
        "{scored} readings scored, {alarms} alarms{quality}{warned}, written to {file}",
    ),
    "of_quality": ("，数据质量 {count} 次", ", {count} of data quality"),
    "warned": ("，预警 {count} 次", ", {count} early warnings"),
    "twice": (
        "有一列写了两次：每个 --value 只写一次",
        "a column was named twice: name each --value once",
    ),
    "train_rows": (
        "多列一起评分须先从前若干行学习模型：请用 --train-rows 写明行数",
        "several columns are scored together by a model of the first rows: say how many with --train-rows",
    ),
    "judged": (
        "共 {rows} 行，学习 {trained} 行（{kind}，按 {span} 行平滑），异常 {anomalous} 行，合 {events} 次事件，"
        "已写入 {file}",
        "{rows} rows, {trained} learnt from ({kind}, smoothed over {span}), {anomalous} anomalous in {events} events, "
        "written to {file}",
    ),
    "partial": (
        "{count} 行在缺少某列的情况下判定，该列长时间没有值",
        "{count} rows were judged without a column that had no value for long",
    ),
    "unused_rows": ("{count} 行无法使用", "{count} rows could not be used"),
    "unused_values": ("{count} 个行或值无法使用", "{count} rows or values could not be used"),
    "wild": (
        "所学的行中有 {count} 个值偏离过大，不可能是测量值，已略去",
        "{count} values of the rows learnt from are too far off to be measurements and were left out",
    ),
    "late_scored": (
        "{count} 行不晚于前一行，未评分：文件是否按时间排列？\n若日期和时间分在两列，是否都写了，如 --time date+time？",
        "{count} rows were not later than the one before, and were not scored: is the file in order of time,\n"
        "and if a day and its time are two columns, are both named, as in --time date+time?",
    ),
    "late_judged": (
        "{count} 行不晚于前一行，未判定：文件是否按时间排列？\n若日期和时间分在两列，是否都写了，如 --time date+time？",
        "{count} rows were not later than the one before, and were not judged: is the file in order of time,\n"
        "and if a day and its time are two columns, are both named, as in --time date+time?",
    ),
}
