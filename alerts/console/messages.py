"""What the console says in Chinese and English, by code. Reasons of the engine come from `alerts.messages`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

LANGUAGES = ("zh-CN", "en")

TEXTS: dict[str, tuple[str, str]] = {
    # code: (Chinese, English)
    "bad_request": ("请求无效", "the request is not valid"),
    "not_json": ("请求内容不是有效的 JSON", "the body is not JSON"),
    "storage": ("数据文件夹无法读写，磁盘可能已满", "the data folder cannot be written or read: is the disk full?"),
    "database": (
        "日志数据库暂时无法访问，恢复后自动继续；监测继续，记录不会丢失",
        "the journal's database cannot be reached; all goes on by itself once it can, and nothing is lost meanwhile",
    ),
    "invalid": ("字段 {field} 无效：{detail}", "{field} is not valid: {detail}"),
    "invalid_whole": ("请求无效：{detail}", "the request is not valid: {detail}"),
    "not_found": ("没有找到", "not found"),
    "method_not_allowed": ("不支持此方法", "this method is not allowed here"),
    "unsupported_media_type": ("请求体必须是 JSON", "the body must be JSON"),
    "too_large": ("请求体过大", "the body is too large"),
    "too_slow": ("请求超时", "the request took too long"),
    "internal": ("服务器内部错误", "something went wrong in the server"),
    "unauthenticated": ("请先登录", "log in first"),
    "wrong_password": ("用户名或密码错误", "the name or the password is wrong"),
    "locked": ("尝试次数过多，请在 {seconds} 秒后重试", "too many attempts; try again in {seconds} s"),
    "forbidden": ("您没有执行此操作的权限", "your role does not allow this"),
    "other_unit": ("这是其他单位的任务", "this belongs to another unit"),
    "whole_site": (
        "您的账号限于指定区域，此功能涉及整个辖区",
        "your account is confined to some places, and this concerns the whole site",
    ),
    "places_whole": (
        "网关、分析员和管理员的工作涉及整个辖区，不能限定区域",
        "gateways, analysts and administrators work for the whole site: name no places for them",
    ),
    "csrf": ("请求未通过跨站校验，请刷新页面", "the request failed the cross-site check; reload the page"),
    "bad_link": ("链接已使用、已过期或不属于本系统", "this link was used, is over, or is not from this console"),
    "bad_name": (
        "用户名须为 1 至 64 个字母、数字或 . _ - @，且以字母或数字开头",
        "a name is 1 to 64 letters, digits and . _ - @, a letter or digit first",
    ),
    "name_taken": ("用户名已存在", "this name is taken"),
    "weak_password": (
        "密码须为 10 至 256 个字符，且不能与用户名相同或只重复少数字符",
        "a password has 10 to 256 characters and is not the name, nor a few characters repeated",
    ),
    "bad_role": ("角色无效", "there is no such role, or none was given"),
    "bad_language": ("不支持的语言", "this language is not spoken here"),
    "bad_display": ("显示名称最多 100 个字符", "a name to show has at most 100 characters"),
    "unit_needed": ("现场人员账号必须指定单位", "an account with the role field needs a unit"),
    "reason_needed": ("请写明理由", "say why: a publication is signed with a reason"),
    "unknown_unit": ("没有此单位", "the site has no such unit"),
    "unknown_person": ("请指明一位账号在用的人员", "name a person with an account that is in use"),
    "unknown_user": ("没有此账号", "there is no such account"),
    "unknown_token": ("没有此令牌", "there is no such token"),
    "unknown_session": ("没有此会话，或已结束", "there is no such session, or it is over"),
    "code_needed": ("请输入动态验证码", "enter the code of your authenticator app"),
    "wrong_code": ("动态验证码错误或已使用", "this code is wrong or was used"),
    "second_there": ("已启用动态验证码，请先停用", "there is a second step already: remove it first"),
    "second_needed": (
        "管理员须先设置动态验证码，才能进行其他操作",
        "an administrator sets up the second step of the log-in before anything else",
    ),
    "second_kept": ("本站要求管理员使用动态验证码，不能停用", "this site asks administrators for it: it stays"),
    "external": (
        "此账号通过统一认证登录，其密码、角色和区域由认证方决定",
        "this account signs in by a provider, which has its password and says what it may do",
    ),
    "erased": (
        "此账号的个人数据已删除，账号永久停用",
        "this account was erased: it cannot be used or changed again",
    ),
    "not_admitted": ("没有此人的账号，且不自动创建", "there is no account of this person, and none is made"),
    "sign_in_again": ("请先退出，重新登录后十分钟内再试", "sign out and in again; then there are ten minutes for this"),
    "session_needed": ("此操作须登录后进行，不能使用令牌", "this takes a person who is logged in, not a token"),
    "other_place": ("您只能查看所辖地点的报告", "you may read the reports of your own place only"),
    "bad_day": ("日期无效或尚未到来", "this is no day, or it is yet to come"),
    "already_runs": ("正在进行中，请稍后", "it runs already: wait for its end"),
    "no_backup_folder": (
        "未设置备份目录（FORESHOCK_BACKUP_FOLDER）",
        "no folder for backups is set (FORESHOCK_BACKUP_FOLDER)",
    ),
    "no_system": ("此控制台不能执行系统任务", "this console has no part in running the system"),
    "ambiguous_token": ("有多个令牌使用此名称，请用编号指定", "several tokens have this name: name one by its id"),
    "bad_days": ("令牌有效期须为 1 至 730 天", "a token lives for more than 0 and at most 730 days"),
    "last_administrator": ("这是最后一位管理员", "this is the last administrator"),
    "no_answer": (
        "引擎未在规定时间内答复，操作可能稍后生效",
        "the engine has not answered in time; the command may still take effect",
    ),
    "too_many_reports": ("上报过于频繁，请在 {seconds} 秒后重试", "too many reports; try again in {seconds} s"),
    "too_many_photos": ("照片过多，请稍后重试", "too many photos at once: try again soon"),
    "too_much": (
        "所选时段的数据过多，请缩短时段或减少点位",
        "too much is recorded in that time: choose less of it, or fewer points",
    ),
    "too_many_readers": ("查询过多，请稍后重试", "too many are reading the log at once: try again soon"),
    "no_engine": ("引擎未连接", "the engine is not connected"),
    "no_journal": ("日志库尚未就绪", "the journal is not ready"),
    "site_broken": ("站点文件有 {count} 处错误", "the site folder has {count} problem(s)"),
    "draft_broken": ("草稿有 {count} 处错误", "the draft has {count} problem(s)"),
    "draft_slow": ("草稿检查未完成：{reason}", "the draft could not be checked: {reason}"),
    "rule_moved": (
        "此规则在您开始编辑之后已被他人发布新版本，请先对照差异再发布",
        "another version of this rule came in force since you began: look at the difference, then publish",
    ),
    "too_many_checks": ("检查过于频繁，请在 {seconds} 秒后重试", "too many checks; try again in {seconds} s"),
    "too_many_drafts": ("草稿已达上限，请先删除一份", "you keep too many drafts: drop one first"),
    "no_shadow": ("没有影子规则在运行", "no rules run in the shadow"),
    "shadow_moved": (
        "此后已有另一套影子规则开始运行：请重新查看后再决定",
        "another set of rules runs in the shadow by now: look at it before you decide",
    ),
    "exercise_runs": ("已有演练在进行，请等它结束", "an exercise runs already: wait for its end"),
    "replay_runs": ("已有一次回放正在进行，请等待其结束或先取消", "a replay runs already: wait for it, or cancel it"),
    "not_publishable": ("无法在运行中生效：{reason}", "it cannot take force: {reason}"),
    "refused": ("操作被拒绝：{reason}", "refused: {reason}"),
    "too_many_viewers": ("实时连接数已达上限", "too many live viewers"),
    "too_many_of_yours": (
        "您的账号打开的实时连接已达上限，请关闭多余的页面",
        "this account or token has too many live streams open: close some",
    ),
    "camera_not_read": ("此相机没有可读取的视频流", "this camera is not read: the site names no stream of it"),
    "camera_no_picture": ("此相机近 10 秒没有画面", "this camera has given no picture for ten seconds"),
    "cameras_away": ("视频读取进程未运行", "the camera process does not run, or gives no answer"),
    "too_many_looks": ("查看画面过于频繁，请稍候", "too many pictures asked for: wait a second"),
    "no_area": ("请说明区域，或提供已知区域附近的位置", "name an area, or a location near one"),
    "unknown_place": ("没有此地点", "the site has no such place"),
    "unknown_area": ("没有此区域", "the site has no such area"),
    "bad_time": ("时间须在过去 7 天内，且不晚于现在", "the time must be within the last 7 days and not ahead of now"),
    "other_push": ("此编号已用于其他内容", "this id was used for something else"),
    # why a file cannot be taken
    "file.malformed": ("文件损坏、不完整或为空", "it is broken, breaks off, or is empty"),
    "file.oversized": ("文件过大", "it is too large"),
    "file.type": ("只接受照片（JPEG、PNG）和 PDF", "it is neither a photo (JPEG, PNG) nor a PDF"),
    "file.image_type": ("只接受照片（JPEG、PNG）", "it is no photo (JPEG, PNG)"),
    "file.image_bomb": ("照片的像素过多", "the photo has too many pixels"),
    "file.active": (
        "PDF 含有会自行执行、发送或附带文件的内容（{name}）",
        "the PDF does something by itself: it runs, sends, or brings files along ({name})",
    ),
    "file.locked": ("PDF 已加密，无法检查", "the PDF is encrypted: it cannot be looked into"),
    "file.hidden": (
        "PDF 的压缩方式无法检查，请另存或打印为新的 PDF",
        "the PDF is packed in a way that cannot be looked into: print it to a new PDF",
    ),
    "file.unread": ("文件无法读取", "it cannot be read"),
    # why a field is not valid, by pydantic's types
    "wrong.value": ("格式或取值不正确", "it is not of the right form"),
    "wrong.missing": ("不能缺少", "it is missing"),
    "wrong.extra_forbidden": ("没有这一字段", "there is no such field"),
    "wrong.object": ("须为 JSON 对象", "it must be a JSON object"),
    "wrong.string_type": ("须为文本", "it must be a text"),
    "wrong.string_unicode": ("不是有效的文本", "it is no valid text"),
    "wrong.string_too_short": ("至少 {min_length} 个字符", "it must have at least {min_length} characters"),
    "wrong.string_too_long": ("最多 {max_length} 个字符", "it may have at most {max_length} characters"),
    "wrong.string_pattern_mismatch": ("不能为空白，或格式不正确", "it is blank, or not of the right form"),
    "wrong.too_short": ("至少 {min_length} 项", "it must have at least {min_length} items"),
    "wrong.too_long": ("最多 {max_length} 项", "it may have at most {max_length} items"),
    "wrong.list_type": ("须为列表", "it must be a list"),
    "wrong.bool_type": ("须为 true 或 false", "it must be true or false"),
    "wrong.int_type": ("须为整数", "it must be a whole number"),
    "wrong.float_type": ("须为数字", "it must be a number"),
    "wrong.finite_number": ("须为有限的数字", "it must be a finite number"),
    "wrong.greater_than": ("须大于 {gt}", "it must be more than {gt}"),
    "wrong.greater_than_equal": ("不能小于 {ge}", "it must be at least {ge}"),
    "wrong.less_than": ("须小于 {lt}", "it must be less than {lt}"),
    "wrong.less_than_equal": ("不能大于 {le}", "it must be at most {le}"),
    "wrong.literal_error": ("只能是 {expected}", "it must be {expected}"),
    "wrong.none_required": ("须为空", "it must be null"),
    "wrong.nul": ("文本中含有 NUL 字符", "a text holds the character NUL"),
    "wrong.text_or_version": ("text 与 version 须且只能给出一个", "give either text or version"),
    "wrong.sweep_text": ("扫描参数须给出 text", "a sweep takes text"),
    "wrong.from_to": ("from 须早于 to", "from must be before to"),
    "check.waiting": ("等待检查的草稿过多", "too many drafts wait to be checked"),
    "check.failed": ("检查超时或中断", "it took too long, or was cut short"),
    "bad_attachment": ("附件无法使用：{reason}", "the file cannot be attached: {reason}"),
    "bad_photo": ("照片无法使用：{reason}", "the photo cannot be used: {reason}"),
    "bad_cursor": ("分页游标无效", "this is no cursor of a listing"),
    "replay_busy": ("另一次重放正在进行", "another replay is under way: wait until it has ended"),
    "no_notifier": ("通知进程尚未运行", "the notifier has not run yet"),
    "no_font": ("无法打印：服务器上没有中文字体", "cannot print: the server has no font with Chinese glyphs"),
    "bad_code": ("确认码无效、已使用或已过期", "this code is not valid, was used, or is over"),
    "told_less": (
        "此后情况已加重：请看最新的通知或值班台，再确认",
        "it has got worse since this was sent: look at the latest message or the console first",
    ),
    "no_code": ("消息中没有确认码", "there is no code in the text"),
    "bad_signature": ("签名无效或已过期", "the signature is not valid, or is too old"),
    "reply.acknowledge": ("确认事件", "Acknowledge"),
    "reply.accept": ("接受派单", "Accept"),
    "reply.acknowledge.done": ("事件已确认", "The incident is acknowledged"),
    "reply.accept.done": ("已接受派单", "The dispatch is accepted"),
    "key_used": (
        "该 Idempotency-Key 已用于另一内容的请求",
        "this Idempotency-Key was used for a request that said something else: take a new one",
    ),
    "bad_key": (
        "Idempotency-Key 须为 8 至 128 个可见字符",
        "an Idempotency-Key is 8 to 128 visible ASCII characters",
    ),
}


class Part(NamedTuple):
    """A text that stands in another, said in the same language."""

    code: str
    values: Mapping[str, Any] = {}


def text(code: str, language: str, **values: object) -> str:
    """Say the text of `code` in `language`; an unknown code is said as it is."""
    pair = TEXTS.get(code)
    if pair is None:
        return code
    said = {
        name: text(value.code, language, **value.values) if isinstance(value, Part) else value
        for name, value in values.items()
    }
    return pair[0 if language.startswith("zh") else 1].format(**said)


def unfit(reason: str, name: str = "") -> Part:
    """Say why a file cannot be taken, by the reason that it is counted by; `name` is what it would do."""
    code = f"file.{reason}"
    return Part(code if code in TEXTS else "file.unread", {"name": name})


_SAME = {
    "model_type": "object",
    "model_attributes_type": "object",
    "dict_type": "object",
    "mapping_type": "object",
    "tuple_type": "list_type",
    "set_type": "list_type",
    "iterable_type": "list_type",
    "bool_parsing": "bool_type",
    "int_parsing": "int_type",
    "int_parsing_size": "int_type",
    "int_from_float": "int_type",
    "float_parsing": "float_type",
    "enum": "literal_error",
}
"""Types of pydantic's errors that are said in the words of another."""


def wrong(type: str, context: Mapping[str, Any]) -> Part:
    """Say what is wrong with a field, by the type of pydantic's error: its own texts are English alone."""
    code = f"wrong.{_SAME.get(type, type)}"
    if code not in TEXTS:
        return Part("wrong.value")
    values = dict(context)
    if "expected" in values:  # 'a', 'b' or 'c'
        values["expected"] = str(values["expected"]).replace("'", "").replace(" or ", " / ").replace(", ", " / ")
    return Part(code, values)


def preferred(accept: str | None, default: str = "zh-CN") -> str:
    """Choose a language from an Accept-Language header; `default` when it names none that is spoken here."""
    if not accept:
        return default
    best, weight = default, 0.0
    for tag, quality in _ranked(accept[:500].split(",")[:20]):
        language = "zh-CN" if tag.startswith("zh") else "en" if tag.startswith("en") else None
        if language and quality > weight:
            best, weight = language, quality
    return best


def _ranked(parts: Iterable[str]) -> Iterable[tuple[str, float]]:
    for part in parts:
        tag, _, parameter = part.strip().partition(";")
        try:
            quality = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            quality = 0.0
        yield tag.strip().lower(), quality
