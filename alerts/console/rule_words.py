"""What the loader of rules says of a mistake, in Chinese: those that somebody meets who writes a rule on the page.

Also why what is sound cannot take force. The loader speaks English, with the words of the file in between. Here is
each sentence with `{}` for those, and its translation; what is not here stays as it is, and the page says that it is
English. Longer ones are tried first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from alerts.console.phrases import Phrases
from alerts.console.yaml_words import unparsed
from sensors.problem import Problem

_SAID: tuple[tuple[str, str], ...] = (
    # conditions
    ("the condition is empty", "条件为空"),
    ("the condition is longer than {} characters", "条件超过 {} 个字符"),
    ("this is no condition: {}", "这不是条件：{}"),
    ("this is no condition", "这不是条件"),
    ("this bracket is not closed", "此括号没有闭合"),
    ("this bracket closes none", "此括号没有对应的开括号"),
    ("'{}' is not part of the rule language: {}", "规则语言中没有“{}”：{}"),
    ("'{}' is not part of the rule language, but as a unit after a number: {}", "“{}”只能作数值后的单位：{}"),
    ("this is not part of the rule language", "规则语言中没有这种写法"),
    ("write {}: a duration, and the share of the readings below", "请写成 {}：时长，以及低于它的读数比例"),
    ("write {}: a category, how many, within what time", "请写成 {}：类别、数量、时限"),
    ("write {}: two times of the day, 00:00 to 24:00", "请写成 {}：一天中的两个时刻，00:00 至 24:00"),
    ("write {}", "请写成 {}"),
    ("this is a number, not a condition; compare it with something", "这是数值而不是条件，请与某个值比较"),
    ("this is a number where a condition belongs; compare it with something", "此处应为条件而不是数值，请与某个值比较"),
    ("this is a condition where a number belongs", "此处应为数值而不是条件"),
    ("more than {} parts; split the rule", "组成部分超过 {} 个，请拆分规则"),
    ("constants of truth have no use here", "此处不需要真假常量"),
    ("a text is only an argument, as in seen('debris', '5m')", "文本只能作参数，例如 seen('debris', '5m')"),
    ("write 'and' and 'or' for '&' and '|'", "请用 and、or，不要用 &、|"),
    ("the number is too large", "数值过大"),
    ("{} cannot be compared with {}: they do not measure the same", "{} 不能与 {} 比较：量纲不同"),
    ("{} cannot be compared with {}: write a rate such as {}", "{} 不能与 {} 比较：请写成变化率，例如 {}"),
    ("{} cannot be compared with {}", "{} 不能与 {} 比较"),
    ("'{}' is not a unit of measure", "“{}”不是计量单位"),
    ("only > >= < <= == != compare", "只能用 > >= < <= == != 比较"),
    ("'{}' needs a duration, as in {}", "“{}”需要时长，例如 {}"),
    ("'{}' needs a duration and a share, as in {}", "“{}”需要时长和比例，例如 {}"),
    ("'eta' needs what it counts to, as in eta('limit')", "“eta”需要说明到达什么，例如 eta('limit')"),
    ("'{}' stands alone; write {}", "“{}”不能单独使用，请写成 {}"),
    ("'{}' takes no arguments", "“{}”不带参数"),
    ("'abs' takes one number", "“abs”只带一个数值"),
    ("arguments have no names here", "此处的参数不写名称"),
    ("unknown name '{}'", "未知名称“{}”"),
    ("unknown feature '{}'", "未知特征“{}”"),
    ("unknown '{}'", "未知用法“{}”"),
    ("{}(…) takes {}, not '{}'", "{}(…) 可用 {}，不能用“{}”"),
    ("{}(…) takes one expression", "{}(…) 只带一个表达式"),
    ("{}(…) takes a condition", "{}(…) 应带条件"),
    ("{}(…) takes a number", "{}(…) 应带数值"),
    ("name the kind of event, as in {}", "请写明事件种类，例如 {}"),
    ("a duration here is more than 0 and at most {} days", "此处的时长须大于 0 且不超过 {} 天"),
    ("{} belongs inside area.max(…), area.any(…) and the like", "{} 只能写在 area.max(…)、area.any(…) 等之内"),
    ("{} cannot stand inside {}", "{} 不能写在 {} 之内"),
    ("{} speaks of a point: write it in a rule with scope: point", "{} 针对单个点位，请写在 scope: point 的规则中"),
    ("'{}' is a camera's: write it in a rule with scope: camera", "“{}”针对摄像机，请写在 scope: camera 的规则中"),
    ("'{}' speaks of one camera, not of the area's points", "“{}”针对单个摄像机，而不是区域内的点位"),
    ("no reading moves this: it holds always, or never", "任何读数都不会改变它：要么总成立，要么永不成立"),
    ("the same stands on both sides", "两边相同"),
    ("this divides by zero", "除数为零"),
    ("no point of the site measures '{}'", "本站点没有测量“{}”的测点"),
    ("{} (point '{}' is in {})", "{}（测点“{}”的单位为 {}）"),
    ("this is a number, not a condition", "这是数值，不是条件"),
    ("{} measures nothing known here", "{} 的量纲在此处不成立"),
    ("a deadband needs a limit that the value is compared with", "使用 deadband 须有与 value 比较的限值"),
    ("{} events of a kind are remembered: more cannot be counted", "每种事件只记住 {} 个，不能数更多"),
    ("this is in {}, the other side has no unit", "此处单位为 {}，另一边没有单位"),
    ("give this number a unit, such as {}", "请为此数值写明单位，例如 {}"),
    (
        "{} looks back on {} days, and the log is kept for {} (FORESHOCK_RETENTION_DAYS)",
        "{} 回看 {} 天，而日志只保留 {} 天（FORESHOCK_RETENTION_DAYS）",
    ),
    ("{} is {} to {}: this holds always, or never", "{} 在 {} 至 {} 之间：恒成立或永不成立"),
    ("{} is {} or more: this holds always, or never", "{} 不小于 {}：恒成立或永不成立"),
    # the rule around them
    (
        "'{}' is no id: small letters, digits, '-', '_', '.', at most 64",
        "“{}”不是有效编号：只用小写字母、数字和 - _ .，最长 64",
    ),
    ("versions count from 1, to {} at most", "版本号从 1 起，最大 {}"),
    ("a rule has at least one level: blue, yellow, orange, red", "规则至少有一个等级：blue、yellow、orange、red"),
    ("is empty: say it, or the rule cannot be judged", "为空：不写明则无法评判该规则"),
    ("'{}' is no date; write {}", "“{}”不是日期，请写成 {}"),
    ("names no mode of the site", "没有写明站点模式"),
    ("'{}' is no mode of this site{}", "“{}”不是本站的模式{}"),
    ("'{}' is no {}", "没有“{}”这个 {}"),
    ("'{}' is none of {}", "“{}”不在可用值之内：{}"),
    (
        "'{}' is no duration; write a number of seconds, or 90 s, 10 min, 12 h, 30 d",
        "“{}”不是时长，请写秒数，或如 90 s、10 min、12 h、30 d",
    ),
    (
        "'{}' is no moment; write 2026-05-03 14:00, 14:00, or how long ago: 90 s, 20 min, 2 h, 3 d",
        "“{}”不是时刻，请写 2026-05-03 14:00、14:00，或多久以前：90 s、20 min、2 h、3 d",
    ),
    ("is longer than {} characters", "超过 {} 个字符"),
    ("has more than {} steps", "步骤超过 {} 个"),
    ("has more than {} tests", "测试超过 {} 个"),
    ("names more than {}", "超过 {} 个"),
    (
        "a level with its own `clear` needs no deadband: write one of the two",
        "已写 clear 就不需要 deadband，二者取一",
    ),
    ("only a rule on points has a deadband", "只有针对点位的规则可用 deadband"),
    ("only points have readings to count: use `for`", "只有点位有读数可数，请用 for"),
    ("is less than 0", "小于 0"),
    ("'{}' is no number with a unit, such as 0.2 m", "“{}”不是带单位的数值，例如 0.2 m"),
    ("a duration here is at least 0 and at most 32 days", "此处的时长为 0 至 32 天"),
    ("is a duration of more than 0 and at most 32 days, such as 10 min", "须为大于 0、不超过 32 天的时长，例如 10 min"),
    ("says neither hours (from, to) nor days", "既未写时段（from、to），也未写日期（days）"),
    ("'{}' is no day: {}", "“{}”不是星期：{}"),
    ("names one of event, report and quantity", "须写明 event、report、quantity 之一"),
    ("the rule does not fit its tests' points: {}", "规则与其测试的点位不符：{}"),
    ("the rule's test '{}' fails: {}", "规则的测试“{}”未通过：{}"),
    (
        "the rule's test '{}' fails: at {} the level is {}, expected {}",
        "规则的测试“{}”未通过：{} 时等级为 {}，应为 {}",
    ),
    (
        "the rule's test '{}' fails: at {} the level is {}, expected {}, and differs at {} more",
        "规则的测试“{}”未通过：{} 时等级为 {}，应为 {}，另有 {} 处不符",
    ),
    ("'{}' is neither a number, a..b*n, n*times nor _", "“{}”既不是数值，也不是 a..b*n、n*次数或 _"),
    ("{} levels for {} steps", "等级有 {} 个，步数为 {}"),
    ("{} steps, the values have {}", "步数为 {}，读数有 {} 步"),
    ("more than {} steps", "步数超过 {}"),
    ("a step takes time", "每步须有时长"),
    ("name a level", "请写明等级"),
    ("nothing is expected", "没有写明期望的等级"),
    ("{} is after the last step", "{} 在最后一步之后"),
    ("no series is given", "没有给出数据"),
    ("'{}' is nothing that a camera shows; write {}", "摄像机没有“{}”这种画面，请写 {}"),
    (
        "a rule with scope: camera, and no other, is tested by what a camera shows",
        "只有 scope: camera 的规则用摄像机画面测试",
    ),
    (
        "only reports are about a subject: their kind begins with 'report-'",
        "只有上报有 subject：其种类以 report- 开头",
    ),
    ("{}: give the test its own limit or levels as well", "{}：请同时为测试写明限值或各级限值"),
    (
        "'{}' is not so many of the last so many readings: write {}, at most of {}",
        "“{}”未写明最近若干读数中的若干个：请写成 {}，总数至多 {}",
    ),
    ("a pattern is at most {} long, with at most {} * and no [", "通配名称最长 {}，* 至多 {} 个，不用 ["),
    ("the template has no parameter '{}'", "模板没有参数“{}”"),
    ("'{}' divides by zero", "“{}”除数为零"),
    ("{} is above {}", "{} 大于上限 {}"),
    ("{} is below {}", "{} 小于下限 {}"),
    ("'{}' is already the rule at {}", "“{}”已是 {} 处规则的编号"),
    ("the rule is {} bytes long; {} are the most", "规则长 {} 字节，最多 {}"),
    ("more than {} rules", "规则超过 {} 条"),
    ("more than {} files of rules", "规则文件超过 {} 个"),
    ("cannot be laid out without changing what it says; it stays as it is", "排版会改变其含义，保持原样"),
    ("{} ends neither in .json nor in .yaml", "{} 不以 .json 或 .yaml 结尾"),
    # the file
    ("the file is empty", "文件为空"),
    ("there is no such file", "没有此文件"),
    ("there is no such site folder", "没有此站点文件夹"),
    ("the file is larger than {} bytes", "文件超过 {} 字节"),
    ("'{}' is already given on line {}", "“{}”已在第 {} 行写过"),
    ("a tab stands where only spaces may: indent with spaces", "缩进只能用空格，不能用制表符"),
    ("tag '{}' is not allowed; write plain values", "不允许标签“{}”，请直接写值"),
    ("byte {} is not UTF-8 text; save the file as UTF-8", "字节 {} 不是 UTF-8 文本，请将文件存为 UTF-8"),
    ("character {} is not allowed", "不允许字符 {}"),
    ("more than {} values (aliases counted out)", "值超过 {} 个（别名展开后计）"),
    ("nested more than {} levels deep", "嵌套超过 {} 层"),
    ("alias '{}' stands for nothing before it", "别名“{}”之前没有对应的锚点"),
    (
        "merge keys ('<<') are not supported; write the fields out or use a template",
        "不支持合并键（<<），请写出字段或使用模板",
    ),
    ("unknown field", "未知字段"),
    ("unknown field; known are {}", "未知字段，可用的有 {}"),
    ("the field '{}' is missing", "缺少字段“{}”"),
    # what cannot be meant, and what warns
    ("nested too deep: at most {} levels; split the rule", "嵌套过深：至多 {} 层，请拆分规则"),
    ("'{}' is no comparison; write '{}'", "“{}”不是比较，请写 {}"),
    ("'{}' is a full-width character: write {}", "“{}”是全角字符，请写 {}"),
    ("'{}' is of full-width characters: write {}", "“{}”是全角字符，请写 {}"),
    ("a full-width space (U+3000) stands here: write a plain one", "此处是全角空格（U+3000），请用半角空格"),
    ("'{}' is no unit here: write {}", "此处“{}”不是单位，请写 {}"),
    ("{} is {} to {}: this never holds", "{} 在 {} 至 {} 之间：永不成立"),
    ("{} is {} or more: this never holds", "{} 不小于 {}：永不成立"),
    ("{} is a whole number: this never holds", "{} 为整数：永不成立"),
    ("{} is a whole number: this always holds", "{} 为整数：恒成立"),
    ("this never holds: what it asks of {} cannot be so at once", "永不成立：对 {} 的要求不能同时满足"),
    ("this always holds: whatever {} is, some part of it is so", "恒成立：无论 {} 为何值，总有一部分成立"),
    (
        "holds whenever `when` does: say what is calm again, such as a value below its limit",
        "when 成立时此条件也成立：请写明何时算恢复，例如低于限值",
    ),
    (
        "'{}' is no time of the day: write 06:30, from 00:00 to 24:00",
        "“{}”不是一天中的时刻，请写 06:30（00:00 至 24:00）",
    ),
    ("24:00 is when a day ends: write 00:00", "24:00 是一天的结束，请写 00:00"),
    (
        "is {}, as `from` is: that lasts no time; for all day write 00:00 and 24:00",
        "为 {}，与 from 相同，时长为零；全天请写 00:00 和 24:00",
    ),
    ("`{}` is missing: write from and to, such as 22:00 and 06:00", "缺少 {}：请写 from 和 to，例如 22:00 和 06:00"),
    ("'{}' matches no point of this site", "“{}”不匹配本站点的任何测点"),
    ("'{}' matches no camera of this site", "“{}”不匹配本站点的任何摄像机"),
    ("no {} of this site has the tag '{}'", "本站点没有 {} 带标签“{}”"),
    ("is never seen: '{}' holds whenever this does", "永远看不到：此条件成立时“{}”也成立"),
    ("covers no {} of this site: it can never be raised", "在本站点不覆盖任何 {}：永远不会触发"),
    ("has no tests: nothing shows when it is raised and when it is not", "没有测试：无法证明何时触发、何时不触发"),
    ("'{}' is no kind of event that its cameras are known to tell of", "“{}”不是已知的事件种类"),
    ("'{}' is no category of reports of this site", "“{}”不是本站点的上报类别"),
    # why a site, rules or a model that are sound cannot take force
    ("another reload is under way; try again once it is done", "另一次发布正在进行，请在其完成后重试"),
    (
        "there is no publication {}; `foreshock publications` lists those there are",
        "没有版本 {}；可用 foreshock publications 查看已有版本",
    ),
    (
        "`{}` of site.yaml cannot change while it runs: it is {} in force and {} in the folder",
        "site.yaml 的 {} 在运行中不能更改：现为 {}，文件夹中为 {}",
    ),
    (
        "`signals.native` of site.yaml takes a restart: the broker knows what the product publishes by {}",
        "更改 site.yaml 的 signals.native 须重新启动：消息代理按 {} 识别本产品发布的内容",
    ),
    (
        "area {} would move to another partition, away from its open alarms and its points' state: keep it in its "
        "group with `group: {}`",
        "区域 {} 会移到另一分区，离开其未结束的报警和测点状态：请用 group: {} 使其留在原组",
    ),
    ("the worker did not take it up within {} s; what was in force stays", "引擎在 {} 秒内未接收，原版本继续生效"),
    (
        "{} has laid out another publication meanwhile; `foreshock publications` tells what takes force, propose yours "
        "again if it does not",
        "{} 在此期间提出了另一次发布；foreshock publications 可查看何者生效，如您的未生效请重新提出",
    ),
    (
        "the worker has taken it up and is not done after {} s: it takes force once it is; `foreshock publications` "
        "tells, and run/worker.log what holds it up",
        "引擎已接收，但 {} 秒后仍未完成，完成后即生效；foreshock publications 可查看结果，原因见 run/worker.log",
    ),
    (
        "shadow rules run on the site that is in force, and {} differs in {}: publish that first, or take it out",
        "影子规则在现行站点上运行，而 {} 在 {} 上不同：请先发布这些更改，或将其撤回",
    ),
    ("the rules of {} are those in force: there is nothing to compare", "{} 的规则就是现行规则，没有可比较的内容"),
    ("these rules are those in force: there is nothing to compare", "这些规则就是现行规则，没有可比较的内容"),
    (
        "what is in force has changed since {} began, and promoting it would take that back: {}; run a set in the "
        "shadow that has both, or publish that",
        "自 {} 开始以来，现行规则已有变动，启用它会撤销这些变动：{}；请让兼有两者的一套规则影子运行，或直接发布",
    ),
    ("the shadow rules {} are not in {}: publish their folder instead", "影子规则 {} 不在 {} 中，请改为发布其文件夹"),
    (
        "{} foretells no better than always telling the same odds (Brier {}, constant {}): let more verdicts come in",
        "{} 的预测不优于固定概率（Brier {}，固定概率为 {}）：请等待更多处置结论",
    ),
    ("no model of version '{}'; `foreshock models list` lists those there are", "没有版本为“{}”的模型"),
    ("{} models of version '{}'; `foreshock models list` lists those there are", "有 {} 个版本以“{}”开头的模型"),
    ("{} is of another site: there is no {}", "{} 属于另一站点：本站点没有 {}"),
    ("{} of version {}; `foreshock models list` lists those there are", "{}：版本 {}；可用 foreshock models list 查看"),
    ("no triage model is in force", "没有研判模型在生效"),
    ("no {} is in force", "没有 {} 在生效"),
    ("no model is in force for {}", "{} 没有模型在生效"),
    (
        "{} is in force by now, not {}: look again before you go back",
        "现在生效的已是 {}，不再是 {}：请重新查看后再回退",
    ),
    ("somebody else promotes a model just now; try again once that is done", "他人正在启用模型，请稍后重试"),
)
_PHRASES = Phrases(_SAID)
_MEANT = re.compile(r" \(did you mean '(.+?)'\?\)")
_KINDS = {
    "a whole number": "整数", "a number": "数值", "text": "文字", "true or false": "true 或 false", "a list": "列表",
    "a mapping of fields": "字段映射", "nothing": "空值",
}  # fmt: skip
_NAMED_TWICE = re.compile(r"(?<=the rule's test )'([^“”]*)' \(“([^“”]*)”\)(?= fails: )")
_TYPED = re.compile(r"expected (.+), got (.+)", re.DOTALL)
_LISTED, _WRITTEN = re.compile(r"a list of (\d+)"), re.compile(r"the text ('.*')", re.DOTALL)
_MADE = re.compile(r"([a-z0-9][a-z0-9_.-]{0,63}): (.+)", re.DOTALL)
_COLUMN = re.compile(r"column (\d+): (.*)", re.DOTALL)


def said(message: str, language: str) -> str:
    """Say in a language what the loader said of a mistake; in English, and where it is not known, it stays.

    A test that has a name in both languages is called by that of the reader's.
    """
    english = language.startswith("en")
    message = _NAMED_TWICE.sub(r"'\1'" if english else r"'\2'", message)
    if english:
        return message
    column = _COLUMN.fullmatch(message)
    if column is not None:
        inside = said(column[2], language)
        return message if inside == column[2] else f"第 {column[1]} 列：{inside}"
    if (unread := unparsed(message)) is not None:
        return unread
    typed = _TYPED.fullmatch(message)
    if typed is not None:
        wanted = re.split(r"(?<!true) or ", typed[1])  # `true or false` is one kind
        return f"应为{'或'.join(map(_kind, wanted))}，实为{_kind(typed[2])}"
    text = _PHRASES.chinese(_MEANT.sub("", message))
    if text is None:
        made = _MADE.fullmatch(message)  # a rule that a template made is named before what is wrong with it
        inside = said(made[2], language) if made is not None else ""
        return message if made is None or inside == made[2] else f"{made[1]}：{inside}"
    near = _MEANT.search(message)
    return text if near is None else f"{text}{meant(near[0], language)}"


def _kind(what: str) -> str:
    """Say what kind of value stands, or should stand, in a file."""
    known = _KINDS.get(what)
    if known is not None:
        return known
    listed, written = _LISTED.fullmatch(what), _WRITTEN.fullmatch(what)
    return f"{listed[1]} 项的列表" if listed else f"文字 {written[1]}" if written else f" {what}"


def meant(near: str, language: str) -> str:
    """Say in a language what `sensors.problem.suggest` says of a name that is near."""
    return near if language.startswith("en") else _MEANT.sub(r"（是否想写 \1？）", near)


_PARTS = {
    "areas": "区域", "points": "测点", "cameras": "摄像机", "units": "单位", "seats": "席位", "shifts": "班次",
    "plans": "预案", "places": "地点", "fields": "领域", "area_types": "区域类型", "rules": "规则", "models": "模型",
    "site": "站点设置",
}  # fmt: skip
_HOWS = {
    "added": "新增", "removed": "删除", "changed": "修改", "renamed": "改名",
    "that decide otherwise under the same version": "判定已变而版本号未提高",
}  # fmt: skip
_DIFFERS = re.compile(r"(\w+) (\w[\w ]*): (\d+) \((.*?)(?:, … (\d+) more)?\)", re.DOTALL)


def differing(line: str, language: str) -> str:
    """Say in a language a line of what a publication changes; in English, and where it is no such line, it stays."""
    found = _DIFFERS.fullmatch(line)
    if language.startswith("en") or found is None or found[1] not in _PARTS or found[2] not in _HOWS:
        return line
    more = f"，另有 {found[5]} 个" if found[5] else ""
    return f"{_PARTS[found[1]]}{_HOWS[found[2]]} {found[3]} 个（{found[4].replace(', ', '、')}{more}）"


def in_words(publication: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Say in a language what a publication, or a proposed one, changes."""
    return {**publication, "difference": [differing(line, language) for line in publication.get("difference", ())]}


def told(problems: Iterable[Problem | Mapping[str, Any]], language: str) -> list[dict[str, Any]]:
    """Give mistakes as the API does: as the loader says them, and as a reader of a language does."""
    rows = [msgspec.structs.asdict(one) if isinstance(one, Problem) else dict(one) for one in problems]
    return [{**row, "said": said(row["message"], language)} for row in rows]
