"""ocm import as an office uses it: columns named by hand, rows mended and imported again, who is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ocm_cti.cli import main
from ocm_cti.domain.people import Person
from ocm_cti.store import lists, subscribers
from ocm_cti.store.transactions import Connection, Store

CONFIG = """\
data = "data"
[gateways.office]
kind = "panasonic"
link = "tcp:127.0.0.1:1"
extensions = "301"
sip_host = "127.0.0.1"
password_pattern = "pw{extension}"
[lists.staff]
scenario = "s.toml"
language = "ru"
[lists.staff.scenarios]
short = "s.toml"
"""
SCENARIO = 'name = "s"\nlanguage = "ru"\n[[step]]\nname = "m"\ntype = "say"\nmessage = "Сбор."\n'
HEADER = "Таб. №;ФИО;Телефон;Отдел;Приоритет;Часовой пояс;Сценарий;Примечание\n"
GOOD = HEADER + "1;Анна;84951234501;охрана, смена 1;0;МСК+2;short;ключи у неё\n2;Борис;84951234502;;;;;\n"


class Office:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "s.toml").write_text(SCENARIO, encoding="utf-8")
        (folder / "ocm.toml").write_text(CONFIG, encoding="utf-8")

    def ocm(self, text: str, *arguments: str, encoding: str = "utf-8") -> Result:
        file = self.folder / "people.csv"
        file.write_bytes(text.encode(encoding))
        command = ["import", "-c", str(self.folder / "ocm.toml"), "--list", "staff", str(file), *arguments]
        return CliRunner().invoke(main, command)

    def told(self, text: str, *arguments: str, encoding: str = "utf-8") -> dict[str, Any]:
        result = self.ocm(text, "--json", *arguments, encoding=encoding)
        found: dict[str, Any] = json.loads(result.output)
        return found

    def people(self) -> list[Person]:
        def read(conn: Connection) -> list[Person]:
            list_id = lists.find(conn, "staff")
            return [] if list_id is None else subscribers.people(conn, list_id)

        store = Store.open(self.folder / "data" / "ocm.db")
        try:
            return store.read_now(read)
        finally:
            store.close()


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_what_is_a_persons_own(office: Office) -> None:
    told = office.told(GOOD)
    assert (told["created"], told["refused"]) == (2, [])
    anna, boris = office.people()
    assert (anna.key, anna.priority, anna.groups) == ("1", 0, ("охрана", "смена 1"))
    assert (anna.zone, anna.scenario, anna.note) == ("Etc/GMT-5", "short", "ключи у неё")
    assert (boris.priority, boris.groups, boris.zone, boris.scenario, boris.note) == (None, (), "", "", "")
    assert told["mapping"]["Отдел"] == "groups" and told["mapping"]["Таб. №"] == "id"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("3;Вера;84951234503;;срочно;;;", "'срочно' is no priority"),
        ("3;Вера;84951234503;;;Луна;;", "'Луна' is no time zone"),
        ("3;Вера;84951234503;;;;long;", "there is no scenario 'long'"),
        ("2;Вера;84951234503;;;;;", "the same id as in row 3"),
        (";Вера;4,41E+11;;;;;", "its last digits are lost"),
    ],
)
def test_what_can_not_be_is_refused_with_its_reason(office: Office, row: str, reason: str) -> None:
    (refused,) = office.told(GOOD + row + "\n")["refused"]
    assert refused["row"] == 4 and reason in refused["reason"]


def test_refused_rows_are_mended_and_imported_again(office: Office) -> None:
    file = office.folder / "refused.csv"
    bad = GOOD + "3;Вера;8495123;;;;;\n4;Глеб;;;;;;\n"
    result = office.ocm(bad, "--refused", str(file))
    assert str(file) in result.output and len(office.people()) == 2
    text = file.read_text(encoding="utf-8-sig")
    assert text.splitlines()[0].endswith(";ocm_reason") and "Вера" in text and "no telephone number" in text
    mended = text.replace("8495123;", "84951234503;").replace("Глеб;;", "Глеб;84951234504;")
    told = office.told(mended, "--refused", str(file))
    assert (told["created"], told["refused"], told["mapping"]["ocm_reason"]) == (2, [], "-")
    assert [person.name for person in office.people()] == ["Анна", "Борис", "Вера", "Глеб"]
    assert all("ocm_reason" not in person.variables for person in office.people())


def test_columns_named_by_hand_are_remembered(office: Office) -> None:
    odd = "A;B;C\nАнна;84951234501;77\n"
    refused = office.ocm(odd)
    assert refused.exit_code == 2 and "--map 'HEADING=phone'" in refused.output
    told = office.told(odd, "--map", "B=phone", "--map", "A=name", "--map", "C=debt")
    assert (told["created"], told["mapping"]) == (1, {"A": "name", "B": "phone", "C": "debt"})
    again = office.told(odd.replace("77", "78"))
    assert (again["updated"], again["mapping"]["C"]) == (1, "debt")
    assert office.people()[0].variables["debt"] == "78"
    left_out = office.told(odd, "--map", "C=-")
    assert left_out["mapping"]["C"] == "-" and "debt" not in office.people()[0].variables


@pytest.mark.parametrize(
    ("said", "words"),
    [("D=phone", "there is no column 'D'"), ("ФИО=Имя!", "can't be 'Имя!'"), ("ФИО", "HEADING=FIELD")],
)
def test_a_wrong_map_is_told(office: Office, said: str, words: str) -> None:
    result = office.ocm(GOOD, "--map", said)
    assert result.exit_code == 2 and words in result.output


def test_the_encoding_may_be_named(office: Office) -> None:
    assert office.told(GOOD.replace("№", "N"), "--encoding", "cp866", encoding="cp866")["encoding"] == "cp866"
    assert office.people()[0].name == "Анна"


def test_a_preview_writes_nothing_and_shows_everything(office: Office) -> None:
    result = office.ocm(GOOD, "--preview")
    assert result.exit_code == 0 and not (office.folder / "data").exists()
    assert "Анна" in result.output and "scenario=short" in result.output and "+7495***4501" in result.output


def test_who_is_missing_goes_off_the_list_only_when_told(office: Office) -> None:
    office.ocm(GOOD)
    without_boris = "".join(GOOD.splitlines(keepends=True)[:2])
    assert office.told(without_boris)["deleted"] == 0 and len(office.people()) == 2
    assert office.told(without_boris, "--delete-missing")["deleted"] == 1
    assert [person.name for person in office.people()] == ["Анна"]
    assert office.told(GOOD)["created"] == 1, "he is back"
    assert len(office.people()) == 2


def test_nobody_is_deleted_because_his_row_could_not_be_read(office: Office) -> None:
    office.ocm(GOOD)
    result = office.ocm(GOOD.replace("84951234502", "8495"), "--delete-missing")
    assert result.exit_code == 2 and "nothing was changed" in result.output
    assert len(office.people()) == 2


def test_one_number_of_two_people_is_remarked(office: Office) -> None:
    told = office.told(GOOD + "3;Вера;84951234501;;;;;\n")
    assert told["created"] == 3 and told["refused"] == []
    (remark,) = told["remarks"]
    assert remark["row"] == 4 and "row 2 also has this number" in remark["reason"]


class TestByHand:
    def people_command(self, office: Office, *arguments: str) -> Result:
        command, *rest = arguments
        return CliRunner().invoke(main, ["people", command, "-c", str(office.folder / "ocm.toml"), "staff", *rest])

    def test_added_changed_shown_and_removed(self, office: Office) -> None:
        added = self.people_command(
            office, "add", "id=7", "name=Анна", "phone=84951234501", "phone=84951234502", "debt=12,50", "groups=a;b"
        )
        assert added.exit_code == 0 and "Анна added" in added.output
        (anna,) = office.people()
        assert [number for number, _ in anna.numbers] == ["+74951234501", "+74951234502"]
        assert (anna.key, anna.variables["debt"], anna.groups) == ("7", "12,50", ("a", "b"))
        assert "changed" in self.people_command(office, "add", "id=7", "name=Анна", "phone=84951234501").output
        shown = self.people_command(office, "show", "--search", "АНН").output
        assert "+7495***4501" in shown and "1 of 1 people" in shown
        assert "1 removed" in self.people_command(office, "remove", "7").output
        assert office.people() == []

    def test_somebody_is_taken_off_by_what_is_known_of_him(self, office: Office) -> None:
        office.ocm(HEADER + "7;Анна;84951234501;;;;;\n;Борис;84951234502;;;;;\n;Вера;84951234503;;;;;\n")
        for typed in ("8 (495) 123-45-01", "+74951234502", "+7495***4503"):
            assert "1 removed" in self.people_command(office, "remove", typed).output
        assert office.people() == []

    def test_why_somebody_stays(self, office: Office) -> None:
        office.ocm(HEADER + "7;Анна;84951234501;;;;;\n8;Ян;84951234501;;;;;\n9;Борис;84951234502;;;;;\n")
        result = self.people_command(office, "remove", "nobody", "84951234501", "9")
        assert result.exit_code == 2
        words = " ".join(result.output.split())
        assert "1 removed" in words and "nobody is nobody's id or telephone number there" in words
        assert "84951234501 is the number of 2 people, name one by his id: Анна (7), Ян (8)" in words
        assert CliRunner().invoke(main, ["start", "-c", str(office.folder / "ocm.toml"), "staff"]).exit_code == 0
        words = " ".join(self.people_command(office, "remove", "7").output.split())
        assert "0 removed; 7 is in a campaign that is going on, and stays until it has ended" in words

    def test_who_comes_back_by_hand_is_told_and_no_error(self, office: Office) -> None:
        office.ocm(GOOD)
        self.people_command(office, "remove", "1")
        back = self.people_command(office, "add", "id=1", "phone=84951234501", "name=Анна")
        assert back.exit_code == 0 and "he is on it again" in back.output

    def test_search_by_a_number_as_it_is_written(self, office: Office) -> None:
        office.ocm(GOOD)
        assert "1 of 2 people" in self.people_command(office, "show", "--search", "8 (495) 123-45-01").output

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["add", "phone=8495"], "no telephone number of RU"),
            (["add", "name=Анна"], "phone"),
            (["add", "phone"], "FIELD=VALUE"),
            (["remove", "7"], "there is no list staff"),
            (["show"], "there is no list staff"),
        ],
    )
    def test_what_is_wrong_is_one_line(self, office: Office, arguments: list[str], words: str) -> None:
        result = self.people_command(office, *arguments)
        assert result.exit_code == 2 and words in result.output, result.output


MANY = HEADER + "".join(f"{row};П{row};849512345{row:02};;;;;\n" for row in range(1, 31))


def test_the_wrong_file_does_not_empty_a_list(office: Office) -> None:
    office.ocm(MANY)
    wrong = HEADER + "99;Яна;84951234599;;;;;\n"
    result = office.ocm(wrong, "--delete-missing")
    assert result.exit_code == 2 and "30 of the 31 people of staff are not in this file" in result.output
    assert len(office.people()) == 30, "nothing was changed"
    assert office.told(wrong, "--delete-missing", "--yes")["deleted"] == 30


def test_who_is_at_work_is_kept_and_told(office: Office) -> None:
    office.ocm(GOOD)
    started = CliRunner().invoke(main, ["start", "-c", str(office.folder / "ocm.toml"), "staff"])
    assert started.exit_code == 0, started.output
    result = office.ocm("".join(GOOD.splitlines(keepends=True)[:2]), "--delete-missing")
    assert "deleted 0" in result.output and "1 of those who are missing stay until the campaign" in result.output


def test_the_refused_rows_do_not_go_over_the_file_itself(office: Office) -> None:
    bad = GOOD + "3;Вера;8495123;;;;;\n"
    result = office.ocm(bad, "--refused", str(office.folder / "people.csv"))
    assert result.exit_code == 2 and "that is the file to be imported" in result.output
    assert (office.folder / "people.csv").read_text(encoding="utf-8") == bad and office.people() == []


def test_no_refused_cell_is_a_formula_and_all_come_back_as_they_were(office: Office) -> None:
    file = office.folder / "refused.csv"
    office.ocm(HEADER + "3;=1+1;+7 495 123;;;;;-5\n", "--refused", str(file))
    text = file.read_text(encoding="utf-8-sig")
    assert "'=1+1;'+7 495 123;" in text and "'-5" in text
    office.ocm(text.replace("'+7 495 123", "'+7 495 123-45-03"))
    (person,) = office.people()
    assert (person.name, person.note, person.numbers[0][0]) == ("=1+1", "-5", "+74951234503")


def test_a_dry_run_tells_what_would_come_of_it(office: Office) -> None:
    office.ocm(GOOD)
    told = office.told(GOOD.replace("Борис", "Борис П.") + "3;Вера;84951234503;;;;;\n", "--dry-run")
    assert (told["created"], told["updated"], told["unchanged"], told["dry_run"]) == (1, 1, 1, True)
    assert [person.name for person in office.people()] == ["Анна", "Борис"]


def test_a_row_without_id_that_can_not_be_told_from_others_is_refused(office: Office) -> None:
    office.ocm(HEADER + "1;Анна;84951234501;;;;;\n2;Борис;84951234501;;;;;\n")
    (refused,) = office.told("ФИО;Телефон\nКто-то;84951234501\n")["refused"]
    assert refused["row"] == 2 and "without an id" in refused["reason"]


@pytest.mark.parametrize("turned", [False, True])
def test_one_number_with_and_without_an_id_in_one_file(office: Office, turned: bool) -> None:
    rows = ["7;Анна;84951234501;;;;;\n", ";Анна;84951234501;;;;;\n"]
    told = office.told(HEADER + "".join(reversed(rows) if turned else rows))
    assert told["created"] == 1 and "the same number as in row 2" in told["refused"][0]["reason"]


def test_a_misspelt_list_is_seen(office: Office) -> None:
    file = office.folder / "people.csv"
    file.write_text(GOOD, encoding="utf-8")
    config = ["-c", str(office.folder / "ocm.toml")]
    result = CliRunner().invoke(main, ["import", *config, "--list", "staf", str(file)])
    assert "It is a new list; was staff meant?" in " ".join(result.output.split())
    added = CliRunner().invoke(main, ["people", "add", *config, "stuff", "phone=+74951234501"])
    assert added.exit_code == 2 and "there is no list stuff (there are: staf); to make it: --new" in added.output
    assert CliRunner().invoke(main, ["people", "add", *config, "stuff", "phone=+74951234501", "--new"]).exit_code == 0
