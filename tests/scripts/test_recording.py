"""Reading recordings as their loggers wrote them."""

from __future__ import annotations

import gc
import io
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import pytest

from scripts.recording import Clock, Problems, Row, ScoreError, number, oldest_first, read_rows

FILE = Path("in.csv")


def rows(content: str | bytes, time: str = "t", value: str = "v") -> tuple[list[Row], Problems]:
    raw = content if isinstance(content, bytes) else content.encode()
    problems = Problems()
    return list(read_rows(FILE, io.BytesIO(raw), time, [value], UTC, problems)), problems


@pytest.mark.parametrize(
    "content",
    [
        "t,v\n60,1.5\n120,2.5\n",
        "\ufefft;v\r\n60;1,5\r\n120;2,5\r\n",
        "t\tv\r60\t1.5\r120\t2.5\r",
        "t|v\n60| 1.5 \n120|2.5",
        "t,v\n60,1.5\n120,2.5\n".encode("utf-16"),
        "t\tv\n60\t1,5\n120\t2,5\n".encode("utf-16-be").join([b"\xfe\xff", b""]),
        "# station, number 7\n# t is the time\n\nt,v\n60,1.5\n120,2.5\n",
        "Station: Keag\nUnits, ft, and a comma\n\nt;note, in words;v\n60;a, b;1.5\n120;c;2.5\n",
        "v,T (s)\n1.5,60\n2.5,120\n",
        " V [m³/s] ,t\n1.5,60\n2.5,120\n",
        't,v\n60,"1.5 m"\n120,2.5*\n',
        "t v\n60 1.5\n120 2.5\n",
        "# the time t and the level v of Keag\n#  t   v\n  60   1.5\n 120\t 2.5 \n",
        'v note t\n1.5 "a b" 60\n2.5 c 120\n',
        "the t and the v, in words\nt;v\n60;1.5\n120;2.5\n",
    ],
)
def test_the_same_rows_are_read_of_whatever_was_written(content: str | bytes) -> None:
    found, problems = rows(content)
    assert [(row.time, number(row.values[0])) for row in found] == [(60.0, 1.5), (120.0, 2.5)]
    assert problems.count == 0


def test_headings_in_chinese_are_read_in_the_encoding_of_their_office() -> None:
    for encoding in ("utf-8", "gb18030", "utf-16"):
        found, _ = rows("时间,水位（米）\n2026-01-01 00:00,1.5\n".encode(encoding), "时间", "水位（米）")
        assert [(row.text, row.values, row.names) for row in found] == [("2026-01-01 00:00", ("1.5",), ("水位（米）",))]
        assert rows("时间,水位（米）\n60,1.5\n".encode(encoding), "时间", "水位")[0][0].values == ("1.5",)
    assert rows("t,Temp (°C)\n60,1.5\n".encode("cp1252"), "t", "Temp (°C)")[0][0].values == ("1.5",)


@pytest.mark.parametrize(
    ("content", "time", "value"),
    [
        ("Date,Time,v\n2026-05-01,8:30,1\n2026-05-01,8:45,2\n", "Date+Time", "v"),
        ("day;v;clock\n1.5.2026;1;08:30:00\n1.5.2026;2;08:45:00\n", "day+clock", "v"),
        ("date time v\n2026/5/1 8:30 1\n2026/5/1 8:45 2\n", "date + time", "v"),
        ("2026-05-01 08:30 1\n2026-05-01 08:45 2\n", "1+2", "3"),
        ("#date  hhmm  v\n20260501  0830  1\n20260501   845  2\n", "date+hhmm", "v"),
        ("日期,时间,v\n2026-05-01,08:30,1\n2026-05-01,08:45,2\n", "日期+时间", "v"),
        ("t+zone,v\n2026-05-01T08:30+00,1\n2026-05-01T08:45+00,2\n", "t+zone", "v"),
    ],
)
def test_a_day_and_its_time_may_stand_in_two_columns_and_spaces_may_part_them(
    content: str, time: str, value: str
) -> None:
    found, problems = rows(content, time, value)
    begin = datetime(2026, 5, 1, 8, 30, tzinfo=UTC).timestamp()
    assert [(row.time - begin, row.values) for row in found] == [(0.0, ("1",)), (900.0, ("2",))]
    assert problems.count == 0


def test_a_time_of_two_columns_is_told_by_both_where_it_is_none() -> None:
    _, problems = rows("d,h,v\n2026-05-01,8:30,1\n2026-05-01,noon,2\n", "d+h")
    assert [each.message for each in problems.first] == ["d h: not a time: '2026-05-01 noon'"]
    with pytest.raises(ScoreError, match="no column 'h'; there are: d, v"):
        rows("d,v\n2026-05-01,1\n", "d+h")


def test_a_unit_that_names_two_columns_is_not_guessed() -> None:
    with pytest.raises(ScoreError, match=r"no column 'level'; there are: t, Level \(m\), Level \(ft\)"):
        rows("t,Level (m),Level (ft)\n60,1,3\n", "t", "level")


def test_columns_by_number_need_no_heading() -> None:
    assert [row.time for row in rows("60,1.5\n120,2.5\n", "1", "2")[0]] == [60.0, 120.0]
    assert [row.line for row in rows("t,v\n60,1.5\n", "1", "2")[0]] == [2]


def test_a_line_of_units_under_the_heading_is_one_bad_row_with_its_line() -> None:
    found, problems = rows("# remark\nt\tv\n5s\t14n\n60\t1.5\n", "t", "v")
    assert len(found) == 1
    assert [(one.line, one.message) for one in problems.first] == [(3, "t: not a time: '5s'")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("1.5", 1.5), (" 1e3 ", 1000.0), ("1,234.5", 1234.5), ("−3", -3.0), ("<0.1", 0.1), ("12.3 e", 12.3)),
        *(("18°C", 18.0), ("50 %", 50.0), ("3 m³/s", 3.0), ("4.82 ft", 4.82), ("1.5*", 1.5), (".5", 0.5)),
        *((text, None) for text in ("", "n/a", "ice", "12:30", "1-2", "1.2.3", "--", "-9999", "-999.0", "1e31")),
        *((text, None) for text in ("nan", "9" * 400 + "x", "1,23.5", "3 of 4")),
    ],
)
def test_cells_are_numbers_with_a_unit_or_a_flag_or_none(text: str, value: float | None) -> None:
    assert number(text) == (pytest.approx(value) if value is not None else pytest.approx(np.nan, nan_ok=True))


def test_digits_of_full_width_are_digits() -> None:
    read, problems = rows("t,v\n60,１，２３４．５\n120,－２．５ 米\n")
    assert [number(row.values[0]) for row in read] == [1234.5, -2.5]
    assert not problems.count


@pytest.mark.parametrize(
    ("begins", "told"),
    [
        (b"PK\x03\x04\x14\0", "an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel"),
        (b"\x1f\x8b\x08\0", "gzip"),
    ],
)
def test_what_is_no_text_is_told_by_what_it_is(begins: bytes, told: str) -> None:
    with pytest.raises(ScoreError, match=f"is no text but .*{told}.*; save what it holds as CSV"):
        rows(begins + bytes(range(256)) * 4)


def test_thousands_are_parted_by_what_is_no_decimal_sign() -> None:
    assert rows("t;v\n60;1.234,5\n", "t", "v")[0][0].values == ("1234.5",)
    assert rows("t;v\n60;1,234.5\n", "t", "v")[0][0].values == ("1234.5",)
    assert rows("t;v\n60;1,5\n", "t", "v")[0][0].values == ("1.5",)


def test_commas_in_quoted_cells_part_decimals_where_they_cannot_part_thousands() -> None:
    for cells, values in (
        (("10,126", "10,64", "9,5"), [10.126, 10.64, 9.5]),
        (("0,126", "1,264"), [0.126, 1.264]),
        (("10,126", "9,500"), [10126.0, 9500.0]),
        (("10,126", "1,009,500"), [10126.0, 1009500.0]),
        (("1,234.5", "10,126"), [1234.5, 10126.0]),
    ):
        found, _ = rows("t,v\n" + "".join(f'60,"{cell}"\n' for cell in cells))
        assert [number(row.values[0]) for row in found] == values


def test_columns_that_there_are_are_told_in_a_line_that_can_be_read() -> None:
    with pytest.raises(ScoreError) as told:
        rows(",".join(["a\x1b[31m", "b" * 1000, *(f"c{at}" for at in range(500))]) + "\n", "t", "v")
    assert str(told.value).endswith("c26, c27 and 472 more")
    assert len(str(told.value)) < 300 and str(told.value).isprintable()


def test_nonsense_is_refused_in_a_sentence_and_never_raises() -> None:
    random = np.random.default_rng(0)
    for _ in range(60):
        raw = random.integers(0, 256, 400, dtype=np.uint8).tobytes()
        for heading in (b"", b"t,v\n", b"t;v\r\n", b"\xff\xfe"):
            try:
                rows(heading + raw)
            except ScoreError as error:
                assert str(error).startswith("in.csv:")


class At(msgspec.Struct):
    time: float


def test_rows_that_begin_with_the_newest_are_turned() -> None:
    newest = [At(900.0 - 60.0 * step) for step in range(10)]
    found, turned = oldest_first(FILE, iter(newest), lambda row: row.time)
    assert turned
    assert [row.time for row in found] == [360.0 + 60.0 * step for step in range(10)]
    mixed = [At(time) for time in (0.0, 60.0, 30.0, 120.0, 90.0, 180.0)]
    found, turned = oldest_first(FILE, iter(mixed), lambda row: row.time)
    assert (list(found), turned) == (mixed, False)


def test_a_clock_that_was_set_back_goes_on_after_some_readings() -> None:
    clock = partial(Clock(), interval=60.0)
    assert [clock(60.0 * step) for step in range(3)] == [0.0, 60.0, 120.0]
    assert [clock(90.0), clock(30.0), clock(180.0)] == [90.0, 30.0, 180.0]  # two late ones, no more
    back = [clock(-10_000.0 + 60.0 * step) for step in range(15)]
    assert all(time <= 180.0 for time in back[:9])
    assert back[9:] == [240.0 + 60.0 * step for step in range(6)]


def test_one_reading_of_a_far_future_does_not_silence_all_that_follow() -> None:
    clock = partial(Clock(), interval=60.0)
    clock(0.0)
    clock(4e9)
    told = [clock(60.0 * step) for step in range(1, 40)]
    assert told[-1] - told[-2] == 60.0
    assert told[-1] > 4e9


@pytest.mark.parametrize(
    ("lines", "times"),
    [
        (['60,"1.5,x', "120,2.5,x", "180,3.5,x"], [60.0, 120.0, 180.0]),
        (
            ["60,1.5,x", "120,2.5,\"6 o'clock", "180,3.5,x", '240,4.5,"', "300,5.5,x"],
            [60.0, 120.0, 180.0, 240.0, 300.0],
        ),
        (['"60,1.5,x', '120,"2.5,x', "180,3.5,x"], [60.0, 120.0, 180.0]),
        (['60,1.5,5" pipe', '120,2.5,"a ""b"" c"', "180,3.5,x"], [60.0, 120.0, 180.0]),
        (["60,1.5,x", '120,2.5,"never'], [60.0, 120.0]),
        (['60,1.5,"two', 'lines, and ""more"" of', 'them"', "120,2.5,x"], [60.0, 120.0]),
    ],
)
def test_a_stray_quote_costs_no_other_row(lines: list[str], times: list[float]) -> None:
    found, problems = rows("t,v,note\n" + "\n".join(lines) + "\n")
    assert [row.time for row in found] == times
    assert [number(row.values[0]) for row in found] == [time / 60.0 + 0.5 for time in times]
    assert problems.count == 0


def test_a_text_of_several_lines_may_stand_before_what_is_read() -> None:
    found, _ = rows('note,t,v\n"two\nlines, 5",60,1.5\nx,120,2.5\n')
    assert [(row.line, row.time) for row in found] == [(3, 60.0), (4, 120.0)]


def test_a_file_may_be_closed_before_all_of_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    lost: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lost.append)
    source = io.BytesIO(b"t,v\n" + b"60,1.5\n" * 1000)
    some = read_rows(FILE, source, "t", ["v"], UTC, Problems())
    next(some)
    source.close()
    del some
    gc.collect()
    assert lost == []
