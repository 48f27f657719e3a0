"""What the parts below the commands say in English of what cannot be done, in Chinese: files, options, histories.

Sentences stand here without the file that they begin with, and clause by clause where they are joined by `: ` or `; `.
What the loader of a site and its rules says is in `alerts.console.rule_words`, which is asked as well.
"""

from __future__ import annotations

from alerts.console import rule_words
from alerts.console.phrases import Phrases
from scripts.commands.site_phrases import SITE
from scripts.commands.upkeep_phrases import UPKEEP

_SAID: tuple[tuple[str, str], ...] = (
    # files
    ("cannot be read", "无法读取"),
    ("{} cannot be read", "无法读取 {}"),
    ("cannot be written", "无法写入"),
    ("No such file or directory", "没有这个文件或文件夹"),
    ("Permission denied", "没有权限"),
    ("Is a directory", "是文件夹"),
    ("Not a directory", "不是文件夹"),
    ("Connection refused", "连接被拒绝"),
    ("No space left on device", "磁盘空间不足"),
    ("is larger than {} MB", "超过 {} MB"),
    ("is empty; a heading and rows are needed", "文件为空，需要表头和数据行"),
    (
        "is no text but an Excel workbook or a zip archive; save what it holds as CSV",
        "是 Excel 工作簿或 zip 压缩包，不是文本：请另存为 CSV",
    ),
    ("is no text but an old Excel workbook; save what it holds as CSV", "是旧版 Excel 工作簿，不是文本：请另存为 CSV"),
    ("is no text but a gzip archive; save what it holds as CSV", "是 gzip 压缩包，不是文本：请解压为 CSV"),
    ("is no text but a Parquet file; save what it holds as CSV", "是 Parquet 文件，不是文本：请另存为 CSV"),
    ("is no text but a PDF; save what it holds as CSV", "是 PDF 文件，不是文本：请另存为 CSV"),
    ("would overwrite the file that is read; choose another --out", "会覆盖正在读取的文件，请另选 --out"),
    ("there is no folder {}", "没有文件夹 {}"),
    ("is no JSON", "不是 JSON"),
    ("names no files", "没有列出文件"),
    ("is no list of windows", "不是时段列表"),
    # recordings
    ("is no recorded series", "不是可识别的序列"),
    (
        "there is no series in {}: CSV files with a column of times and one of numbers; a series has {} readings at "
        "least",
        "{} 中没有序列：须为有时间列和数值列的 CSV 文件，至少 {} 个读数",
    ),
    (
        "there is no series in {}: CSV files with a column of times and one of numbers",
        "{} 中没有序列：须为有时间列和数值列的 CSV 文件",
    ),
    ("no row can be read", "没有可读取的行"),
    ("not a number: {}", "不是数值：{}"),
    ("not a number, held: {}", "不是数值，沿用上一值：{}"),
    ("not a time: {}", "不是时间：{}"),
    ("has {} columns, {} are needed", "只有 {} 列，需要 {} 列"),
    ("no column {}; there are: {}", "没有列 {}；可用的列：{}"),
    (
        "begins with its newest row and is too long to be turned: sort it by time first",
        "以最新一行开头，且过长，无法倒序读取：请先按时间排序",
    ),
    ("a column is named twice", "有一列写了两次"),
    ("unknown time zone {}: use a name such as Asia/Shanghai", "未知时区 {}：请写如 Asia/Shanghai 的名称"),
    ("the interval must be a positive number of seconds, not {}", "间隔应为正的秒数，不能是 {}"),
    (
        "the limit must be a number, and its horizon a positive number of seconds",
        "限值应为数值，预见期应为正的秒数",
    ),
    ("has {} readable rows, fewer than the {} to learn from", "只有 {} 个可读的行，不足学习所需的 {} 行"),
    ("{} rows are too few to learn {} points from; {} are needed", "{} 行不足以学习 {} 个测点，需要 {} 行"),
    ("{} points are more than {}; choose those that belong together", "{} 个测点超过 {} 个，请只选相互关联的测点"),
    ("see --train-rows", "见 --train-rows"),
    # what is evaluated, and learnt from
    ("holds no events", "没有可用的事件"),
    ("more than {} streams", "事件流超过 {} 个"),
    ("{} windows are more than {}", "{} 个时段超过 {} 个"),
    ("{} is no time", "{} 不是时间"),
    ("line {} has {} fields, the heading {}", "第 {} 行有 {} 个字段，表头有 {} 个"),
    (
        "no file of events in {}: CSV with a column of times, a row for each event",
        "{} 中没有事件文件：须为有时间列的 CSV，每个事件一行",
    ),
    ("there is no run (.csv) in it", "其中没有实验数据（.csv）"),
    (
        "not a run of SKAB: the columns datetime, …, anomaly are needed, with semicolons",
        "不是 SKAB 的实验数据：需要 datetime、…、anomaly 各列，以分号分隔",
    ),
    ("has {} rows; more than {} are needed", "有 {} 行，需要多于 {} 行"),
    ("cannot open {}", "无法打开 {}"),
    (
        "before part {} of {} of the later half: {} verdicts ({} real, {} nuisance) are too few to learn from; "
        "{} are needed, {} of each",
        "后一半的第 {} 段（共 {} 段）之前，处置结论只有 {} 个（属实 {}，扰动 {}），不足以学习；"
        "需要 {} 个，两类各 {} 个",
    ),
    (
        "before part {} of {} of the later half: {} verdicts before the later ones that are to be foretold "
        "({} real, {} nuisance) are too few to learn from; {} are needed, {} of each",
        "后一半的第 {} 段（共 {} 段）之前，须预测的之前的处置结论只有 {} 个（属实 {}，扰动 {}），不足以学习；"
        "需要 {} 个，两类各 {} 个",
    ),
    (
        "{} verdicts ({} real, {} nuisance) are too few to learn from; {} are needed, {} of each",
        "处置结论只有 {} 个（属实 {}，扰动 {}），不足以学习；需要 {} 个，两类各 {} 个",
    ),
    (
        "{} verdicts before the later ones that are to be foretold ({} real, {} nuisance) are too few to learn from; "
        "{} are needed, {} of each",
        "须预测的之前，处置结论只有 {} 个（属实 {}，扰动 {}），不足以学习；需要 {} 个，两类各 {} 个",
    ),
    ("under alarm", "处于报警中"),
    ("bad or simulated", "为坏值或模拟"),
    ("in a gap", "处于缺数中"),
    ("no reading of {} in that time", "这段时间内没有 {} 的读数"),
    ("try another, by --from and --to", "请用 --from 和 --to 另选一段"),
    ("leave them out with {}", "请用 {} 略去"),
    (
        "all readings of {} are simulated or bad; --simulated learns from a simulation all the same",
        "{} 的读数全为模拟或坏值；--simulated 仍从模拟数据学习",
    ),
    ("all readings of {} are bad", "{} 的读数全为坏值"),
    ("it is damaged, or was renamed: its content is that of {}", "文件已损坏或被改名：其内容属于 {}"),
    ("not a model", "不是模型"),
    ("a model of format {}; this version reads {}", "模型格式为 {}，本版本只读 {}"),
    ("a triage model of another version of the product; train it anew", "研判模型出自本产品的另一版本：请重新训练"),
    (
        "its precision is not symmetric and positive: it measures no distance; train the model anew",
        "其精度矩阵不是对称正定，无法度量距离：请重新训练",
    ),
    ("it has numbers that are not finite", "其中有非有限数值"),
    ("{} has numbers that are not finite", "{} 中有非有限数值"),
    (
        "{} is not what was promoted; promote another with `foreshock models promote`",
        "{} 不是当初启用的模型；请用 `foreshock models promote` 另行启用",
    ),
    ("not a triage model", "不是研判模型"),
    ("{} is larger than a model may be", "{} 超过模型允许的大小"),
    ("{} is damaged", "{} 已损坏"),
    ("no triage model of version {}; `{}` lists those there are", "没有版本为 {} 的研判模型；可用 `{}` 查看"),
    ("{} triage models of version {}; `{}` lists those there are", "有 {} 个研判模型的版本以 {} 开头；可用 `{}` 查看"),
    ("there is no log here", "这里没有日志"),
    ("reading failed", "读取失败"),
    # what is swept, and replayed
    ("rule {} has no level {}", "规则 {} 没有等级 {}"),
    ("it has {}", "它有 {}"),
    ("level {} of rule {} compares with no number and no limit: {}", "等级 {}（规则 {}）不与数值或限值比较：{}"),
    ("level {} of rule {} goes by no limit {} of the registry", "等级 {}（规则 {}）不以登记表的限值 {} 为准"),
    ("level {} goes by it", "以它为准的等级：{}"),
    ("rule {} covers floors and ceilings: sweep one kind at a time", "规则 {} 兼有上限和下限：请一次只试一种"),
    (
        "level {} of rule {} asks for {}, which moves with the limit: change the registry in a copy of the site, and "
        "replay that",
        "等级 {}（规则 {}）用到 {}，它随限值变动：请在站点副本中修改登记表，再回放",
    ),
    ("the variants could not be worked out", "无法试算各取值"),
    (
        "partition {} no longer holds its first observations (retention); cannot replay",
        "分区 {} 最早的观测已过保留期，无法回放",
    ),
    (
        "a process of the replay was ended from outside (too little memory?)",
        "一个回放进程被外部终止（内存不足？）",
    ),
    ("name a folder or s3://BUCKET/PREFIX", "请指明文件夹或 s3://BUCKET/PREFIX"),
    ("nothing is archived in {} yet", "{} 中尚无归档"),
    ("the archive is of another log", "归档属于另一日志"),
    (
        "observations {} to {} of partition {} were never archived: choose a later --from, or an earlier --to",
        "观测 {} 至 {}（分区 {}）从未归档：请选更晚的 --from 或更早的 --to",
    ),
    ("{} cannot be read as a log", "无法将 {} 作为日志读取"),
    (
        "partition {} no longer holds its first observations (retention): what is left is from {} on, and the first "
        "state kept is of {}: choose a later --from",
        "分区 {} 最早的观测已过保留期：尚存的自 {} 起，留存的最早引擎状态为 {}：请选更晚的 --from",
    ),
    (
        "partition {} no longer holds its first observations (retention): what is left is from {} on, and no state of "
        "the engine was kept of before --from",
        "分区 {} 最早的观测已过保留期：尚存的自 {} 起，且没有留存 --from 之前的引擎状态",
    ),
    ("the history cannot be read", "无法读取历史库"),
    ("no history is kept: FORESHOCK_HISTORY_GIGABYTES is 0", "没有保存历史库：FORESHOCK_HISTORY_GIGABYTES 为 0"),
    ("the history has no readings yet", "历史库中尚无读数"),
    ("the history has readings from {} on: choose a later --from", "历史库的读数自 {} 起：请选更晚的 --from"),
    ("the history has readings until {}: choose an earlier --from", "历史库的读数至 {} 止：请选更早的 --from"),
    ("the answer is too large: ask for less of it", "返回的数据过大：请减少所查内容"),
    (
        "the history has {} readings in a few seconds, more than can be replayed",
        "历史库在数秒内有 {} 个读数，超过可回放的数量",
    ),
    # templates of a site's signals
    (
        "{} can never match: the site has no point of such an id that {} names",
        "{} 永远不会匹配：站点没有 {} 所指的这种编号的测点",
    ),
    ("{} can never match: {} takes all its topics before", "{} 永远不会匹配：{} 已先取走其全部主题"),
    # settings, and why nothing is started
    ("must be NORMAL or FULL", "应为 NORMAL 或 FULL"),
    ("must be DEBUG, INFO, WARNING or ERROR", "应为 DEBUG、INFO、WARNING 或 ERROR"),
    ("must be 0, 1 or 2", "应为 0、1 或 2"),
    ("must be {} to {}, or 0", "应为 {} 至 {}，或 0"),
    ("must be {} to {}", "应为 {} 至 {}"),
    ("must be above {}", "应大于 {}"),
    ("must be {} or more", "应不小于 {}"),
    ("a port is 0 to 65535", "端口应为 0 至 65535"),
    ("Expected `{}`, got `{}`", "应为 `{}`，实为 `{}`"),
    ("cannot read {}: {}", "无法读取 {}：{}"),
    ("cannot read {}: No such file or directory", "无法读取 {}：没有这个文件或文件夹"),
    ("cannot read {}: Permission denied", "无法读取 {}：没有权限"),
    ("levels between '/', without '+' and '#'", "各级以 / 分隔，不含 + 和 #"),
    ("this works on the embedded log only, and the log is in Kafka", "此功能只用于内置日志，而日志在 Kafka 中"),
    ("{}: {} is not supported: use {}PATH or {}HOST:PORT", "{}：不支持 {}：请写 {}PATH 或 {}HOST:PORT"),
    ("put it outside the data folder: each backup would hold it, too", "请放在数据文件夹之外，否则每个备份都会包含它"),
    ("write {}, or leave it empty for a file", "请写 {}，留空则使用文件"),
    ("put the password into the file that {} names", "请将密码写入 {} 所指的文件"),
    ("put the token into the file that {} names", "请将令牌写入 {} 所指的文件"),
    ("name the user whose password it is, as {}", "请写明密码所属的用户，如 {}"),
    ("there is no {}; there are {}", "没有 {}；可用的有 {}"),
    ("only a run of a cluster may leave some to others", "只有集群中的运行可将部分进程留给其他机器"),
    ("keep the log in Kafka: set {}", "日志须在 Kafka 中：请设置 {}"),
    ("keep the journal in PostgreSQL: set {}", "日志库须在 PostgreSQL 中：请设置 {}"),
    ("name the MQTT broker that all of them listen to: set {}", "请指明共同使用的 MQTT 代理：请设置 {}"),
    (
        "put the same 64 hexadecimal digits (openssl rand -hex 32) into each run's {}",
        "请在每个运行的 {} 中写入相同的 64 位十六进制数（openssl rand -hex 32）",
    ),
    ("use https beyond this machine, or set {}", "本机之外请用 https，或设置 {}"),
    ("use https beyond this machine", "本机之外请用 https"),
    ("no name or password in it; the token is in the file of {}", "不得含用户名或密码；令牌在 {} 所指的文件中"),
    (
        "another foreshock (process {}) already runs on {}; stop it first, or choose another folder with --data",
        "已有前震（进程 {}）在 {} 上运行；请先停止它，或用 --data 另选文件夹",
    ),
    ("port {} for {} cannot be used ({}); choose another with {}", "端口 {}（{}）无法使用（{}）；请用 {} 另选"),
    (
        "port {} for the console cannot be used (Address already in use); choose another with {}",
        "端口 {}（控制台）已被占用；请用 {} 另选",
    ),
    (
        "port {} for the MQTT broker cannot be used (Address already in use); choose another with {}",
        "端口 {}（MQTT 代理）已被占用；请用 {} 另选",
    ),
    ("cannot use the data folder {}: {}", "数据文件夹 {} 无法使用：{}"),
    ("cannot use the data folder {}: Not a directory", "数据文件夹 {} 无法使用：不是文件夹"),
    ("cannot use the data folder {}: Permission denied", "数据文件夹 {} 无法使用：没有权限"),
    ("cannot use the data folder {}: No such file or directory", "数据文件夹 {} 无法使用：没有这个文件或文件夹"),
    ("not ready after {} s: {}; see the lines above for the reason", "{} 秒后仍未就绪：{}；原因见上文"),
    ("{} ended {} times and was never ready; see the lines above", "{} 已退出 {} 次，从未就绪；原因见上文"),
    ("the exercise was not begun: does another one run in its areas?", "演练未开始：其区域内是否另有演练？"),
    (
        "{} (or --mqtt-host) must name a broker: the embedded one has no TLS and no other bridges",
        "{}（或 --mqtt-host）须指明代理：内置代理没有 TLS，也没有其他网桥",
    ),
    ("no MQTT broker at {}: {}", "{} 处没有 MQTT 代理：{}"),
    ("the MQTT broker at {} refused: {}", "{} 处的 MQTT 代理拒绝：{}"),
    ("the MQTT broker at {} has not acknowledged anything for {} s", "{} 处的 MQTT 代理 {} 秒内没有任何确认"),
    ("no font with Chinese glyphs was found: {}", "未找到含中文字形的字体：{}"),
    # moments
    (
        "{} is no moment; write 2026-05-03 14:00, 14:00, or how long ago: 90 s, 20 min, 2 h, 3 d",
        "{} 不是时刻；请写 2026-05-03 14:00、14:00，或多久以前：90 s、20 min、2 h、3 d",
    ),
)
_PHRASES = Phrases((*_SAID, *SITE, *UPKEEP))


def said(sentence: str, language: str) -> str:
    """Say a sentence in a language; in English, and where nothing of it is known, it stays."""
    if language.startswith("en"):
        return rule_words.said(sentence, language)
    known = _PHRASES.chinese(sentence, _within) or rule_words.said(sentence, language)
    if known != sentence:
        return known
    if ": " in sentence:
        halves, mark = sentence.split(": ", 1), "："
    else:
        halves, mark = sentence.rsplit("; ", 1), "；"
    told = [said(half, language) for half in halves] if len(halves) > 1 else halves
    return sentence if told == halves else mark.join(told)


def _within(words: str) -> str:
    """Say what is quoted, where it is a sentence: a single word may be an id."""
    return said(words, "zh-CN") if " " in words else words
