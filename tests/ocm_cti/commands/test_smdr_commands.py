"""``ocm smdr decode`` and ``ocm calls`` as a technician runs them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ocm_cti.cli import main
from ocm_cti.domain.call_records import CallRecord
from ocm_cti.store import call_records
from ocm_cti.store.transactions import Store

CAPTURES = Path(__file__).resolve().parents[3] / "fixtures" / "captures"
A = "22/11/26 10:03AM   301 01 984951234501              0'05 00:01'05"


def decode(source: str, *more: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, ["smdr", "decode", "--received-on", "2026-11-23", *more, source], input=typed)


def objects(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.output.splitlines()]


@pytest.mark.parametrize(
    ("file", "count", "last"),
    [
        ("smdr-a.txt", 13, {"extension": "*123", "trunk": "06", "number": "9P8F495-1234=567", "duration_s": 7}),
        ("smdr-b.txt", 3, {"ended_at": "2026-11-22T09:05", "direction": "in", "cost": "0.00", "currency": "EUR"}),
        ("smdr-c.txt", 3, {"ended_at": "2026-11-22T22:05", "ddi": "70001", "trunk": "0002", "condition": "NA"}),
    ],
)
def test_the_captures_are_read_whole(file: str, count: int, last: dict[str, Any]) -> None:
    result = decode(str(CAPTURES / file), "--json")
    assert result.exit_code == 0, result.output
    rows = objects(result)
    assert len(rows) == count
    assert [row for row in rows if "error" in row] == []
    assert last.items() <= rows[-1].items()


def test_one_record_as_json() -> None:
    (row,) = objects(decode("-", "--json", typed=A + "\r\n"))
    assert row == {
        "ended_at": "2026-11-22T10:03",
        "started_at": "2026-11-22T10:01:55",
        "direction": "out",
        "extension": "301",
        "trunk": "01",
        "number": "984951234501",
        "ddi": "",
        "text": "",
        "ring_s": 5,
        "duration_s": 65,
        "cost": None,
        "currency": "",
        "account": "",
        "condition": "",
        "raw": A,
    }


def test_a_bad_line_does_not_end_the_run() -> None:
    rows = objects(decode("-", "--json", typed=f"{A}\n22/11/26 nonsense\n{A}\n"))
    assert [row.get("error", "")[:9] for row in rows] == ["", "does not ", ""]
    assert rows[1]["raw"] == "22/11/26 nonsense"


def test_a_later_line_tells_the_order_of_the_earlier_ones() -> None:
    earlier = A.replace("22/11/26", "10/09/26")
    result = decode("-", "--json", typed=f"{earlier}\n{A}\n")
    assert [row["ended_at"][:10] for row in objects(result)] == ["2026-09-10", "2026-11-22"]


def test_nothing_to_read_is_code_2_with_the_reason() -> None:
    result = decode("-", typed=A.replace("22/11/26", "10/09/26") + "\n")
    assert result.exit_code == 2
    assert "set date_order" in result.output
    assert decode("-", "--date-order", "dd/mm/yy", typed=A.replace("22/11/26", "10/09/26")).exit_code == 0


def test_an_empty_file_has_no_records_and_no_fault() -> None:
    result = decode("-", typed="")
    assert (result.exit_code, result.output) == (0, "")


def test_what_is_not_there() -> None:
    result = decode("/nowhere/smdr.log")
    assert result.exit_code == 2
    assert result.output == "ocm: /nowhere/smdr.log: can't be read: No such file or directory\n"
    assert decode("-", "--encoding", "klingon", typed=A).exit_code == 2


def test_a_table_with_what_could_not_be_read_below() -> None:
    text = decode("-", typed=f"{A}\n22/11/26 01:10PM  1203    LOG IN\nnoise\n").output
    assert "984951234501" in text
    assert "65 s" in text
    assert "LOG IN" in text
    assert "not read: does not begin with a date\n    noise" in text


def test_nothing_that_a_terminal_would_obey_is_printed() -> None:
    evil = "\x9b2J\x1b]0;x"  # escapes of one and of two octets
    for more in ((), ("--json",)):
        text = decode("-", *more, typed=f"{A}\n22/11/26 {evil}\n").output
        assert not {"\x9b", "\x1b"} & set(text)
    assert [row["raw"] for row in objects(decode("-", "--json", "--encoding", "utf-8", typed=f"{evil}\n{A}\n"))] == [
        "\x9b2J]0;x",
        A,
    ]


CONFIG = """\
data = "data"

[gateways.office]
kind = "panasonic"
link = "tcp:127.0.0.1:1"
extensions = "301"
sip_host = "127.0.0.1"
password_pattern = "pw{extension}"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "ocm.toml"
    path.write_text(CONFIG)
    return path


def calls(config: Path, *more: str) -> Result:
    return CliRunner().invoke(main, ["calls", "-c", str(config), *more])


def fill(config: Path) -> None:
    at = datetime(2026, 11, 22, 10, 3, tzinfo=UTC)
    ours = CallRecord(
        *("office", "smdr", "first", at, at, "301", "01", "984951234501", "out"),
        duration_s=65,
        cost=Decimal("1.95"),
        currency="EUR",
    )
    others = CallRecord("office", "smdr", "second", at, at, "1200", "01", "4951112233", "in", duration_s=10)
    unread = CallRecord("office", "smdr", "third", fault="no date")
    store = Store.open(config.parent / "data" / "ocm.db")
    store.run_now(lambda conn: call_records.add(conn, [ours, others, unread], at))
    store.close()


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ("all", ["third", "second", "first"]),
        ("unmatched", ["first"]),
        ("others", ["second"]),
        ("unread", ["third"]),
    ],
)
def test_what_the_pbx_wrote_down(config: Path, which: str, expected: list[str]) -> None:
    fill(config)
    result = calls(config, "--which", which, "--json")
    assert result.exit_code == 0, result.output
    assert [row["raw"] for row in objects(result)] == expected


def test_calls_as_a_table(config: Path) -> None:
    fill(config)
    text = calls(config).output
    assert "98495***4501" in text, "a number is masked, as everywhere"
    assert "1.95 EUR" in text
    assert "not read: no date\n    third" in text
    assert "2 older" in calls(config, "--limit", "1").output


def test_calls_as_json_have_everything(config: Path) -> None:
    fill(config)
    row = objects(calls(config, "--which", "unmatched", "--json"))[0]
    assert row["ended_at"] == "2026-11-22T10:03:00Z"
    assert (row["cost"], row["duration_s"], row["attempt_id"]) == ("1.95", 65, None)


def test_no_records_yet(config: Path) -> None:
    assert calls(config).output == "there are no such records\n"
    assert calls(config, "--days", "1").exit_code == 0


def test_no_configuration(tmp_path: Path) -> None:
    result = calls(tmp_path / "none.toml")
    assert result.exit_code == 2
    assert "no such file" in result.output
