"""CSV: opens by a double click, says what the rows say, and can't bite."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from report_made import answer, attempt, campaign, person, write_report

from ocm_cti.reports.columns import ANSWERS, ATTEMPTS, PEOPLE
from ocm_cti.reports.whole import ReportNotWritten

#: What programs rely on: these, in this order, before anything that came later.
FIRST_PEOPLE = (
    "campaign;list;name;number;outcome;attempts;not counted;last attempt at;answered at;keys;heard s;of s;"
    "reply recording;answers;cause;native cause;why;billed s;cost;currency"
)
FIRST_ATTEMPTS = (
    "campaign;list;name;attempt;number;gateway;port;state;outcome;counted;claimed at;answered at;ended at;ended by;"
    "answer certain;keys;heard s;of s;reply recording;answers;cause;native cause;billed s;cost;currency"
)


def rows(path: Path, delimiter: str = ";") -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def test_columns_keep_their_names_and_places() -> None:
    assert [column.heading for column in PEOPLE][:20] == FIRST_PEOPLE.split(";")
    assert [column.heading for column in ATTEMPTS][:25] == FIRST_ATTEMPTS.split(";")
    for columns in (PEOPLE, ATTEMPTS, ANSWERS):
        assert len({column.heading for column in columns}) == len(columns)
    assert {column.field for column in PEOPLE} == set(vars(person()))
    assert {column.field for column in ATTEMPTS} == set(vars(attempt()))


def test_as_excel_wants_it(tmp_path: Path) -> None:
    write_report(tmp_path, [campaign()], [person(), person(name='Борис; "Б"')], formats=["csv"])
    octets = (tmp_path / "report.csv").read_bytes()
    assert octets.startswith(b"\xef\xbb\xbfcampaign;list;name;number;outcome;") and octets.endswith(b"\r\n")
    first, second = rows(tmp_path / "report.csv")
    assert (first["name"], second["name"]) == ("Анна", 'Борис; "Б"')
    assert (first["number"], first["last attempt at"], first["heard s"]) == (
        "+74951234501",
        "2026-11-23 09:00:00",
        "12.3",
    )


def test_a_comma_between_the_cells(tmp_path: Path) -> None:
    write_report(tmp_path, [campaign()], [person(name="Иванов, Пётр")], delimiter=",", formats=["csv"])
    assert [row["name"] for row in rows(tmp_path / "report.csv", ",")] == ["Иванов, Пётр"]


def test_files_beside_it(tmp_path: Path) -> None:
    said = [answer("why", "2"), answer("reply", None, "5-reply.wav"), answer("transferred to", "201")]
    write_report(tmp_path, [campaign()], [person()], [attempt(trunks="03")], said, formats=["csv"])
    (tried,) = rows(tmp_path / "report-attempts.csv")
    assert (tried["trunk"], tried["talked s"], tried["counted"]) == ("03", "20.0", "yes")
    why, reply, transferred = rows(tmp_path / "report-answers.csv")
    assert (why["question"], why["answer"], why["meaning"], why["reply file"]) == ("Why?", "2", "quality", "")
    assert (reply["reply recording"], reply["reply file"]) == ("5-reply.wav", "recordings/5-reply.wav")
    assert (transferred["question"], transferred["answer"]) == ("transferred to", "201")
    figures = {
        (row["section"], row["of"], row["measure"]): row["value"] for row in rows(tmp_path / "report-summary.csv")
    }
    assert figures["total", "", "reached"] == figures["list", "debtors", "people"] == "1"
    assert figures["campaign", "1", "reached share"] == "1.0"
    assert figures["trunk", "office/03", "attempts"] == figures["port", "office/301", "answered"] == "1"
    assert figures["question", "debtors/Why?: 2 – quality", "people"] == "1"


def test_in_russian_nothing_of_ours_is_left_in_english(tmp_path: Path) -> None:
    said = [answer("visited", "yes"), answer("transferred to", "201"), answer("stop list", "asked")]
    waits = person(outcome=None, why="due", answers="visited=yes, transferred to=201, stop list=asked")
    write_report(tmp_path, [campaign()], [waits], [attempt(ended_by="us")], said, formats=["csv"], language="ru")
    (row,) = rows(tmp_path / "report.csv")
    assert row["итог"] == "не закончено"
    assert row["ответы"] == "visited=да, переведён на=201, стоп-список=asked"
    assert [each["кто закончил"] for each in rows(tmp_path / "report-attempts.csv")] == ["мы"]
    answers = rows(tmp_path / "report-answers.csv")
    assert [(each["шаг"], each["ответ"]) for each in answers] == [
        ("visited", "да"),
        ("переведён на", "201"),
        ("стоп-список", "asked"),
    ]
    assert "конец звонка" in answers[0]
    write_report(tmp_path, [campaign()], [waits], formats=["csv"])
    (row,) = rows(tmp_path / "report.csv")
    assert (row["outcome"], row["answers"]) == ("", waits.answers), "codes for programs stay"


EVIL = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")', "＝1+1", "\n=1"]


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_is_a_formula(tmp_path: Path, evil: str) -> None:
    row = person(name=evil, number=evil, keys="+74951234567", key="-1")
    write_report(tmp_path, [campaign(list_name=evil)], [row], [], [answer("why", evil)], formats=["csv"])
    (written,) = rows(tmp_path / "report.csv")
    assert (written["name"], written["number"], written["id"]) == ("'" + evil, "'" + evil, "'-1")
    assert written["keys"] == "'+74951234567"  # only a column of numbers may begin with a plus
    (said,) = rows(tmp_path / "report-answers.csv")
    assert said["answer"] == "'" + evil
    for row in rows(tmp_path / "report-summary.csv"):
        assert not any(cell.startswith(("=", "+", "@", "\t")) for cell in row.values())


def test_numbers_keep_their_plus(tmp_path: Path) -> None:
    write_report(tmp_path, [campaign()], [person(key="+74951234501")], formats=["csv"])
    (row,) = rows(tmp_path / "report.csv")
    assert row["number"] == row["id"] == "+74951234501"


def test_in_another_language(tmp_path: Path) -> None:
    write_report(
        tmp_path, [campaign()], [person(), person(outcome=None, why="retry_busy")], language="uk", formats=["csv"]
    )
    first, second = rows(tmp_path / "report.csv")
    assert (first["ім'я"], first["підсумок"], second["на що чекає"]) == ("Анна", "підтвердив", "повтор: зайнято")


def test_a_report_of_nobody(tmp_path: Path) -> None:
    write_report(tmp_path, [], formats=["csv"])
    assert len((tmp_path / "report.csv").read_text(encoding="utf-8-sig").splitlines()) == 1


@pytest.mark.parametrize("name", ["csv", "xlsx", "json", "pdf"])
def test_what_can_not_be_written_leaves_nothing_half_done(tmp_path: Path, name: str) -> None:
    """The name is taken by a folder: the same as a file that is open in another program."""
    (tmp_path / f"report.{name}").mkdir()
    with pytest.raises(ReportNotWritten, match=rf"report\.{name}: the report can't be written"):
        write_report(tmp_path, [campaign()], [person()], formats=[name])
    assert not [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")]
    with pytest.raises(ReportNotWritten, match="the report can't be written"):
        write_report(tmp_path / "no folder", [campaign()], [person()], formats=[name])


def test_a_report_that_fails_in_the_middle_keeps_the_older_one(tmp_path: Path) -> None:
    write_report(tmp_path, [campaign()], [person()], formats=["csv", "xlsx", "json"])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(KeyError):
        write_report(tmp_path, [campaign()], [person(), person(campaign_id=2)], formats=["csv", "xlsx", "json"])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
