"""Lines of SMDR typed from the documented columns, and what must never be guessed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.smdr.layouts import PATTERNS, pattern_of_title
from protocols.smdr.records import Decoder, Form, SmdrRecord, Unreadable, with_order

DAY = date(2026, 11, 23)
#        0        9       17    23 26                        52   57       66         77
A = "22/11/26 10:03AM   301 01 984951234501              0'05 00:01'05 1234567890 TR"
#        0        9       17    23 26                   47       56          68
B = "22/11/26 10:03AM   301 01 984951234501         00:01'05 00001.95EUR 1234567890 TR"
C = (
    "22/11/26 10:03AM   301 0001 984951234501                                       0'05 00:01'05 00001.95EUR "
    "1234567890 TR"
)
COMMON = {
    "printed_at": datetime(2026, 11, 22, 10, 3),  # noqa: DTZ001 - as printed, the PBX's own time
    "extension": "301",
    "number": "984951234501",
    "ddi": "",
    "direction": "out",
    "text": "",
    "duration_s": 65,
    "account": "1234567890",
    "condition": "TR",
}
COLUMNS = {
    "A": {"date": (0, 8), "time": (9, 16), "extension": (17, 22), "trunk": (23, 25), "dial": (26, 51)}
    | {"ring": (52, 56), "duration": (57, 65), "tail": (66, None)},
    "B": {"date": (0, 8), "time": (9, 16), "extension": (17, 22), "trunk": (23, 25), "dial": (26, 46)}
    | {"duration": (47, 55), "tail": (56, None)},
    "C": {"date": (0, 8), "time": (9, 16), "extension": (17, 22), "trunk": (23, 27), "dial": (28, 78)}
    | {"ring": (79, 83), "duration": (84, 92), "tail": (93, None)},
}


def decode(line: str, pattern: str = "auto", order: str = "dd/mm/yy", clock: str = "auto") -> SmdrRecord:
    return Decoder(Form(pattern, order, clock)).decode(line, DAY)


def dialled(text: str) -> SmdrRecord:
    return decode(f"22/11/26 10:03AM   301 01 {text:25} 0'05 00:01'05")


def dated(text: str, clock: str = "10:03AM", form: Form | None = None, received_on: date | None = DAY) -> datetime:
    line = f"{text:8} {clock:7}   301 01 984951234501              0'05 00:01'05"
    return Decoder(form or Form()).decode(line, received_on).printed_at


@pytest.mark.parametrize("pattern", ["A", "B", "C"])
def test_the_columns_are_where_others_read_them(pattern: str) -> None:
    assert PATTERNS[pattern].columns == COLUMNS[pattern]


@pytest.mark.parametrize(
    ("pattern", "line", "trunk", "ring_s", "cost", "currency"),
    [
        pytest.param("A", A, "01", 5, None, "", id="A"),
        pytest.param("B", B, "01", None, Decimal("1.95"), "EUR", id="B"),
        pytest.param("C", C, "0001", 5, Decimal("1.95"), "EUR", id="C"),
    ],
)
@pytest.mark.parametrize("told", [False, True], ids=["found out", "set"])
def test_a_line_of_each_pattern(
    pattern: str, line: str, trunk: str, ring_s: int | None, cost: Decimal | None, currency: str, told: bool
) -> None:
    record = decode(line, pattern if told else "auto")
    assert record == SmdrRecord(raw=line, trunk=trunk, ring_s=ring_s, cost=cost, currency=currency, **COMMON)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "direction", "number", "ddi", "words"),
    [
        ("984951234501", "out", "984951234501", "", ""),
        ("*7198123", "out", "*7198123", "", ""),
        ("98495123....", "out", "98495123....", "", ""),
        (".", "out", ".", "", ""),
        ("9849512345XX", "out", "9849512345XX", "", ""),
        ("9P84951F234501", "out", "9P84951F234501", "", ""),
        ("9=84951-302", "out", "9=84951-302", "", ""),
        ("<I>4951234567", "in", "4951234567", "", ""),
        ("<I>", "in", "", "", ""),
        ("<D>7000<I>4951234567", "in", "4951234567", "7000", ""),
        ("<D>7000", "in", "", "7000", ""),
        ("<    incoming    >", "in", "", "", ""),
        ("<incoming>4951234567", "in", "4951234567", "", ""),
        ("EXT1235", "internal", "1235", "", ""),
        ("LOG IN", "other", "", "", "LOG IN"),
        ("LOG OUT", "other", "", "", "LOG OUT"),
        ("Check in", "other", "", "", "Check in"),
        ("Timed Reminder/No Answer", "other", "", "", "Timed Reminder/No Answer"),
        ("-", "other", "", "", "-"),
        ("", "other", "", "", ""),
    ],
)
def test_what_the_dial_column_says(text: str, direction: str, number: str, ddi: str, words: str) -> None:
    record = dialled(text)
    assert (record.direction, record.number, record.ddi, record.text) == (direction, number, ddi, words)


@pytest.mark.parametrize(("extension", "trunk"), [("D01", "00"), ("T02", "99"), ("*1234", "01"), ("12345", "01")])
def test_extension_and_trunk_stay_as_printed(extension: str, trunk: str) -> None:
    record = decode(f"22/11/26 10:03AM {extension:>5} {trunk} 984951234501              0'05 00:01'05")
    assert (record.extension, record.trunk) == (extension, trunk)


@pytest.mark.parametrize(
    ("text", "cost", "currency"),
    [
        ("00001.95EUR", "1.95", "EUR"),
        ("00012,50EU ", "12.50", "EU"),
        ("    1.95   ", "1.95", ""),
        ("$   1.95   ", None, ""),
        ("$ 1.95     ", "1.95", "$"),
        ("00000150RUB", "150", "RUB"),
        ("00000000   ", "0", ""),
        ("£00001.95  ", "1.95", "£"),
        ("           ", None, ""),
        ("00001.95Rs.", "1.95", "Rs."),
    ],
)
def test_charges(text: str, cost: str | None, currency: str) -> None:
    line = f"22/11/26 10:03AM   301 01 984951234501         00:01'05 {text} 1234567890 TR"
    if text.startswith("$  "):
        with pytest.raises(Unreadable, match="charge"):
            decode(line)
        return
    record = decode(line)
    assert (record.cost, record.currency) == (None if cost is None else Decimal(cost), currency)
    assert (record.account, record.condition) == ("1234567890", "TR")


@pytest.mark.parametrize("text", ["1,234.50   ", "1.234,50   ", "1,234.50EUR", "1.95.20    "])
def test_an_amount_with_two_separators_is_never_read_as_a_smaller_one(text: str) -> None:
    with pytest.raises(Unreadable, match="charge"):
        decode(f"22/11/26 10:03AM   301 01 984951234501         00:01'05 {text}")


@pytest.mark.parametrize("condition", ["TR", "FW", "D0", "NA", "RC", "AN", "VR", "VA", "RM", "CL", "ZZ", ""])
@pytest.mark.parametrize("account", ["", "12", "1234567890"])
def test_account_and_condition(condition: str, account: str) -> None:
    record = decode(f"22/11/26 10:03AM   301 01 984951234501              0'05 00:01'05 {account:10} {condition}")
    assert (record.account, record.condition) == (account, condition)


@pytest.mark.parametrize(
    ("text", "clock", "expected"),
    [
        ("10:03AM", "auto", (10, 3)),
        ("12:00AM", "auto", (0, 0)),
        ("12:59PM", "auto", (12, 59)),
        (" 1:05PM", "12", (13, 5)),
        ("11:59PM", "12", (23, 59)),
        ("10:03", "auto", (10, 3)),
        ("23:59", "24", (23, 59)),
        (" 0:00", "24", (0, 0)),
    ],
)
def test_clocks(text: str, clock: str, expected: tuple[int, int]) -> None:
    at = dated("22/11/26", text, Form("A", "dd/mm/yy", clock))
    assert (at.hour, at.minute) == expected


@pytest.mark.parametrize(
    ("text", "clock", "why"),
    [
        ("13:03PM", "auto", "no time"),
        ("0:03AM", "auto", "no time"),
        ("24:00", "auto", "no time"),
        ("10:60", "auto", "no time"),
        ("10:03", "12", "neither AM nor PM"),
        ("10:03AM", "24", "24 hours"),
    ],
)
def test_times_that_are_none(text: str, clock: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        dated("22/11/26", text, Form("A", "dd/mm/yy", clock))


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("22/11/26", "dd/mm/yy", date(2026, 11, 22)),
        ("11/22/26", "mm/dd/yy", date(2026, 11, 22)),
        ("26/11/22", "yy/mm/dd", date(2026, 11, 22)),
        ("05/06/26", "dd/mm/yy", date(2026, 6, 5)),
        ("05/06/26", "mm/dd/yy", date(2026, 5, 6)),
        (" 5/ 6/26", "dd/mm/yy", date(2026, 6, 5)),
        ("29/02/28", "dd/mm/yy", date(2028, 2, 29)),
    ],
)
def test_a_date_in_the_order_that_is_set(text: str, order: str, expected: date) -> None:
    """Also one far from the day on which it came: the setting wins."""
    assert dated(text, form=Form("A", order)).date() == expected


@pytest.mark.parametrize("text", ["31/02/26", "32/01/26", "00/01/26", "22/13/26", "29/02/26"])
def test_days_that_are_none(text: str) -> None:
    with pytest.raises(Unreadable, match="no day"):
        dated(text, form=Form("A", "dd/mm/yy"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("22/11/26", date(2026, 11, 22)),  # a 22nd month does not exist, 2022 was too long ago
        ("11/22/26", date(2026, 11, 22)),
        ("26/11/22", date(2026, 11, 22)),
        ("11/11/26", date(2026, 11, 11)),  # the same day in every order that is left
    ],
)
def test_an_order_that_a_date_tells_by_itself(text: str, expected: date) -> None:
    assert dated(text).date() == expected


def test_two_possible_orders_are_not_guessed_between() -> None:
    with pytest.raises(Unreadable, match=r"may be dd/mm/yy or mm/dd/yy; set date_order"):
        dated("05/06/26")


def test_without_a_day_of_receipt_a_year_is_no_more_certain_than_a_day() -> None:
    with pytest.raises(Unreadable, match="dd/mm/yy or yy/mm/dd"):
        dated("22/11/26", received_on=None)


def test_a_field_above_twelve_tells_the_order_of_all_that_follow() -> None:
    decoder = Decoder()
    line = "{}          301 01 984951234501              0'05 00:01'05".replace("          301", " 10:03AM   301")
    with pytest.raises(Unreadable, match="set date_order"):
        decoder.decode(line.format("10/09/26"), DAY)
    assert decoder.date_order == ""
    assert decoder.decode(line.format("10/13/26"), DAY).printed_at.date() == date(2026, 10, 13)
    assert decoder.date_order == "mm/dd/yy"
    assert decoder.decode(line.format("10/09/26"), DAY).printed_at.date() == date(2026, 10, 9)
    with pytest.raises(Unreadable, match=r"no day 13/10/26 in the order mm/dd/yy"):
        decoder.decode(line.format("13/10/26"), DAY)
    assert with_order(Form(), decoder) == Form("A", "mm/dd/yy", "auto")


def test_a_date_that_contradicts_those_before_is_not_believed() -> None:
    """No single order: each of both leaves one that the other rules out."""
    decoder = Decoder()
    line = "{} 10:03AM   301 01 984951234501              0'05 00:01'05"
    with pytest.raises(Unreadable):
        decoder.decode(line.format("10/09/26"), DAY)  # dd/mm or mm/dd
    with pytest.raises(Unreadable, match="contradicts"):
        decoder.decode(line.format("26/10/09"), DAY)  # yy/mm/dd only
    with pytest.raises(Unreadable, match="near the day"):
        decoder.decode(line.format("01/01/00"), DAY)  # a PBX whose clock has lost its battery
    assert decoder.date_order == ""


def test_nothing_is_learnt_from_a_line_that_is_wrong_elsewhere() -> None:
    decoder = Decoder()
    with pytest.raises(Unreadable, match="no time"):
        decoder.decode("22/11/26 25:03     301 01 984951234501              0'05 00:01'05", DAY)
    assert decoder.date_order == ""


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("hello", "does not begin with a date"),
        ("", "does not begin with a date"),
        ("22/11/26", "fits none of the patterns"),
        (A.replace("00:01'05", "00:01:05"), "fits none"),
        (A.replace("00:01'05", "00:61'05"), "duration"),
        (A.replace("0'05", "0'65"), "ring"),
        (A[:40] + " " + A[40:], "fits none"),
        (A.replace("1234567890 TR", "1234#$67890TR"), "account"),
    ],
)
def test_what_is_no_record_says_why(line: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        decode(line)


def test_a_wrong_setting_is_told_with_what_it_looks_like() -> None:
    with pytest.raises(Unreadable, match=r"pattern A: no duration .* in columns 58-65; it looks like pattern B"):
        decode(B, "A")


def test_a_line_without_duration_is_read_once_the_pattern_is_known() -> None:
    log_in = "22/11/26 01:10PM  1203    LOG IN"
    decoder = Decoder(Form("auto", "dd/mm/yy"))
    with pytest.raises(Unreadable, match="fits none"):
        decoder.decode(log_in, DAY)
    decoder.decode(A, DAY)
    record = decoder.decode(log_in, DAY)
    assert (record.direction, record.text, record.extension, record.duration_s) == ("other", "LOG IN", "1203", None)


def test_a_pattern_that_was_found_out_may_change_but_one_that_is_set_may_not() -> None:
    decoder = Decoder(Form("auto", "dd/mm/yy"))
    assert decoder.decode(A, DAY).cost is None
    assert decoder.decode(B, DAY).cost == Decimal("1.95")
    assert decoder.pattern == "B"


@pytest.mark.parametrize(
    ("title", "pattern"),
    [
        ("  Date     Time    Ext CO        Dial Number        Ring Duration  Acc code   CD", "A"),
        ("  Date     Time    Ext CO     Dial Number      Duration    Cost     Acc code   CD", "B"),
        ("  Date     Time    Ext CO    Dial Number    Ring Duration    Cost     Acc code   CD", "C"),
        ("  Date     Time    Ext CO    Dial Number", ""),
    ],
)
def test_titles_tell_the_pattern(title: str, pattern: str) -> None:
    assert pattern_of_title(title) == pattern


FORMS = st.builds(
    Form,
    st.sampled_from(["auto", "A", "B", "C"]),
    st.sampled_from(["auto", "dd/mm/yy", "mm/dd/yy", "yy/mm/dd"]),
    st.sampled_from(["auto", "12", "24"]),
)
#: Right lines with something put in, and anything at all.
NEAR_LINES = st.builds(
    lambda line, at, text, cut: line[:at] + text + line[at + cut :],
    st.sampled_from([A, B, C]),
    st.integers(0, 120),
    st.text(max_size=12),
    st.integers(0, 12),
)


@settings(max_examples=100)
@given(FORMS, st.one_of(NEAR_LINES, st.text(max_size=150)), st.sampled_from([None, DAY]))
def test_any_text_is_a_record_or_unreadable(form: Form, line: str, received_on: date | None) -> None:
    try:
        record = Decoder(form).decode(line, received_on)
    except Unreadable as error:
        assert str(error)
    else:
        assert record.raw == line.rstrip()
        assert record.duration_s is None or record.duration_s >= 0
