"""The two ends of a move: settings out of a folder or a file, and whether a site can be moved between them."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from sensors.document import DocumentError
from sensors.registry import load_site
from sensors.site import Site
from streams import bundle, publication, settings
from streams.migration.report import MigrationError
from streams.migration.state import FILE
from streams.settings import PREFIX, Settings

MOST_BYTES = 64 << 10
"""Bytes of a file of settings."""

_SEPARATE = (
    *("BROKER", "JOURNAL", "JOURNAL_PASSWORD", "CLUSTER", "CLUSTER_KEY", "PROCESSES", "DATA"),
    *("HISTORY_GIGABYTES", "INFLUX_URL", "INFLUX_TOKEN", "INFLUX_BUCKET"),
)
"""What each end says of its own set-up alone: it is not taken from the environment."""


def read(where: Path | None) -> Settings:
    """Read the settings of one end: of a data folder with all in it, of a file of settings, or of the environment.

    A file has a line `NAME=VALUE` for each variable, as systemd's `EnvironmentFile`. What it does not name of
    where the site is kept has its default; all else comes from the environment. Raise `MigrationError`,
    `SettingsError`.
    """
    if where is None:
        return settings.load()
    outside = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    for name in _SEPARATE:
        outside.pop(PREFIX + name, None)
        outside.pop(f"{PREFIX}{name}_FILE", None)
    if where.is_dir() or (not where.suffix and not where.exists()):
        return settings.load(outside, data=str(where))
    return settings.load({**outside, **_variables(where)})


def names_site(where: Path | None) -> bool:
    """Tell whether a file of settings names the site's folder."""
    return where is not None and where.is_file() and f"{PREFIX}SITE" in _variables(where)


def _variables(file: Path) -> Mapping[str, str]:
    try:
        with file.open(encoding="utf-8") as opened:
            text = opened.read(MOST_BYTES + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise MigrationError(
            f"cannot read {file}: {getattr(error, 'strerror', None) or 'it is not UTF-8'}",
            f"无法读取 {file}：{getattr(error, 'strerror', None) or '不是 UTF-8'}",
        ) from error
    if len(text) > MOST_BYTES:
        raise MigrationError(
            f"{file} has more than {MOST_BYTES} characters: it is no file of settings",
            f"{file} 超过 {MOST_BYTES} 个字符：不是设置文件",
        )
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        try:
            parts = shlex.split(line.strip().removeprefix("export "), comments=True)
        except ValueError as error:
            raise MigrationError(f"{file}:{number}: {error}") from error
        if not parts:
            continue
        name, equals, value = parts[0].partition("=")
        if len(parts) != 1 or not equals:
            raise MigrationError(
                f"{file}:{number}: write NAME=VALUE, the value in quotes where it has spaces",
                f"{file}:{number}：请写成 NAME=VALUE，值中有空格时加引号",
            )
        if name.startswith(PREFIX):
            if name.removeprefix(PREFIX).removesuffix("_FILE").lower() not in _known():
                raise MigrationError(
                    f"{file}:{number}: there is no setting {name}; see `foreshock settings`",
                    f"{file}:{number}：没有设置项 {name}；见 `foreshock settings`",
                )
            found[name] = value
    return found


def _known() -> frozenset[str]:
    return frozenset(name for name, *_ in settings.described())


def named(found: Settings) -> str:
    """Name an end for people: where its log is. No password is in it."""
    return found.broker if found.kafka else str(found.log_file)


def site_of(data: Path) -> Site | None:
    """Read the site in force in a data folder; None where there is none. Raise `MigrationError`."""
    try:
        return bundle.unpack(publication.read(data)).site
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise MigrationError(
            f"{data / publication.FILE} cannot be read: {error}", f"{data / publication.FILE} 无法读取：{error}"
        ) from error


def require_pair(source: Settings, target: Settings, chosen: bool) -> Site:
    """Return the site that is to be moved. Raise `MigrationError` where it cannot be between these two.

    `chosen`: the target's settings name a folder of the site, which must be of the same.
    """
    if (source.kafka is None) == (target.kafka is None):
        which = "in Kafka" if source.kafka else "a file"
        raise MigrationError(
            f"both logs are {which} ({named(source)}, {named(target)}): a site is moved from a file to Kafka or back; "
            "`foreshock backup` and `restore` copy a data folder",
            f"两端的日志同类（{named(source)}、{named(target)}）：迁移是从文件到 Kafka 或相反；"
            "复制数据文件夹请用 `foreshock backup` 和 `restore`",
        )
    site = site_of(source.data_folder)
    if site is None:
        raise MigrationError(
            f"nothing has run in {source.data_folder} yet: there is no site to move",
            f"{source.data_folder} 尚未运行过：没有可迁移的站点",
        )
    there = site_of(target.data_folder)
    if there is None and chosen:
        try:
            there = load_site(target.site_folder)
        except DocumentError as error:
            raise MigrationError(f"{target.site_folder}: {error.problems[0]}") from error
    if there is not None and there.id != site.id:
        raise MigrationError(
            f"the site to be moved is {site.id}, and the target's is {there.id}",
            f"要迁移的站点是 {site.id}，目标端是 {there.id}",
        )
    before = target.kafka is None and target.log_file == source.data_folder / "log.sqlite" and target.log_file.exists()
    if before and not (target.data_folder / FILE).exists():  # else it is this move's, which goes on
        raise MigrationError(
            f"{target.log_file} is of before: move it away, or name another data folder",
            f"{target.log_file} 是以前留下的：请移走，或指定其他数据文件夹",
        )
    return site
