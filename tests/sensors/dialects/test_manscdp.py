"""Bodies of GB/T 28181: encodings, envelopes, names, and documents that are meant to harm."""

from __future__ import annotations

import json
import time

import pytest

from sensors.dialects.manscdp import DEEPEST, read

HEAD = '<?xml version="1.0" encoding="{}"?>\r\n'
ALARM = "<Notify><CmdType>Alarm</CmdType><AlarmDescription>后山有人闯入</AlarmDescription></Notify>"
SAID = {"cmdtype": "Alarm", "alarmdescription": "后山有人闯入"}


@pytest.mark.parametrize(
    ("declared", "sent"),
    [
        ("UTF-8", "utf-8"),
        ("GB2312", "gb18030"),
        ("gb18030", "gb18030"),
        ("GBK", "gbk"),
        ("GB2312", "utf-8"),  # as many devices do
        ("UTF-8", "gb18030"),
        ("", "utf-8"),
        ("", "gb18030"),
        ("no-such", "utf-8"),
    ],
)
def test_chinese_is_read_whatever_is_declared(declared: str, sent: str) -> None:
    head = HEAD.format(declared) if declared else ""
    assert read((head + ALARM).encode(sent)) == ("notify", SAID)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("body", [HEAD.format("UTF-16") + ALARM, "\r\n" + ALARM, '{"cmdType": "Alarm"}'])
def test_utf16_is_refused_as_what_it_is(encoding: str, body: str) -> None:
    with pytest.raises(ValueError, match="it is UTF-16; GB/T 28181 is sent in"):
        read(body.encode(encoding))


def test_characters_beyond_gb2312_are_read() -> None:
    body = (HEAD.format("GB18030") + "<Notify><Name>㙓𠀀镕</Name></Notify>").encode("gb18030")
    assert read(body) == ("notify", {"name": "㙓𠀀镕"})


def test_gb2312_that_happens_to_be_utf8_is_read_as_declared() -> None:
    body = HEAD.format("GB2312").encode() + b"<Notify><Name>\xc4\xa3</Name></Notify>"
    assert read(body) == ("notify", {"name": "模"})


def test_a_mark_of_byte_order_and_space_around_are_left() -> None:
    assert read(b"\xef\xbb\xbf\r\n " + ALARM.encode() + b"\r\n") == ("notify", SAID)


def test_json_in_any_spelling_is_the_same_tree() -> None:
    for body in (
        {"Notify": {"CmdType": "Alarm", "AlarmDescription": "后山有人闯入"}},
        {"notify": {"cmd_type": "Alarm", "alarm_description": "后山有人闯入"}},
    ):
        assert read(json.dumps(body).encode()) == ("notify", SAID)
    assert read(json.dumps({"cmdType": "Alarm", "alarmDescription": " 后山有人闯入 "}).encode()) == ("", SAID)
    assert read(b'{"a": 5, "b": [1, null], "c": {"D_e": true}}') == (
        "",
        {"a": "5", "b": ["1", ""], "c": {"de": "True"}},
    )


def test_what_is_repeated_is_a_list() -> None:
    body = b"<Notify><L><Item><ID>1</ID></Item><Item><ID>2</ID></Item><Item><ID>3</ID></Item></L></Notify>"
    assert read(body)[1] == {"l": {"item": [{"id": "1"}, {"id": "2"}, {"id": "3"}]}}


BOMB = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]><Notify><CmdType>&d;</CmdType></Notify>"""


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (BOMB, "DTD or entities"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><Notify/>', "DTD or entities"),
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Notify>&e;</Notify>', "DTD or entities"),
        ("<Notify>&e;</Notify>", "not XML"),
        ("<a>" * 60_000 + "</a>" * 60_000, "deep"),
        ("<a>" * (DEEPEST + 2) + "</a>" * (DEEPEST + 2), "deep"),
        ("<a>" + "<b/>" * 5000 + "</a>", "parts"),
        ("<a", "not XML"),
        ("<a></b>", "not XML"),
        ("", "neither XML nor"),
        ("[1]", "neither XML nor"),
        ("alarm", "neither XML nor"),
        ('{"a": ' * 20 + "1" + "}" * 20, "deep"),
        ('{"a": ' + "[" * 60_000, "recursion"),
        ('{"a": [' + "1," * 5000 + "1]}", "parts"),
        ('{"a": 1', "truncated"),
    ],
)
def test_what_is_meant_to_harm_is_refused_at_once(body: str, why: str) -> None:
    began = time.process_time()
    with pytest.raises((ValueError, RecursionError), match=why):
        read(body.encode())
    assert time.process_time() - began < 0.5


def test_what_is_no_text_in_any_encoding_is_refused() -> None:
    with pytest.raises(ValueError, match="gb18030"):
        read(b"<a>\xff\xff\xff</a>")
