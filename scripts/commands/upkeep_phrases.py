"""What commands of upkeep say, in English and Chinese: journal, archive, backup, quarantine, history, topics, doctor.

A part of what `error_words` knows; `{}` stands for the same words in both.
"""

from __future__ import annotations

UPKEEP: tuple[tuple[str, str], ...] = (
    # journal
    ("the journal is up to date", "日志库已是最新"),
    ("{} step(s) were taken", "已执行 {} 步"),
    ("{} step(s) would be taken, and succeed; take them with --apply", "将执行 {} 步，且会成功；--apply 执行"),
    (
        "cases are kept for good; say --days, or set FORESHOCK_JOURNAL_DAYS",
        "案件永久保留；请写 --days，或设置 FORESHOCK_JOURNAL_DAYS",
    ),
    ("{} case(s) were removed", "已移除 {} 个案件"),
    ("{} case(s) would be removed; do it with --apply", "将移除 {} 个案件；--apply 执行"),
    (
        "personal fields are kept; say --days, or set FORESHOCK_PERSONAL_DAYS",
        "个人信息保留；请写 --days，或设置 FORESHOCK_PERSONAL_DAYS",
    ),
    ("{} row(s) were redacted", "已隐去 {} 行"),
    (
        "{} incident(s) would be redacted, with all of theirs; do it with --apply",
        "将隐去 {} 个事件及其全部内容；--apply 执行",
    ),
    (
        "{}; they would be gone: to do it all the same, say --drop-older",
        "{}；它们将丢失：仍要执行请写 --drop-older",
    ),
    ("the journal cannot be rebuilt", "日志库无法重建"),
    ("the one before is {}", "原来的保存为 {}"),
    (", which is damaged", "（已损坏）"),
    ("{} changes of {} records of the log are in the journal", "{} 个变化（日志 {} 条记录）已写入日志库"),
    (
        "cannot use the journal: {}; `foreshock doctor` may say more",
        "日志库无法使用：{}；`foreshock doctor` 可说明更多",
    ),
    # archive
    ("nothing is archived in {} yet", "{} 中尚无归档"),
    ("{} observations were gone from the log before they were archived", "{} 个观测在归档前已从日志中消失"),
    ("{} observations, {} MB", "{} 个观测，{} MB"),
    ("{} segments, {} observations, {} MB, to {}: {}", "{} 段，{} 个观测，{} MB，至 {}：{}"),
    ("the indexes follow each other", "各索引前后相接"),
    ("all are as they were written", "全部与写入时一致"),
    ("{} segments removed, {} MB", "已移除 {} 段，{} MB"),
    ("{} segments would go", "将移除 {} 段"),
    (
        "{} segments would go; `foreshock archive prune --yes` removes them",
        "将移除 {} 段；`foreshock archive prune --yes` 执行",
    ),
    ("{} observations archived, {} segments, {} MB", "已归档 {} 个观测，{} 段，{} MB"),
    (
        "no archive is kept: set FORESHOCK_ARCHIVE to a folder, or to s3://BUCKET/PREFIX",
        "未设归档：请将 FORESHOCK_ARCHIVE 设为文件夹，或 s3://BUCKET/PREFIX",
    ),
    # backup
    ("{} is no folder; --keep needs one", "{} 不是文件夹；--keep 需要文件夹"),
    (
        "it is not encrypted, and holds the secret key and what people wrote: keep it as safe as the data folder",
        "备份未加密，且含密钥和人员所写的内容：请与数据文件夹同样保管",
    ),
    (
        "the journal is in PostgreSQL and not in it: back that up as well, with pg_dump",
        "日志库在 PostgreSQL 中，不在备份内：请用 pg_dump 另行备份",
    ),
    (
        "the log is in Kafka and not in it: its topics are kept by their replicas",
        "日志在 Kafka 中，不在备份内：由其副本保存",
    ),
    (
        "the history in the data folder is not in it: copy history/ as well where it must not be lost",
        "数据文件夹中的历史数据不在备份内：如不可丢失，请另行复制 history/",
    ),
    ("{} older removed", "已移除 {} 个旧备份"),
    ("{}: {} files, {} MB", "{}：{} 个文件，{} MB"),
    ("{} files, {} MB, taken {} by version {}: {}", "{} 个文件，{} MB，{} 由版本 {} 备份：{}"),
    ("it is whole", "备份完整"),
    ("it is in {}; start with `foreshock run`", "已恢复到 {}；请用 `foreshock run` 启动"),
    # quarantine
    ("--reason {}: there is none; the reasons are {}", "--reason {}：没有这种原因；原因有 {}"),
    ("{}, cut", "{}（已截断）"),
    ("nothing of this was refused, or it is no longer kept", "没有这样的拒绝记录，或已不再保留"),
    (
        "there is no {} in the quarantine, or no longer; `foreshock quarantine list` names what is kept",
        "隔离区没有 {}，或已不再保留；`foreshock quarantine list` 列出所存内容",
    ),
    ("(the broker's stored copy)", "（代理保留的消息）"),
    (", of which {} are kept: too few to replay it", "，其中保留 {} 字节：不足以重放"),
    ("; readings refused: {}", "；被拒绝的读数：{}"),
    (
        "{} messages, {} readings, {} messages replayed, {} to {}",
        "{} 条消息，{} 个读数，已重放 {} 条消息，{} 至 {}",
    ),
    ("kept for {} days, at most {} MB", "保留 {} 天，最多 {} MB"),
    (
        "older ones were not counted: narrow the time with --from and --to",
        "更早的未计入：请用 --from 和 --to 缩小时间范围",
    ),
    (
        "no running Foreshock answers on {}: {}; replay again to go on",
        "{} 上没有运行中的前震应答：{}；再次重放即可继续",
    ),
    ("taken in", "已接收"),
    ("refused still", "仍被拒绝"),
    ("taken in before", "此前已接收"),
    ("cut: not kept whole, so they cannot be decoded", "已截断：未完整保留，无法解码"),
    ("no message: a summary, or a record of the log", "不是消息：汇总，或日志的记录"),
    ("only told a state of then", "只说明当时的状态"),
    ("would be taken in: {} readings and {} events of {} messages", "将接收 {} 个读数和 {} 个事件（共 {} 条消息）"),
    ("taken in: {} readings and {} events of {} messages", "已接收 {} 个读数和 {} 个事件（共 {} 条消息）"),
    (
        "no answer for {} s; waiting on, since what was sent may be taken in still",
        "{} 秒没有应答；继续等待，因为已发送的仍可能被接收",
    ),
    ("{} messages so far, {} readings taken in", "至今 {} 条消息，已接收 {} 个读数"),
    # history and topics
    ("{} to be done; `foreshock history apply --yes` does it", "有 {} 项待做；`foreshock history apply --yes` 执行"),
    ("{} to be done; `foreshock topics apply --yes` does it", "有 {} 项待做；`foreshock topics apply --yes` 执行"),
    ("{} done", "已完成 {} 项"),
    ("all {} buckets and {} tasks are as they should be", "全部 {} 个存储桶和 {} 个任务均符合要求"),
    ("all {} topics are as they should be", "全部 {} 个主题均符合要求"),
    ("{} of it cannot be done by this command", "其中 {} 项无法由本命令完成"),
    (
        "the log is a file, which makes its topics itself; set FORESHOCK_BROKER=kafka://HOST:PORT for Kafka",
        "日志为文件，会自行建立主题；使用 Kafka 请设 FORESHOCK_BROKER=kafka://HOST:PORT",
    ),
    ("{}: name a file that ends in {}", "{}：文件名须以 {} 结尾"),
    ("--of {}: there are readings, minutes and hours", "--of {}：可为 readings、minutes、hours"),
    ("the site has no point {}", "站点没有测点 {}"),
    ("--from {} is not before --to {}", "--from {} 不早于 --to {}"),
    ("now", "现在"),
    ("{} {} of {} point(s) in {}, {} MB", "{} 条 {}（{} 个测点）已写入 {}，{} MB"),
    (
        "this is of InfluxDB: set FORESHOCK_INFLUX_URL. A history in the data folder needs no set-up",
        "此命令用于 InfluxDB：请设置 FORESHOCK_INFLUX_URL。数据文件夹中的历史数据无须设置",
    ),
    # what the doctor looks at, and finds
    ("console page", "控制台页面"), ("site", "站点"), ("data folder", "数据文件夹"),
    ("disk", "磁盘"), ("log", "日志"), ("journal", "日志库"), ("audit", "审计"), ("outbox", "待发通知"),
    ("archive", "归档"), ("models", "模型"), ("keys", "密钥"), ("brokers", "代理"), ("ports", "端口"),
    ("history", "历史数据"), ("processes", "进程"), ("clocks", "时钟"), ("certificates", "证书"),
    ("MQTT brokers", "MQTT 代理"), ("MQTT broker {}", "MQTT 代理 {}"), ("built", "已构建"),
    ("not built; run `make web`", "未构建；请运行 `make web`"),
    (
        "cv2 does not load ({}); run `python -m scripts.provide_opencv`",
        "cv2 无法载入（{}）；请运行 `python -m scripts.provide_opencv`",
    ),
    ("{} problem(s), first {}; run `foreshock check`", "{} 个问题，首个为 {}；请运行 `foreshock check`"),
    ("{}: {} areas, {} points, {} rules", "{}：{} 个区域，{} 个测点，{} 条规则"),
    ("{} does not exist yet; `foreshock run` makes it", "{} 尚不存在；`foreshock run` 会建立"),
    (
        "{} GB free of {}; make room, or lower FORESHOCK_RETENTION_GIGABYTES: once it is full nothing is taken any "
        "more",
        "只剩 {} GB，位于 {}；请腾出空间，或调低 FORESHOCK_RETENTION_GIGABYTES：写满后将不再接收任何内容",
    ),
    ("{} GB free", "剩余 {} GB"),
    ("{}: {}, {}; run `foreshock topics apply`", "{}：{}，{}；请运行 `foreshock topics apply`"),
    ("{} topics in Kafka at {}", "Kafka 中有 {} 个主题，位于 {}"),
    ("{} is damaged ({}); stop Foreshock and restore it from a backup", "{} 已损坏（{}）；请停止前震并从备份恢复"),
    ("{} MB, sound", "{} MB，完好"),
    ("in PostgreSQL, answers", "在 PostgreSQL 中，有应答"),
    ("`foreshock journal migrate` tells more", "`foreshock journal migrate` 可说明更多"),
    ("the database of FORESHOCK_JOURNAL cannot be used", "FORESHOCK_JOURNAL 的数据库无法使用"),
    (
        "entry {} or one before it was changed or taken out since it was made; compare with a backup, and see "
        "`foreshock users audit`",
        "第 {} 条或更早的条目被改动或移除过；请与备份比对，并见 `foreshock users audit`",
    ),
    ("{} entries, none changed or taken out", "{} 条，无改动或移除"),
    (
        "{} order(s) were not delivered and are tried no more; run `foreshock outbox list`",
        "{} 个派单未送达且不再重试；请运行 `foreshock outbox list`",
    ),
    ("none is kept; FORESHOCK_ARCHIVE names where", "未设归档；由 FORESHOCK_ARCHIVE 指明位置"),
    ("nothing in {} yet", "{} 中尚无内容"),
    ("none yet", "尚无"),
    ("{} learnt, {} in force, none in drift", "已学习 {} 个，生效 {} 个，无漂移"),
    ("{}; remove it, or restore it from a backup", "{}；请移除，或从备份恢复"),
    (
        "nothing was kept for {} h; run/history.log of the data folder says why",
        "已 {} 小时没有保存；原因见数据文件夹的 run/history.log",
    ),
    ("{} MB in {}", "{} MB，位于 {}"),
    ("{} has buckets and tasks as they should be", "{} 的存储桶和任务均符合要求"),
    ("readable by others: {}; run `chmod 600` on them", "他人可读：{}；请执行 `chmod 600`"),
    ("for the owner only", "仅所有者可读"),
    ("{} accepts the connection", "{} 接受连接"),
    ("{} accepts the connection with TLS", "{} 接受 TLS 连接"),
    ("process {} runs on {}; of the ports of these settings {}", "进程 {} 正在 {} 上运行；这些设置的端口：{}"),
)  # fmt: skip
