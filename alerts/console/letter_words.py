"""Why a target did not take a notice, in Chinese: the notifier says it in English, as in its log and on the terminal.

What is not here stays as it is: above all a server's own words.
"""

from __future__ import annotations

from alerts.console.phrases import Phrases

_SAID: tuple[tuple[str, str], ...] = (
    # any target
    ("{} is not a public address (allow_private permits it)", "{} 不是公网地址（可用 allow_private 允许）"),
    (
        "{} is {}, not a public address (allow_private permits it)",
        "{} 的地址 {} 不是公网地址（可用 allow_private 允许）",
    ),
    ("no answer within {} s", "{} 秒内没有应答"),
    ("the target had been taken out", "该目标已从配置中移除"),
    ("this target is told all the time: look at its topics", "该目标持续接收消息：请查看其主题"),
    # a webhook
    ("the event has {} bytes, more than {}", "事件有 {} 字节，超过上限 {}"),
    ("no connection within {} s", "{} 秒内未能建立连接"),
    ("answered {}: redirects are not followed", "应答 {}：不跟随重定向"),
    ("answered {}", "应答 {}"),
    ("ConnectError: {}", "无法连接：{}"),
    ("ReadError: {}", "连接中断：{}"),
    ("RemoteProtocolError: {}", "对方未按 HTTP 应答：{}"),
    ("gaierror: {}", "无法解析主机名：{}"),
    # a mail server
    ("the server answered {} at once", "邮件服务器一连接即应答 {}"),
    ("the server does not take the name and password ({})", "邮件服务器不接受用户名和密码（{}）"),
    ("SMTPConnectError: {}", "无法连接邮件服务器：{}"),
    ("SMTPServerDisconnected: {}", "邮件服务器断开了连接：{}"),
    # a chat
    ("an earlier message is still under way", "前一条消息仍在发送"),
    ("the service did not take it, or its address is private or wrong", "服务未接受，或其地址有误或不是公网地址"),
    # a broker
    ("{} cannot be a level of a topic", "{} 不能作为主题的一级"),
    ("no connection to {}", "未连接到 {}"),
    ("the connection was lost", "连接已中断"),
    ("no acknowledgement within {} s", "{} 秒内没有确认"),
    ("The client is not currently connected.", "客户端当前未连接。"),
    # what a target is set to
    ("{}: a chat needs url_env or url_file", "{}：聊天目标须设置 url_env 或 url_file"),
    ("{}: {} is not allowed; there are {}", "{}：不允许 {}；可用的有 {}"),
    ("{}: the address must be one, without spaces, commas and line breaks", "{}：只能有一个地址，不含空格、逗号和换行"),
    ("{}: the address is not one that {} has", "{}：地址不符合 {} 的格式"),
    ("{}: a sender of mail has one recipient", "{}：每个邮件发送者只能有一个收件人"),
    (
        "{}: a username needs password_env or password_file",
        "{}：设置了 username 就须设置 password_env 或 password_file",
    ),
    ("{}: a password is sent over TLS only", "{}：密码只能经 TLS 发送"),
    ("{}: cannot use ca_file {}: {}", "{}：无法使用 ca_file {}：{}"),
    (
        "{}: a webhook needs secret_env or secret_file to sign with",
        "{}：webhook 须设置签名用的 secret_env 或 secret_file",
    ),
    (
        "{}: the URL must be http(s)://host…, without a name or password",
        "{}：URL 必须是 http(s)://主机…，不含用户名和密码",
    ),
    ("environment variable {} is not set", "未设置环境变量 {}"),
    ("cannot read the secret in {}: {}", "无法读取 {} 中的密钥：{}"),
    ("the secret file {} is empty", "密钥文件 {} 为空"),
    ("the secret after whsec_ is not base64", "whsec_ 之后的密钥不是 base64"),
)

said = Phrases(_SAID).said
