"""The built-in rules on the product itself.

A process that ended, a broker that is away, orders that nobody took, a memory that was lost, something that the engine
could not work out.
"""

from __future__ import annotations

from typing import Any

import msgspec

from alerts.outcome import Explanation, Kind
from sensors.observation import SystemEvent
from sensors.site import RANK, SYSTEM

LONGEST = 200
"""Characters of a component's name or of a detail that are kept."""


QUIET = 900.0
"""Seconds without an error after which the engine counts as working again."""


class SystemRule(msgspec.Struct, frozen=True, kw_only=True):
    """Stand beside the site's rules; no site can have one of this id. As it stands: that a process ended."""

    id: str = "@process"
    title: dict[str, str] = msgspec.field(default_factory=lambda: {"zh": "系统进程中断", "en": "A process ended"})
    kind: Kind = "system"
    version: int = 1
    rationale: dict[str, Any] = msgspec.field(
        default_factory=lambda: {
            "cause": {
                "zh": "进程崩溃、被终止，或内存、磁盘不足",
                "en": "It crashed, was killed, or memory or disk ran out",
            },
            "consequence": {
                "zh": "恢复前该环节停顿：接入、计算、界面或通知",
                "en": "Its part stands still until it is back: intake, engine, console or notices",
            },
            "response": {
                "zh": "系统会自动重启该进程；反复出现时运行 foreshock doctor 并查看 run/<进程>.log",
                "en": "It is started again by itself; if this repeats, run foreshock doctor and read run/<process>.log",
            },
            "time_to_respond": "30 min",
            "owner": {"zh": "系统管理员", "en": "System administrator"},
            "review": "2027-11-30",
        }
    )


class SystemChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a rule's condition, as `alerts.condition.Change` describes it. Yellow: nobody is sent out."""

    rule: SystemRule
    scope: str
    before: int
    after: int
    onset: float
    time: float
    why: Explanation
    area: str = SYSTEM
    simulated: bool = False


PROCESS = SystemRule()

HISTORY = SystemRule(
    id="@history",
    title={"zh": "历史数据未能保存", "en": "The history is not kept"},
    rationale={
        "cause": {
            "zh": "InfluxDB 停机、网络中断或令牌失效；或磁盘已满、不可写；或日志无法读取；或历史文件损坏，已另存",
            "en": "InfluxDB or the network is down, or its token is not taken; or the disk is full or cannot be "
            "written; or the log cannot be read; or a file of the history is damaged and was put aside",
        },
        "consequence": {
            "zh": "监测和告警不受影响；日志保留期内恢复即可补存（评分保留一天），超期的将不会出现在历史曲线中",
            "en": "Watching and alarms go on; what the log still has is kept later (scores for a day), what it drops "
            "meanwhile will be missing in charts of the past",
        },
        "response": {
            "zh": "排除所述原因；系统会自动重试。运行 foreshock doctor 并查看 run/history.log",
            "en": "Mend the cause named; it is tried again by itself. Run foreshock doctor and read run/history.log",
        },
        "time_to_respond": "4 h",
        "owner": {"zh": "系统管理员", "en": "System administrator"},
        "review": "2027-11-30",
    },
)

RULES = {
    "influxdb": HISTORY,
    "history-folder": HISTORY,
    "outbox": SystemRule(
        id="@outbox",
        title={"zh": "指令未能送达", "en": "Orders were not delivered"},
        rationale={
            "cause": {
                "zh": "接收方拒收，或多次重试仍不成功；系统已停止自动重试",
                "en": "The receiver refused them, or took them at none of many attempts; they are tried no more",
            },
            "consequence": {
                "zh": "接收方不知道这些指令，可能无人出动",
                "en": "The receiver does not know of these orders: perhaps nobody has set out",
            },
            "response": {
                "zh": "用电话等其他方式通知处置单位；运行 foreshock outbox list 查看原因，"
                "排除后运行 foreshock outbox retry",
                "en": "Tell the units by other means; read the reason in foreshock outbox list, mend it, "
                "then run foreshock outbox retry",
            },
            "time_to_respond": "5 min",
            "owner": {"zh": "值班员", "en": "Duty officer"},
            "review": "2027-11-30",
        },
    ),
    "memory": SystemRule(
        id="@memory",
        title={"zh": "监测状态丢失", "en": "The engine forgot what it knew"},
        rationale={
            "cause": {
                "zh": "状态快照早于日志现存的最早记录，两者之间的观测已按保留期限删除；或断电使日志丢失了末尾的观测",
                "en": "The snapshot of its state is older than what the log still holds; what lay between was dropped "
                "by retention. Or a loss of power took the end of the log",
            },
            "consequence": {
                "zh": "此前的告警条件和模型基线不再延续：引擎不再知道的告警与派单已由系统关闭，"
                "仍成立的会再次报警，模型需重新学习",
                "en": "Conditions and baselines from before are gone: alarms and orders that the engine no longer "
                "knows were closed, what still holds alarms again, and the models learn anew",
            },
            "response": {
                "zh": "逐一核对由系统关闭的告警与处置单；检查磁盘和 run/worker.log 中快照失败的原因",
                "en": "Check by hand every alarm and dispatch that was closed; look for why no snapshot was written, "
                "on the disk and in run/worker.log",
            },
            "time_to_respond": "30 min",
            "owner": {"zh": "系统管理员", "en": "System administrator"},
            "review": "2027-11-30",
        },
    ),
    "archive": SystemRule(
        id="@archive",
        title={"zh": "观测存档中断", "en": "Observations are not archived"},
        rationale={
            "cause": {
                "zh": "存储失联、已满或拒绝写入；或观测在存档前已按保留期限从日志删除；或日志不是原先存档的那一份；"
                "或存档中有对象无法读取，已另存",
                "en": "The storage is away, full or refuses; or the log dropped observations before they were "
                "archived; or the log is not the one that was archived until now; or an object of the archive could "
                "not be read and was put aside",
            },
            "consequence": {
                "zh": "监测和告警不受影响；日志保留期内恢复即可补存，超期的观测将无法回放",
                "en": "Watching and alarms go on; what the log still has is archived later, what it drops meanwhile "
                "cannot be replayed any more",
            },
            "response": {
                "zh": "排除所述原因；系统会自动重试。运行 foreshock doctor 和 foreshock archive verify 检查存档",
                "en": "Mend the cause named; it is tried again by itself. foreshock doctor and foreshock archive "
                "verify look at the archive",
            },
            "time_to_respond": "1 d",
            "owner": {"zh": "系统管理员", "en": "System administrator"},
            "review": "2027-11-30",
        },
    ),
    "disk": SystemRule(
        id="@disk",
        title={"zh": "磁盘空间不足", "en": "The disk is nearly full"},
        rationale={
            "cause": {
                "zh": "数据文件夹所在磁盘的剩余空间不足 2 GB",
                "en": "Less than 2 GB are free on the disk of the data folder",
            },
            "consequence": {
                "zh": "目前监测和告警照常；一旦写满，新信号将不再被接收和确认，也不会再有新告警",
                "en": "Watching and alarms go on for now; once it is full no signal is taken or acknowledged any more, "
                "and nothing new alarms",
            },
            "response": {
                "zh": "立即腾出空间或扩容，或调低 FORESHOCK_RETENTION_GIGABYTES；运行 foreshock doctor 复查",
                "en": "Make room or enlarge the disk now, or lower FORESHOCK_RETENTION_GIGABYTES; look again with "
                "foreshock doctor",
            },
            "time_to_respond": "30 min",
            "owner": {"zh": "系统管理员", "en": "System administrator"},
            "review": "2027-11-30",
        },
    ),
    "mqtt": SystemRule(
        id="@mqtt",
        title={"zh": "MQTT 服务器失联", "en": "An MQTT broker is away"},
        rationale={
            "cause": {
                "zh": "服务器停机、网络中断、证书过期，或拒绝登录、订阅",
                "en": "It or the network is down, a certificate has expired, or it refuses a login or a subscription",
            },
            "consequence": {
                "zh": "经该服务器的信号全部中断，其他服务器不受影响；该处的沉默不等于安全",
                "en": "Nothing comes in by way of it, others go on; silence there is not safety",
            },
            "response": {
                "zh": "排除所述原因；系统会自动重连。运行 foreshock doctor 可逐一检查各服务器",
                "en": "Mend the cause named; it is tried again by itself. foreshock doctor tries every broker",
            },
            "time_to_respond": "10 min",
            "owner": {"zh": "系统管理员", "en": "System administrator"},
            "review": "2027-11-30",
        },
    ),
}
"""Rules by the component that an event names, up to a colon or the run's @node; any other component is a process."""

ENGINE = SystemRule(
    id="@engine",
    title={"zh": "引擎计算出错", "en": "The engine could not work something out"},
    rationale={
        "cause": {
            "zh": "程序缺陷，或规则遇到未预料的数据",
            "en": "A defect of the program, or data that a rule did not expect",
        },
        "consequence": {
            "zh": "所述规则或读数未参与判断，其余照常；该处的沉默不等于安全",
            "en": "The rule or reading named was left out, all others go on; silence there is not safety",
        },
        "response": {
            "zh": "人工查看所述测点；查看 run/worker.log，停用或修改所述规则，并上报缺陷",
            "en": "Look at the point named yourself; read run/worker.log, withdraw or change the rule, report it",
        },
        "time_to_respond": "30 min",
        "owner": {"zh": "系统管理员", "en": "System administrator"},
        "review": "2027-11-30",
    },
)

CLEAR = {"outbox": "no order is left untried", "memory": "someone has acknowledged it"}


def change(event: SystemEvent, clock: float) -> SystemChange:
    """Turn an event into the rule's change of condition. `clock` is the engine's arrival clock, unix seconds."""
    down = event.state == "down"
    component, detail = event.component[:LONGEST], event.detail[:LONGEST]
    return SystemChange(
        rule=RULES.get(component.partition("@")[0].partition(":")[0], PROCESS),
        scope=component,
        before=0 if down else RANK["yellow"],
        after=RANK["yellow"] if down else 0,
        onset=event.time,
        time=clock,
        why=Explanation(
            clause=f"{component}: {detail or event.state}", clear=CLEAR.get(component, f"{component} works again")
        ),
    )


def failing(what: str, partition: int, area: str, clock: float) -> SystemChange:
    """Make the engine rule's change when something could not be worked out; an empty `what` ends it.

    `area` is one whose commands reach this partition.
    """
    yellow = RANK["yellow"]
    return SystemChange(
        rule=ENGINE,
        scope=f"engine/{partition}",
        area=area,
        before=0 if what else yellow,
        after=yellow if what else 0,
        onset=clock,
        time=clock,
        why=Explanation(clause=what[:LONGEST] or "no error", clear="no error", clear_after=QUIET),
    )
