"""What the doctor, a backup and a replay say, in Chinese: an administrator and an analyst read it on the page.

They speak English, as on the terminal; what is not here stays as it is. Names of files, settings and commands stay.
"""

from __future__ import annotations

from alerts.console.phrases import Phrases

_SAID: tuple[tuple[str, str], ...] = (
    # the doctor
    ("cv2 does not load ({}); run `{}`", "cv2 无法加载（{}）；请运行 `{}`"),
    ("not built; run `{}`", "尚未构建；请运行 `{}`"),
    ("built", "已构建"),
    ("none yet", "尚无"),
    ("{} problem(s), first {}; run `{}`", "有 {} 处错误，第一处：{}；请运行 `{}`"),
    ("{}: {} areas, {} points, {} rules", "{}：{} 个区域，{} 个测点，{} 条规则"),
    ("{} does not exist yet; `{}` makes it", "{} 尚不存在；`{}` 会创建它"),
    ("{} cannot be written: {}", "{} 无法写入：{}"),
    ("{} GB free; make room, or lower {}", "剩余 {} GB；请清理空间，或调低 {}"),
    ("{} GB free", "剩余 {} GB"),
    ("{} topics in Kafka at {}", "{} 个主题，Kafka 位于 {}"),
    ("{} is damaged ({}); stop Foreshock and restore it from a backup", "{} 已损坏（{}）；请停止前震并从备份恢复"),
    ("{} MB, sound", "{} MB，完好"),
    ("in PostgreSQL, answers", "在 PostgreSQL 中，可访问"),
    ("{}; `{}` tells more", "{}；详情请运行 `{}`"),
    ("the database of {} cannot be used: {}", "{} 所指的数据库无法使用：{}"),
    (
        "entry {} or one before it was changed or taken out since it was made; compare with a backup, and {}",
        "第 {} 条或之前的记录在写入后被改动或删除；请与备份比对（{}）",
    ),
    ("{} entries, none changed or taken out", "{} 条记录，均未被改动或删除"),
    (
        "{} order(s) were not delivered and are tried no more; run `{}`",
        "有 {} 条通知未送达且不再重试；请运行 `{}`",
    ),
    ("nothing in {} yet", "{} 中尚无内容"),
    ("{} segments, {} MB in {}, to {}; by the indexes {}", "{} 个分段，{} MB，位于 {}，截至 {}；按索引 {}"),
    ("{} fault(s), first {}: {}; run `{}`, compare {}", "有 {} 处错误，第一处 {}：{}；请运行 `{}` 并比对（{}）"),
    ("{}; remove it, or restore it from a backup", "{}；请删除它，或从备份恢复"),
    ("{} learnt, {} in force, none in drift", "已学习 {} 个，启用 {} 个，均无漂移"),
    ("nothing was kept for {} h; {} of the data folder says why", "{} 小时没有保存任何数据；原因见数据目录中的 {}"),
    ("{} MB in {}", "{} MB，位于 {}"),
    ("{} has buckets and tasks as they should be", "{} 的存储桶和任务均正确"),
    ("readable by others: {}; run `{}` on them", "其他用户可读：{}；请对其运行 `{}`"),
    ("for the owner only", "仅所有者可读"),
    ("{} accepts the connection", "{} 接受连接"),
    ("{} accepts the connection with TLS", "{} 接受连接（TLS）"),
    (
        "process {} runs on {}; of the ports of these settings {}",
        "进程 {} 正在使用 {}；按设置的端口：{}",
    ),
    (
        "process {} runs on {}; of the ports of these settings console {} answers in {} ms, MQTT {} answers in {} ms",
        "进程 {} 正在使用 {}；按设置的端口：控制台 {}，{} 毫秒应答；MQTT {}，{} 毫秒应答",
    ),
    ("console {} is free, MQTT {} is free, (not running)", "控制台 {} 空闲，MQTT {} 空闲（未运行）"),
    ("console {} is free, MQTT {} is free", "控制台 {} 空闲，MQTT {} 空闲"),
    ("none is kept; {} names where", "未设置归档；用 {} 指定位置"),
    ("not running", "未运行"),
    (
        "{} processes give signs of life, the engine is {} records behind the log",
        "{} 个进程正常，引擎落后日志 {} 条记录",
    ),
    (
        "{} has said nothing for {} s; read run/{}.log of the data folder",
        "{} 已有 {} 秒没有回应；请查看数据目录中的 run/{}.log",
    ),
    ("none before the log's", "不早于日志"),
    ("none before the log's, {} s to PostgreSQL's", "不早于日志，与 PostgreSQL 相差 {} 秒"),
    ("{} s to PostgreSQL's", "与 PostgreSQL 相差 {} 秒"),
    ("nothing to hold it against yet", "尚无可比对的时间"),
    ("the settings name none", "设置中没有证书"),
    ("{} in {} file(s), the first ends {}", "{} 个证书，在 {} 个文件中，最早于 {} 到期"),
    ("a certificate of {} ends in {} days ({} UTC); replace it", "{} 中的证书 {} 天后到期（{} UTC）；请更换"),
    ("a certificate of {} has ended ({} UTC); replace it", "{} 中的证书已到期（{} UTC）；请更换"),
    # a backup
    ("{} is no folder", "{} 不是目录"),
    # a replay
    ("the rules have mistakes", "规则有错误"),
    ("it took longer than {} s: choose a shorter time", "用时超过 {} 秒：请选择更短的时段"),
    ("the replay's process ended by itself ({}): too little memory?", "回放进程自行结束（{}）：内存不足？"),
    ("no process could be started: {}", "无法启动进程：{}"),
    ("the replay needs more memory than it may take: choose a shorter time", "回放所需内存超过上限：请选择更短的时段"),
    ("the variants could not be worked out: {}", "无法试算这些变体：{}"),
    ("a process of the replay was ended from outside (too little memory?)", "回放的一个进程被外部终止（内存不足？）"),
    (
        "partition {} no longer holds its first observations (retention); cannot replay",
        "分区 {} 已不再保存最初的观测（超过保留期），无法回放",
    ),
    (
        "partition {} no longer holds its first observations (retention)",
        "分区 {} 已不再保存最初的观测（超过保留期）",
    ),
    ("the rules cannot be put in force with the site of then: {}", "这些规则不能用于当时的站点：{}"),
    ("a sweep varies one rule", "扫描只改变一条规则"),
    ("there is no publication {}, or several that begin so", "没有发布版本 {}，或有多个以此开头"),
)

said = Phrases(_SAID).said
