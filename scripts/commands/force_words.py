"""What the commands say that check sites, put them and rules in force, and those of alarms, in Chinese and English.

A part of the one catalogue in `words`, where `Words` looks.
"""

from __future__ import annotations

FORCE: dict[str, tuple[str, str]] = {
    "nothing_ran": (
        "{folder} 中尚无运行记录；请先用 `foreshock run` 启动",
        "nothing has run in {folder} yet; start with `foreshock run`",
    ),
    "nothing_runs": (
        "{folder} 上没有正在运行的系统；请用 `foreshock run` 启动",
        "nothing runs on {folder}; start with `foreshock run`",
    ),
    "at_next_run": (
        "{folder} 上没有正在运行的系统：改动后的站点在下次 `foreshock run` 时生效",
        "nothing runs on {folder}: a changed site takes force at the next `foreshock run`",
    ),
    "unreadable": (
        "无法读取 {folder}：{error}；`foreshock doctor` 或可说明原因",
        "cannot read {folder}: {error}; `foreshock doctor` may say more",
    ),
    "no_answer": (
        "{folder} 上正在运行的系统没有答复：{error}",
        "no running Foreshock answers on {folder}: {error}",
    ),
    "time_out": ("超时", "time-out"),
    "refused": ("被拒绝：{why}", "refused: {why}"),
    "say_why": (
        '请写明原因：--reason "…"；日后查看的人会问',
        'say why: --reason "…"; those who look at it later will ask',
    ),
    "none_before": (
        "现行发布之前没有可回退的发布（已被回退的不算）；可指明版本，见 `foreshock rules history`",
        "there is no publication to go back to that was not itself rolled back; name one of `foreshock rules history`",
    ),
    "more_by_check": (
        "另有 {count} 个未列出，`foreshock check` 列出全部",
        "{count} more are not listed; `foreshock check` lists them all",
    ),
    "not_started": (
        "站点 {site} 有 {count} 个问题，未启动任何进程",
        "{count} problem(s) in the site {site}; nothing was started",
    ),
    "kept_as_is": (
        "站点 {site} 有 {count} 个问题，现行版本继续生效",
        "{count} problem(s) in the site {site}; what is in force stays",
    ),
    "cannot_use": ("数据文件夹 {folder} 无法使用：{error}", "cannot use the data folder {folder}: {error}"),
    "no_change": ("没有差异：现行版本为 {version}", "nothing differs: version {version} is in force"),
    "would_publish": (
        "无误：`foreshock reload` 会以版本 {version} 取代现行的 {before}",
        "sound: `foreshock reload` would put version {version} in force instead of {before}",
    ),
    "awaits": (
        "版本 {version} 等待第二人批准：`foreshock rules approve` 批准，`rules reject` 驳回",
        "version {version} waits for a second person: `foreshock rules approve`, or `rules reject`",
    ),
    "published": (
        "版本 {version} 已生效，自提出起 {ms:.0f} 毫秒",
        "version {version} is in force, {ms:.0f} ms after it was proposed",
    ),
    "behind": (
        "{name} 尚未采用该版本；见数据文件夹的 run/{name}.log",
        "{name} does not go by it yet; see run/{name}.log of the data folder",
    ),
    "folder_differs": (
        "站点文件夹与此不同：请在下次 `foreshock run` 之前也将其改回",
        "the site folder says otherwise: put it back as well before the next `foreshock run`",
    ),
    "unraised": (
        "{count} 条规则的判定已变而 version 未提高：{rules}；报警无法区分新旧规则，请在文件中提高 version 后再发布",
        "{count} rule(s) decide otherwise under the same `version`: {rules}; their alarms cannot be told from those "
        "of before: raise it in the file and publish again",
    ),
    "state_waiting": ("等待批准", "waiting"),
    "state_approved": ("已批准", "approved"),
    "state_rejected": ("已驳回", "rejected"),
    "state_replaced": ("已被取代", "replaced"),
    "state_running": ("影子运行中", "running"),
    "state_promoted": ("已转为在用", "promoted"),
    "state_ended": ("已结束", "ended"),
    "state_broken": ("已出错停止", "broken"),
    "no_such_rule": ("现行规则中没有 {rule}", "no rule {rule} is in force"),
    "measuring": ("正在测量", "measuring"),
    "not_recorded": (
        "最近 {last} 内，这些规则尚无读数可计；改动过的规则自发布时起计量",
        "no readings to measure over within the last {last}; a changed rule is measured from its publication on",
    ),
    "ns_a_reading": ("纳秒/读数", "ns a reading"),
    "cpu": ("CPU", "CPU"),
    "memory": ("内存", "memory"),
    "places": ("处数", "places"),
    "measured": (
        "共 {rules} 条规则，所有测点读数 {readings} 个",
        "{rules} rules over {readings} readings of all points",
    ),
    "not_measured": (
        "；另有 {count} 条未测量，请用 --rule 选择",
        "; {count} more were not measured: choose with --rule",
    ),
    "name_folder": (
        "请指明要试的规则所在的文件夹，或用 --status 查看",
        "name the folder with the rules to try, or ask for --status",
    ),
    "no_shadow_of": (
        "{site} 有 {count} 个问题，未开始影子运行",
        "{count} problem(s) in {site}; nothing runs in the shadow of it",
    ),
    "does_not_run": ("{site} 的规则无法运行：{fault}", "the rules of {site} do not run: {fault}"),
    "shadow_begun": (
        "{rules} 条规则已开始影子运行，编号 {id}；`foreshock rules shadow --status` 查看对比",
        "{rules} rules run in the shadow as {id}; `foreshock rules shadow --status` compares them",
    ),
    "promoted": ("{id} 的规则已生效，版本 {version}", "the rules of {id} are in force as version {version}"),
    "dropped": ("{id} 已停止影子运行", "{id} no longer runs in the shadow"),
    "approved": ("发布 {number} 已批准，即刻生效", "publication {number} is approved and takes force"),
    "rejected": ("发布 {number} 已驳回", "publication {number} is rejected"),
    "no_shadow": (
        "没有影子运行的规则；`foreshock rules shadow FOLDER` 开始",
        "nothing runs in the shadow; `foreshock rules shadow FOLDER` begins",
    ),
    "never_shadow": (
        "尚未有过影子运行；`foreshock rules shadow FOLDER` 开始",
        "nothing has run in the shadow yet; `foreshock rules shadow FOLDER` begins",
    ),
    "shadow_since": (
        "{id} {state}，{rules} 条规则，自 {since} 起",
        "{id} {state}, {rules} rules since {since}",
    ),
    "never": ("尚未开始", "never"),
    "by_seconds": (" {seconds} 秒", " by {seconds} s"),
    "rule_at": ("{scope} 的 {rule}", "{rule} at {scope}"),
    "nothing": ("无", "nothing"),
    "count_of": ("{what} {count}", "{count} {what}"),
    "listed_as": (
        "{levels} · {scope} {places} 处 · 测试 {tests} 个 · 版本 {version}",
        "{levels} · {places} {scope} · {tests} tests · version {version}",
    ),
    "scope_point": ("测点", "point(s)"),
    "scope_area": ("区域", "area(s)"),
    "scope_camera": ("摄像机", "camera(s)"),
    "from_template": (" · 来自模板 {template}", ", from the template {template}"),
    "owned": ("负责人 {owner} · 复审 {review}", "owner {owner} · review {review}"),
    "past_due": ("（已过期）", " (past due)"),
    "fared": (
        " · 查准率 {share:.0%}（共 {of}），扰动 {nuisances} 次",
        " · precision {share:.0%} of {of}, {nuisances} nuisances",
    ),
    "no_rule_called": ("{site} 中没有名为 {rule} 的规则", "no rule in {site} is called {rule}"),
    "looks_at": (
        "规则 {rule} 针对{scope}，{id} 不在其覆盖之内",
        "rule {rule} looks at {scope}, and {id} is none that it covers",
    ),
    "not_in_force_then": ("当时 {scope} 上没有规则 {rule}", "rule {rule} was not in force at {scope} then"),
    "not_yet": (
        "--at {at}：那是将来的 {when}；只能查看已记录的时刻，不写 --at 即为现在",
        "--at {at}: that is {when}, which is yet to come; ask for a moment that was recorded, or leave it out for now",
    ),
    "reading_log": ("正在读取日志", "reading the log"),
    "breaking": ("正在改坏", "breaking"),
    "rule_of": ("规则 {id}：{counts}", "rule {id}: {counts}"),
    "area_of": ("区域 {id}：{counts}", "area {id}: {counts}"),
}

CHECK: dict[str, tuple[str, str]] = {
    "check_problem": ("{site} 有 {count} 个问题", "{count} problem in {site}"),
    "check_problems": ("{site} 有 {count} 个问题", "{count} problems in {site}"),
    "check_sound": ("{site} 无误：{figures}", "{site} is sound: {figures}"),
    "listens": ("  接收 {topics}", "  listens to {topics}"),
    "check_fields": ("风险领域 {count} 个", "{count} fields"),
    "check_area_types": ("区域类型 {count} 种", "{count} area_types"),
    "check_areas": ("区域 {count} 个", "{count} areas"),
    "check_districts": ("区 {count} 个", "{count} districts"),
    "check_subdistricts": ("街道 {count} 个", "{count} subdistricts"),
    "check_communities": ("社区 {count} 个", "{count} communities"),
    "check_points": ("测点 {count} 个", "{count} points"),
    "check_cameras": ("摄像机 {count} 台", "{count} cameras"),
    "check_units": ("单位 {count} 个", "{count} units"),
    "check_plans": ("预案 {count} 个", "{count} plans"),
    "check_rules": ("规则 {count} 条", "{count} rules"),
    "check_targets": ("通知目标 {count} 个", "{count} targets"),
    "check_grants": ("登录授权 {count} 条", "{count} grants"),
}

ALARMS: dict[str, tuple[str, str]] = {
    "column_level": ("等级", "level"),
    "column_state": ("状态", "state"),
    "column_simulated": ("模拟", "simulated"),
    "column_raised": ("报警时间", "raised"),
    "column_area": ("区域", "area"),
    "column_scope": ("对象", "scope"),
    "column_rule": ("规则", "rule"),
    "column_id": ("编号", "id"),
    "no_state": (
        "--state {state}：没有这种状态{near}；可用 {known}",
        "--state {state}: there is no such state{near}; there are {known}",
    ),
    "no_area": ("--area {area}：本站没有该区域{near}", "--area {area}: the site has no such area{near}"),
    "no_alarms": ("没有报警", "no alarms"),
    "cut": (
        "只列出前 {shown} 条，{more}未列出：见 --limit 和 --area",
        "the first {shown}; {more} are left out: see --limit and --area",
    ),
    "older": ("更早的", "older ones"),
    "so_many_more": ("另有 {count} 条", "{count} more"),
    "no_alarm": (
        "没有报警 {id}；`foreshock alarms list --state all` 可列出全部",
        "there is no alarm {id}; `foreshock alarms list --state all` names them",
    ),
    "by_rule_of": (
        "{scope}，规则 {rule}（{version}），事件 {incident}",
        "{scope} by rule {rule} ({version}), incident {incident}",
    ),
    "onset": ("开始：", "onset:  "),
    "fired": ("触发：", "fired:  "),
    "clears": ("解除：", "clears: "),
    "score": ("评分：", "score:  "),
    "column_until": ("直到", "until"),
    "column_left": ("剩余", "left"),
    "column_hidden": ("遮住", "hidden"),
    "column_by": ("操作人", "by"),
    "column_reason": ("原因", "reason"),
    "area_gone": ("本站点已没有区域 {area}", "the site no longer has the area {area}"),
    "acknowledged": ("{id} 已确认", "{id} is acknowledged"),
    "reset": ("{id} 已复位", "{id} is reset"),
    "shelved": ("{id} 已搁置 {span}", "{id} is shelved for {span}"),
    "unshelved": ("{id} 已取消搁置", "{id} is on the shelf no more"),
    "shelve_why": ("--reason：请写明原因，接班的人须知道", "--reason: say why, whoever comes after you has to know"),
    "nothing_aside": ("没有搁置、抑制或停用的报警", "nothing is set aside"),
    "not_there": (
        "没有报警 {id}；`foreshock alarms list` 列出未结束的报警",
        "there is no alarm {id}; `foreshock alarms list` names those that are open",
    ),
    "neither_there": (
        "没有报警或事件 {id}；`foreshock alarms list` 列出未结束的报警",
        "there is no alarm or incident {id}; `foreshock alarms list` names those that are open",
    ),
    "load": (
        "近十分钟响铃 {ten_minutes} 次（{band}），近一小时 {hour} 次，近一日 {day} 次；十分钟最多 {peak} 次，"
        "报警泛滥 {floods} 次（{flood_minutes} 分钟）{flood}",
        "{ten_minutes} in ten minutes ({band}), {hour} in the last hour, {day} in the day; "
        "at most {peak} in ten minutes, {floods} floods ({flood_minutes} min){flood}",
    ),
    "flood_since": ("；自 {since} 起报警泛滥", "; a FLOOD since {since}"),
    "by_level": (
        "按等级：{shares}；EEMUA 191：每席位十分钟不超过 1 次，一日约 150 次",
        "by level: {shares}; EEMUA 191 holds a desk to 1 in ten minutes, about 150 a day",
    ),
    "acceptable": ("可接受", "acceptable"),
    "manageable": ("可应付", "manageable"),
    "demanding": ("过重", "demanding"),
    "unacceptable": ("不可接受", "unacceptable"),
    "rang": ("响铃", "rang"),
    "folded": ("因反复而合并", "folded, as it chattered"),
    "went_stale": ("长期未恢复", "went stale"),
    "actor_share": ("占比", "share"),
    "went_offline": ("{source} 报告自身离线", "{source} reported itself offline"),
    "log_place": ("{version}，日志 {partition}:{offset}", "{version}, log {partition}:{offset}"),
}
