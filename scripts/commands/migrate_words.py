"""What `foreshock migrate` says, in Chinese and English: one small catalogue."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "site": ("站点 {site}：{source} → {target}", "site {site}: {source} → {target}"),
    "topic": ("日志 {name}：{records} 条记录", "log {name}: {records} records"),
    "database": ("数据库无法使用：{said}", "a database cannot be used: {said}"),
    "store": ("数据库 {name}", "database {name}"),
    "files": ("文件：{records} 个，{megabytes:.1f} MB → {name}", "files: {records}, {megabytes:.1f} MB → {name}"),
    "history": ("历史数据 {name}", "history: {name}"),
    "runs": (
        "进程 {runs} 正在运行：先边运行边复制，--switch 时停止它",
        "process {runs} runs: it goes on while all is copied, and is stopped by --switch",
    ),
    "rest": ("没有进程在运行", "nothing runs on it"),
    "archive": (
        "两端的归档不同：新日志的归档将重新开始，旧归档仍可用 --archive 回放",
        "the archives of both ends differ: that of the new log begins anew; the old one can be replayed with --archive",
    ),
    "key": (
        "集群密钥会取代 secret.key：所有人须重新登录",
        "the cluster's key takes the place of secret.key: everybody logs in again",
    ),
    "machines": (
        "只复制本机数据文件夹中的图片和照片；其他机器上的请自行复制，并先停止其他机器上的运行",
        "pictures and photos of this machine's data folder only are copied; copy those of the others yourself, and "
        "stop the runs on them first",
    ),
    "broker": (
        "内置 MQTT 代理不随站点迁移：传感器须改连新的代理",
        "the embedded MQTT broker does not move along: sensors have to be sent to the new one",
    ),
    "left": (
        "目标端不保存历史数据：原有历史数据留在原处",
        "the target keeps no history: what there is stays behind",
    ),
    "handed": (
        "已移交：现在即可用新设置启动；历史数据在此之后复制",
        "handed over: it may be started with the new settings now, the history follows",
    ),
    "todo": (
        "尚未改动任何内容；--yes 边运行边复制，--switch 完成迁移",
        "nothing is changed yet; --yes copies while the site runs, --switch moves it",
    ),
    "ahead": (
        "已复制并核对到目前为止的全部内容；--switch 停止原站点，复制其余部分并移交",
        "all up to now is copied and compared; --switch stops the site, copies the rest and hands over",
    ),
    "same": (
        "{name}：{records} 条，两端一致，SHA-256 {hash}",
        "{name}: {records} the same on both sides, SHA-256 {hash}",
    ),
    "offset": ("{name} 从 {offset} 继续", "{name} goes on at {offset}"),
    "moved": (
        "站点 {site} 已迁移到 {target}；停止了 {seconds:.1f} 秒；现在用新设置启动 `foreshock run`",
        "site {site} is at {target}; it stood still for {seconds:.1f} s; now start `foreshock run` with the new "
        "settings",
    ),
    "report": ("报告在 {file}", "the report is in {file}"),
    "given_up": (
        "{source} 可以再次运行；目标端已复制的内容保留",
        "{source} may be run on again; what was copied to the target stays there",
    ),
    "not_marked": ("没有正在进行的移交", "no hand-over was under way"),
    "stop": ("正在停止原站点", "stopping the site"),
    "verify": ("核对 {name}", "comparing {name}"),
}
