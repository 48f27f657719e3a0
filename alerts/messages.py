"""Texts in Chinese and English for keys, levels, states and edges: one small catalogue, both languages complete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Language = Literal["zh", "en"]

MESSAGES: dict[str, tuple[str, str]] = {
    # refusals: alarms
    "alarm.normal": ("报警已恢复正常", "The alarm is already back to normal"),
    "alarm.already_acknowledged": ("报警已被确认", "The alarm is already acknowledged"),
    "alarm.shelved": ("报警已搁置", "The alarm is shelved"),
    "alarm.already_shelved": ("报警已处于搁置状态", "The alarm is already shelved"),
    "alarm.not_latched": ("报警未处于待复位状态", "The alarm waits for no reset"),
    "alarm.still_active": ("报警条件仍成立，不能复位", "Its condition still holds: it cannot be reset"),
    "alarm.acknowledge_first": ("请先确认报警再复位", "Acknowledge it before you reset it"),
    "alarm.reset": ("人工复位", "Reset by hand"),
    "alarm.not_shelved": ("报警未搁置", "The alarm is not shelved"),
    "alarm.suppressed": ("报警已按设计抑制", "The alarm is suppressed by design"),
    "alarm.out_of_service": ("报警已停用", "The alarm is out of service"),
    "alarm.not_suppressed": ("报警未被抑制", "The alarm is not suppressed"),
    "alarm.not_out_of_service": ("报警未停用", "The alarm is not out of service"),
    "alarm.aside_too_long": ("时间超过上限，请缩短", "That is longer than the site allows: give a shorter time"),
    "alarm.already_assigned": ("报警已指派给该人员", "The alarm is already assigned so"),
    "alarm.no_such_edge": ("当前状态下不能执行此操作", "The alarm's state does not allow this"),
    # refusals: incidents
    "incident.already_acknowledged": ("事件已被确认", "The incident is already acknowledged"),
    "incident.closed": ("事件已关闭", "The incident is already closed"),
    "incident.active": (
        "仍有报警未恢复，不能按真实事件关闭",
        "An alarm is still active: it cannot be closed as real yet",
    ),
    "incident.dispatch_open": ("仍有派单未结束，请先结束派单", "A dispatch is still open: close it first"),
    # refusals: dispatches
    "dispatch.already_done": ("该步骤已完成", "That step is already done"),
    "dispatch.feed_back_needed": ("请先向上报人反馈处置结果", "Feed back first what was done"),
    "dispatch.follow_up_needed": ("请先安排回访", "Arrange the follow-up visit first"),
    "dispatch.lead_not_sent": ("牵头单位不在本次派单之列", "The unit to lead is not among those sent"),
    "dispatch.wrong_leg": ("请先完成前面的步骤", "An earlier step comes first"),
    "dispatch.closed": ("派单已结束", "The dispatch is already closed"),
    "dispatch.refused": ("派单已被拒绝", "The dispatch was refused"),
    "dispatch.not_resolved": (
        "处置尚未完成，单位不能结束派单；无法执行请拒绝并填写原因",
        "It is not resolved: a unit that cannot do it refuses, with the reason",
    ),
    "dispatch.other_unit": ("派单已交给其他单位", "The dispatch belongs to another unit"),
    "dispatch.already_sent": ("该单位已在处置此事件", "That unit is already on this incident"),
    "dispatch.no_unit": ("没有可派单位，请人工指定", "No unit can be sent: choose one by hand"),
    # refusals: any
    "unknown_target": ("对象不存在或已归档", "There is no such object, or it is archived"),
    "unknown_command": ("不支持的操作", "There is no such command"),
    "unknown_unit": ("单位不存在", "There is no such unit"),
    "unknown_disposition": ("请选择处置结论", "Choose a disposition: real, nuisance, test or duplicate"),
    "too_late": ("指令到达过晚，未执行，请重新下达", "It came too late and was not done: give it again"),
    "not_waiting": ("该发布未在等待批准", "No publication waits under that number"),
    "own_proposal": ("不能批准自己提出的发布，请由他人批准", "One cannot approve one's own: another person must"),
    "stale": ("内容已更新，请刷新后重试", "It has changed meanwhile: look again"),
    "reason_needed": ("请填写原因", "A reason is required"),
    "text_needed": ("内容不能为空", "A text is required"),
    "too_long": ("内容过长", "The text is too long"),
    "too_many": ("数量超过上限", "There are too many already"),
    "bad_argument": ("参数无效", "An argument is not valid"),
    # reasons the engine gives
    "alarm.real_readings": ("真实读数已接管模拟报警", "Real readings took over from simulated ones"),
    "mode.unknown": ("本站点没有该运行模式", "The site has no such mode"),
    "mode.too_long": ("时间超过该模式的上限", "That is longer than this mode may last"),
    "mode.not_on": ("该处未处于此模式", "That mode is not on there"),
    "mode.over": ("模式已到期", "The time of the mode is over"),
    "mode.ended": ("模式已结束", "The mode has ended"),
    "alarm.worsened": ("险情加重，取消搁置或抑制", "It rose above the level up to which it was set aside"),
    "alarm.aside_ends": ("搁置或停用即将到期", "The time for which it is set aside is nearly over"),
    "alarm.aside_over": ("搁置或停用已到期", "The time for which it was set aside is over"),
    "incident.unacknowledged": ("仍未确认，再次提醒", "Not acknowledged yet: said again"),
    "alarm.rule_withdrawn": ("规则已变更或停用", "The rule was changed or withdrawn"),
    "dispatch.repair": ("摄像机故障，自动派修", "A camera needs repair"),
    "dispatch.by_level": ("达到派单等级，自动派单", "The dispatch level was reached"),
    "dispatch.escalated": ("超时未响应，升级至上级单位", "No answer in time: escalated to the level above"),
    "dispatch.next_unit": ("单位拒绝，转派下一单位", "Refused: passed to the next unit"),
    "dispatch.reminder": ("仍无进展，再次提醒", "Still waiting: said again"),
    "dispatch.visit_left": ("处置完成，仅待回访", "Dealt with: only the follow-up visit is left"),
    "dispatch.other_lead": ("牵头单位变更", "Another unit leads"),
    "dispatch.joined": ("多部门联合处置", "Several units work together"),
    "dispatch.level_raised": ("预警等级上升", "The level rose"),
    "log.replaced": ("日志已更换，原有记录由系统关闭", "The log was replaced: closed by the system"),
    "log.forgotten": ("日志已不含其开头，由系统关闭", "The log no longer holds its beginning: closed by the system"),
    "incident.closed_by_itself": ("已恢复并确认，自动关闭", "Calm and acknowledged: closed by itself"),
    # why an input was refused
    "refused.unknown_topic": ("主题未知", "No dialect or area owns the topic"),
    "refused.unknown_point": ("测点未知", "The site has no such point there"),
    "refused.unknown_camera": ("摄像机未知", "The site has no such camera"),
    "refused.malformed": ("格式错误", "It cannot be decoded"),
    "refused.oversized": ("数据过大", "It is too large"),
    "refused.not_finite": ("数值无效", "The value is no finite number"),
    "refused.future": ("时间超前", "Its time is ahead of the clock"),
    "refused.ancient": ("时间过旧", "It is too old"),
    "refused.skewed": ("时钟偏差", "About a clock: nothing was refused"),
    "refused.decoder_crash": ("解码程序反复崩溃，暂停读取该摄像机", "Its decoder crashed the process again: it rests"),
    "refused.decoder_hang": ("多个解码程序卡死，暂停读取该摄像机", "Several of its decoders hang: it rests"),
    "refused.flood": ("发送过于频繁", "Far more than is expected of the point"),
    "refused.retained": ("无时间的保留消息", "A stored copy without a time"),
    "refused.false_positive": ("设备判定为误检", "The camera's analytics do not believe it"),
    "refused.unbound": ("未绑定测点的数据项", "A metric that is bound to no point"),
    "refused.unborn": ("尚未收到上线报文，别名未知", "By an alias that no birth has told"),
    "refused.not_a_reading": ("不是数值", "It is no number"),
    "refused.wrong_unit": ("单位无法换算", "Its unit cannot become the point's"),
    "refused.old_death": ("过期的离线报文", "The death of an earlier session"),
    "refused.ignored": ("与本站点无关", "It says nothing of what the site watches"),
    "refused.image_type": ("不是可用的图片格式", "It is no picture of a kind that is read"),
    "refused.image_bomb": ("图片像素过多", "A picture of too many pixels"),
    "refused.log_refused": ("日志拒收", "The log will not take it"),
    "refused.bad_quality": ("来源标记为坏质量", "Its source says that it is bad"),
    "refused.unsupported": ("模板无法处理", "A template that is not worked out here"),
    "refused.out_of_range": ("超出物理量程", "It is outside the point's physical range"),
    "refused.duplicate": ("重复读数", "A repeat of the point's last reading"),
    "refused.out_of_order": ("乱序读数", "The point has a newer reading"),
    "refused.unpublished": ("站点尚未发布", "The partition has no site yet"),
    "refused.undecodable": ("日志记录无法解码", "A record of the log cannot be decoded"),
    "refused.engine_error": ("引擎出错", "The engine failed on it"),
    # levels
    "level.blue": ("蓝色", "blue"),
    "level.yellow": ("黄色", "yellow"),
    "level.orange": ("橙色", "orange"),
    "level.red": ("红色", "red"),
    "level.none": ("无", "none"),
    # entities of an area in Home Assistant
    "entity.safety": ("风险报警", "Risk alarm"),
    "entity.level": ("预警等级", "Warning level"),
    "entity.problem": ("数据或系统异常", "Data or system trouble"),
    "entity.simulation": ("模拟报警", "Simulated alarm"),
    # alarm states
    "state.NORM": ("正常", "normal"),
    "state.UNACK": ("未确认", "active, unacknowledged"),
    "state.ACKED": ("已确认", "active, acknowledged"),
    "state.RTNUN": ("已恢复未确认", "returned, unacknowledged"),
    "state.SHLVD": ("已搁置", "shelved"),
    "state.DSUPR": ("按设计抑制", "suppressed by design"),
    "state.OOSRV": ("停用", "out of service"),
    # incident states
    "incident.state.open": ("待处理", "open"),
    "incident.state.acknowledged": ("已确认", "acknowledged"),
    "incident.state.dispatched": ("处置中", "dispatched"),
    "incident.state.calm": ("已平静", "calm"),
    "incident.state.closed": ("已关闭", "closed"),
    # alarm edges
    "edge.alarm": ("报警", "alarm"),
    "edge.acknowledge": ("确认", "acknowledged"),
    "edge.return": ("恢复", "returned to normal"),
    "edge.realarm": ("再次报警", "alarmed again"),
    "edge.raise": ("升级", "level raised"),
    "edge.lower": ("降级", "level lowered"),
    "edge.shelve": ("搁置", "shelved"),
    "edge.unshelve": ("取消搁置", "unshelved"),
    "edge.suppress": ("按设计抑制", "suppressed by design"),
    "edge.unsuppress": ("解除抑制", "no longer suppressed"),
    "edge.out_of_service": ("停用", "taken out of service"),
    "edge.in_service": ("恢复使用", "back in service"),
    "edge.hide": ("本应报警，未提示", "would have rung"),
    "edge.warn": ("即将到期", "soon comes back"),
    "edge.settle": ("不再频繁报警", "chatters no more"),
    "edge.stale": ("长时间未恢复", "stale"),
    "edge.latch": ("条件已消失，待复位", "condition gone, waits for a reset"),
    "edge.assign": ("指派", "assigned"),
    "edge.comment": ("备注", "commented"),
    # incident edges
    "incident.edge.opened": ("事件生成", "opened"),
    "incident.edge.joined": ("报警并入", "alarm joined"),
    "incident.edge.level": ("等级变化", "level changed"),
    "incident.edge.acknowledged": ("已确认", "acknowledged"),
    "incident.edge.dispatched": ("已派单", "dispatched"),
    "incident.edge.undispatched": ("无人在途", "nobody on it"),
    "incident.edge.commented": ("备注", "commented"),
    "incident.edge.set_aside": ("报警已搁置或停用", "an alarm was set aside"),
    "incident.edge.reminded": ("仍未确认", "still unacknowledged"),
    "incident.edge.calmed": ("全部恢复", "all returned to normal"),
    "incident.edge.closed": ("关闭", "closed"),
    "incident.edge.snapshot": ("抓拍", "snapshot"),
    # dispatch legs
    "leg.issued": ("已下发", "issued"),
    "leg.accepted": ("已接单", "accepted"),
    "leg.on_scene": ("已到场", "on scene"),
    "leg.resolved": ("已处置", "resolved"),
    "leg.fed_back": ("已反馈", "fed back"),
    "leg.follow_up": ("待回访", "visit to come"),
    "leg.closed": ("已结束", "closed"),
    "leg.refused": ("已拒绝", "refused"),
    # dispatch edges
    "dispatch.edge.issued": ("下发", "issued"),
    "dispatch.edge.accepted": ("接单", "accepted"),
    "dispatch.edge.refused": ("拒绝", "refused"),
    "dispatch.edge.on_scene": ("到场", "on scene"),
    "dispatch.edge.resolved": ("处置完成", "resolved"),
    "dispatch.edge.closed": ("结束", "closed"),
    "dispatch.edge.overdue": ("超时", "overdue"),
    "dispatch.edge.fed_back": ("已反馈", "fed back"),
    "dispatch.edge.follow_up": ("待回访", "follow-up visit to come"),
    "dispatch.edge.referred": ("移交", "referred"),
    "dispatch.edge.lead": ("牵头", "lead"),
    "dispatch.edge.reassigned": ("转派", "reassigned"),
    "dispatch.edge.raised": ("等级上升", "level raised"),
    # dispositions
    "disposition.real": ("真实险情", "real"),
    "disposition.nuisance": ("扰动误报", "nuisance"),
    "disposition.test": ("测试", "test"),
    "disposition.duplicate": ("重复", "duplicate"),
    # kinds
    "kind.risk": ("风险", "risk"),
    "kind.data_quality": ("数据质量", "data quality"),
    "kind.system": ("系统", "system"),
    # the area of what befalls the product itself
    "area.system": ("监测系统自身", "Foreshock itself"),
    # notices
    "notice.test": ("测试消息，无需处理", "a test: nothing needs to be done"),
    "notice.digest": ("汇总", "digest"),
    # texts with place-holders
    "notice.more": ("另有 {count} 条", "and {count} more"),
    "incident.title": ("{area}：{cause}（{level}）", "{area}: {cause} ({level})"),
    "exercise": ("演练", "Exercise"),
}
"""Key → (Chinese, English)."""

_PLACE: dict[Language, int] = {"zh": 0, "en": 1}


def text(key: str, language: str = "zh", **values: str) -> str:
    """Return a key's text in a language (`zh-CN`, `zh`, `en`, `en-GB`); the key itself when it is none of ours."""
    found = MESSAGES.get(key)
    if found is None:
        return key
    template = found[_PLACE["en" if language.lower().startswith("en") else "zh"]]
    return template.format(**values) if values else template


def both(key: str, **values: str) -> dict[str, str]:
    """Return a key's text in both languages."""
    return {"zh": text(key, "zh", **values), "en": text(key, "en", **values)}


def incident_title(area: Mapping[str, str], cause: Mapping[str, str], level: str) -> dict[str, str]:
    """Title an incident by its area, the title of its cause's rule, and its level, in both languages."""
    return {
        language: text(
            "incident.title",
            language,
            area=area[language],
            cause=cause[language],
            level=text(f"level.{level}", language),
        )
        for language in ("zh", "en")
    }
