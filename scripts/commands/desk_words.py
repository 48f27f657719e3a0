"""What `foreshock incidents`, `mode`, `silence` and `exercise` say, in Chinese and English: orders of the desk.

A part of the one catalogue in `words`, where `Words` looks.
"""

from __future__ import annotations

INCIDENTS: dict[str, tuple[str, str]] = {
    "column_opened": ("发生时间", "opened"),
    "column_title": ("标题", "title"),
    "column_alarms": ("报警", "alarms"),
    "column_orders": ("派单", "orders"),
    "column_since": ("自", "since"),
    "column_place": ("所在", "place"),
    "column_areas": ("区域", "areas"),
    "column_incidents": ("事件", "incidents"),
    "no_incidents": ("没有事件", "no incidents"),
    "newest_only": (
        "只列出最近 {shown} 个，更早的未列出：见 --limit",
        "the newest {shown}; older ones are left out: see --limit",
    ),
    "no_incident": (
        "没有事件 {id}；`foreshock incidents list --state all` 可列出全部",
        "there is no incident {id}; `foreshock incidents list --state all` names them",
    ),
    "cause": ("原因", "cause"),
    "order": ("派单", "order"),
    "merged": ("{others} 已并入 {into}", "{others}: part of {into} now"),
    "split": ("{alarms} 现属 {into}", "{alarms}: in {into} now"),
    "none_together": ("没有同时发生的事件", "nothing rose together"),
    "not_together": (
        "没有名为 {id} 的同时发生的事件；`foreshock incidents together` 可列出",
        "nothing of the name {id} rose together; `foreshock incidents together` lists what did",
    ),
    "joined_as_one": ("{id}：已合并为一个事件", "{id}: one incident now"),
    "kept_apart": ("{id}：已认定为不同事件", "{id}: different matters"),
}

MODES: dict[str, tuple[str, str]] = {
    "column_mode": ("模式", "mode"),
    "column_covers": ("范围", "covers"),
    "column_up_to": ("至等级", "up to"),
    "row_on": ("生效", "on"),
    "row_ended": ("已结束", "ended"),
    "row_over": ("已到期", "over"),
    "row_replaced": ("已被取代", "replaced"),
    "row_refused": ("被拒绝", "refused"),
    "everywhere": ("全部区域", "everywhere"),
    "in_areas": ("在 {areas}", "in {areas}"),
    "why_silent": (
        "--reason：请写明原因，看到报警不响的人须知道",
        "--reason: say why, whoever looks at a silent alarm has to know",
    ),
    "no_mode": (
        "{mode}：本站点没有此模式{near}；有 {known}",
        "{mode}: this site has no such mode{near}; it has {known}",
    ),
    "mode_longest": (
        "--for：{mode} 须大于 0 且不超过 {longest}",
        "--for: {mode} lasts more than 0 and at most {longest} here",
    ),
    "mode_begun": (
        "{mode} {where}，持续 {span}；`foreshock alarms shelved` 列出其抑制的报警",
        "{mode} {where} for {span}; `foreshock alarms shelved` lists what it suppresses",
    ),
    "mode_ended": ("{mode} 已结束（{where}）", "{mode} has ended {where}"),
    "no_mode_on": ("没有生效的模式", "no mode lasts"),
}

SILENCES: dict[str, tuple[str, str]] = {
    "silent_level": (
        "--level {level}：可用 {known}；红色预警不可静默",
        "--level {level}: one of {known}; red cannot be silenced",
    ),
    "silent_what": (
        "请用 --area、--point 或 --rule 写明静默范围；不能静默全部",
        "name what to silence: --area, --point or --rule; a silence never covers all",
    ),
    "none_named": ("{option} {name}：本站点没有此名称{near}", "{option} {name}: the site has none of that name{near}"),
    "silent": ("已静默 {span}：{id}", "silent for {span}: {id}"),
    "silent_longer": ("{id} 从现在起静默 {span}", "{id} is silent for {span} from now"),
    "silence_ended": ("{id} 已结束", "{id} has ended"),
    "none_silent": ("没有静默", "nothing is silent"),
    "no_silence": (
        "没有生效的静默 {id}；`foreshock silence list` 可列出",
        "there is no silence {id} that lasts; `foreshock silence list` names them",
    ),
}

EXERCISES: dict[str, tuple[str, str]] = {
    "column_began": ("开始", "began"),
    "column_ended": ("结束", "ended"),
    "no_exercise_yet": ("尚未进行过演练", "no exercise was run yet"),
    "under_way": ("进行中", "running"),
    "not_begun": ("{file} 有 {count} 个问题，演练未开始", "{count} problem(s) in {file}; nothing was begun"),
    "stopped_early": ("已停止：演练已结束", "stopped: the exercise is closed"),
    "broke_off": ("{error}；演练已结束", "{error}; the exercise is closed"),
    "no_exercise": (
        "没有演练 {id}；`foreshock exercise list` 可列出",
        "there is no exercise {id}; `foreshock exercise list` names them",
    ),
    "no_objective": ("没有目标", "no objective"),
    "scored": ("{score:.0%}，{of} 项中达成 {met} 项", "{score:.0%}, {met} of {of} met"),
    "column_incident": ("事件", "incident"),
    "column_leg": ("环节", "leg"),
    "column_took": ("用时", "took"),
    "column_objective": ("目标", "objective"),
    "column_verdict": ("结果", "result"),
    "not_reached": ("未达到", "never"),
    "objective_met": ("达成", "met"),
    "objective_missed": ("未达成", "missed"),
    "raised_none": ("演练没有引发事件", "it raised no incident"),
    "written": ("已写入 {file}", "{file} is written"),
}
