"""``ocm scenario check | show | try`` as a user runs them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ocm_cti.cli import main
from ocm_cti.service import FolderLock
from ocm_cti.store import campaigns, lists, readiness, subscribers, upserts
from ocm_cti.store.transactions import Connection, Store

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
SURVEY, STAFF, OPERATOR = (FIXTURES / "scenarios" / f"{name}.toml" for name in ("survey", "staff", "operator"))
CONFIG = """\
data = "data"

[gateways.office]
kind = "panasonic"
link = "tcp:127.0.0.1:1"
extensions = "301"
sip_host = "127.0.0.1"
password_pattern = "pw{extension}"

[lists.debtors]
scenario = "s.toml"
language = "en"
region = "US"
"""
SCENARIO = """\
language = "en"
[variables]
debt = { kind = "money", currency = "USD" }
[[step]]
name = "m"
type = "confirm"
message = "You owe {debt}."
key = "1"
"""
PEOPLE = "Name;Phone;Amount;City\nAnn;(212) 555-0101;12.50;Rome\nBob;(212) 555-0102;7;\n"


def ocm(*arguments: str | Path, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, ["scenario", *map(str, arguments)], input=typed)


def tried(*arguments: str | Path, typed: str | None = None) -> list[str]:
    result = ocm("try", *arguments, typed=typed)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with a configuration and two people on its list; gives the path of ocm.toml."""
    (tmp_path / "s.toml").write_text(SCENARIO)
    (tmp_path / "ocm.toml").write_text(CONFIG)
    (tmp_path / "audio").mkdir()
    people = tmp_path / "people.csv"
    people.write_text(PEOPLE)
    path = tmp_path / "ocm.toml"
    done = CliRunner().invoke(main, ["import", "-c", str(path), "--list", "debtors", str(people)])
    assert done.exit_code == 0, done.output
    return path


# -- check


def test_the_examples_are_right() -> None:
    result = ocm("check", "--audio", FIXTURES / "audio", *sorted((FIXTURES / "scenarios").glob("*.toml")))
    assert result.exit_code == 0
    assert all(line.endswith(".toml: right") for line in result.output.splitlines())


def test_everything_wrong_is_told_by_line(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(
        '[variables]\nx = "sum"\n[[step]]\nname = "a"\ntype = "say"\nmessage = "{y}"\nthn = "b"\n'
        '[[step]]\nname = "b"\ntype = "pause"\nseconds = 0\n'
    )
    result = ocm("check", "--audio", tmp_path, path)
    assert result.exit_code == 2
    assert [line.removeprefix(f"{path}:") for line in result.output.splitlines()] == [
        "2: error: variable 'x': kind 'sum' is none of text, name, money, number, date, time, digits, phone",
        "3: error: step 'a': {y} is not declared under [variables]",
        "7: error: step 'a': unknown key 'thn', did you mean 'then'?",
        "11: error: step 'b': seconds is a number of seconds above 0 and up to 600, not 0",
    ]


def test_warnings_are_told_apart_and_are_no_errors(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text('[variables]\nx = "date"\n[[step]]\nname = "a"\ntype = "say"\nmessage = "Hello."\nheard = false\n')
    result = ocm("check", "--audio", tmp_path, path)
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        f"{path}: warning: scenario: no message in it has to be heard: no call can count as delivered",
        f"{path}:2: warning: variable 'x': is used nowhere",
        f"{path}: right, 2 warnings",
    ]


def test_recordings_that_are_not_there(tmp_path: Path) -> None:
    result = ocm("check", "--audio", tmp_path, STAFF)
    assert result.exit_code == 2
    assert [line.split(": ", 1)[1] for line in result.output.splitlines()] == [
        f"error: step 'pin': no recording greeting_ru.wav in {tmp_path}",
        f"error: step 'goodbye': no recording goodbye_ru.wav in {tmp_path}",
    ]
    assert ocm("check", "--audio", tmp_path / "nowhere", STAFF).exit_code == 2


def test_whether_it_can_be_said_to_everybody_on_a_list(desk: Path) -> None:
    path = desk.parent / "t.toml"
    path.write_text(
        SCENARIO.replace('language = "en"', 'language = "ru"')
        .replace("{debt}.", "{debt} {city} {zip} {nomer}.")
        .replace("[[step]]", 'city = "text"\nzip = "text"\nnomer = { kind = "text", default = "none" }\n[[step]]')
    )
    result = ocm("check", "-c", desk, "--list", "debtors", path)
    assert result.exit_code == 2
    assert [line.removeprefix(str(path)) for line in result.output.splitlines()] == [
        ":4: error: variable 'city': 1 of 2 people of list debtors have no value for it (the first: Bob)",
        ":5: error: variable 'zip': nobody of list debtors has a value for it (the first: Ann)",
        ": warning: scenario: is written in ru, but list debtors is called in en (its setting language)",
    ]
    path.write_text(SCENARIO.replace('"money", currency = "USD"', '"date"'))
    result = ocm("check", "-c", desk, "--list", "debtors", path)
    assert result.exit_code == 2 and "error: list debtors: can't be said to 1 people: " in result.output
    assert ocm("check", "-c", desk, "--list", "debtors", desk.parent / "s.toml").exit_code == 0
    assert "there is no list water" in ocm("check", "-c", desk, "--list", "water", path).output


# -- show


def test_the_steps_are_drawn_with_their_ways() -> None:
    result = ocm("show", OPERATOR)
    assert result.exit_code == 0
    lines = [line.strip(" │├└─").split("  ")[0].rstrip() for line in result.output.splitlines()]
    assert lines[1:] == [
        "message",
        "choice",
        "key 0 → accountant",
        "nobody there → sorry",
        "goodbye",
        "key 1 → goodbye",
        "no answer → goodbye",
    ]


def test_every_step_is_drawn_once_whatever_the_circles() -> None:
    output = ocm("show", SURVEY).output
    for kind in (
        "say",
        "survey yes_no",
        "survey single",
        "survey scale",
        "goto",
        "record",
        "survey digits",
        "stop_list",
    ):
        assert output.count(f"  {kind}  ") == 1, kind


# -- try


PATIENT = ("--set", "name=Иван")


def test_it_is_gone_through_with_given_keys() -> None:
    lines = tried(SURVEY, *PATIENT, "--keys", "*,1,2,10,12345#,1")
    assert lines[0].endswith("Здравствуйте, Иван. Ответьте, пожалуйста, на четыре вопроса о нашей клинике.")
    assert any("Вы набрали один два три четыре пять Если верно" in line for line in lines)
    assert lines[lines.index("") + 1 :] == [
        "outcome: delivered",
        "keys: *121012345#1",
        "Был на приёме в этом месяце: yes (да)",
        "У какого врача: 2 (хирург)",
        "Посоветует нас знакомым: 10 (обязательно)",
        "Номер карты: 12345",
    ]


def test_lines_of_the_input_are_keys_and_its_end_is_the_hang_up() -> None:
    lines = tried(SURVEY, *PATIENT, typed="1\n\n3\n")
    assert "(silence)" in "".join(lines) and "(he hangs up)" in lines[lines.index("") - 1]
    assert lines[lines.index("") + 1 :] == [
        "outcome: delivered",  # the question that is the mark was heard
        "keys: 13",
        "Был на приёме в этом месяце: yes (да)",
        "У какого врача: 3 (другой)",
    ]


def test_silence_after_the_last_key_and_who_hangs_up() -> None:
    assert "keys: " in tried(SURVEY, *PATIENT, "--keys", "")
    assert "outcome: cut_short" in tried(SURVEY, *PATIENT, "--keys", "h")
    never = tried(SURVEY, *PATIENT, "--keys", "9,h")
    assert never[-2:] == ["Был на приёме в этом месяце: 9 → never_again", "stop list: asked"]


STAFF_VALUES = ("--set", "name=Иван", "--set", "pin=1234", "--set", "gathering=24.11.2026", "--set", "hour=9:00")


def test_a_pin_is_not_printed() -> None:
    lines = tried(STAFF, *STAFF_VALUES, "--keys", "0000,1234")
    assert "outcome: confirmed" in lines and "keys: xxxxxxxx" in lines and "wrong entries: 1" in lines
    assert "1234" not in "".join(lines)


@pytest.mark.parametrize(("more", "told"), [((), "transferred to: 201"), (("--nobody-there",), "outcome: delivered")])
def test_handing_over(more: tuple[str, ...], told: str) -> None:
    lines = tried(OPERATOR, "--set", "name=Иван", "--set", "debt=100", "--keys", "0", *more)
    assert told in lines
    assert any("Мы перезвоним" in line for line in lines) == bool(more)


def test_somebody_on_a_list(desk: Path) -> None:
    path = desk.parent / "s.toml"
    lines = tried(path, "-c", desk, "--list", "debtors", "--person", "Bob", "--keys", "1")
    assert lines[0] == "as it is said to Bob (+1212***0102) of debtors"
    assert "You owe seven dollars." in lines[1] and "outcome: confirmed" in lines
    first = tried(path, "-c", desk, "--list", "debtors", "--set", "debt=3", "--keys", "1")
    assert "You owe three dollars." in first[1]


@pytest.mark.parametrize("typed", ["BOB", "bo", "212 555 0102", "+12125550102", "+1212***0102"])
def test_somebody_by_whatever_is_known_of_him(desk: Path, typed: str) -> None:
    lines = tried(desk.parent / "s.toml", "-c", desk, "--list", "debtors", "--person", typed, "--keys", "1")
    assert "Bob" in lines[0]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("5550", "nobody on list debtors has"),
        ("n", "Ann (+1212***0101), Don (+1212***0103)"),
        ("o", "2 people on list debtors may be meant"),
    ],
)
def test_whoever_is_not_one_is_told(desk: Path, typed: str, why: str) -> None:
    assert (
        CliRunner()
        .invoke(main, ["people", "add", "-c", str(desk), "debtors", "name=Don", "phone=2125550103", "debt=1"])
        .exit_code
        == 0
    )
    result = ocm("try", desk.parent / "s.toml", "-c", desk, "--list", "debtors", "--person", typed, "--keys", "1")
    assert result.exit_code == 2 and why in result.output, result.output


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((SURVEY,), "no value for {name}; give it with --set name=VALUE"),
        ((SURVEY, "--set", "name"), "write --set name=value"),
        ((SURVEY, *PATIENT, "--keys", "1,x"), "'x' is no key of a telephone"),
        ((SURVEY, *PATIENT, "--person", "1"), "name it with --list"),
        ((STAFF, *STAFF_VALUES, "--set", "hour=late"), "late"),
        ((FIXTURES / "lists" / "staff.xlsx",), "is no text in UTF-8"),
        ((FIXTURES / "nowhere.toml",), "no such file"),
        ((FIXTURES / "config" / "pbx.toml",), "more: ocm scenario check"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_one_line(arguments: tuple[str | Path, ...], why: str) -> None:
    result = ocm("try", *arguments)
    assert result.exit_code == 2 and why in result.output, result.output
    assert len(result.output.splitlines()) == 1


def test_no_test_call_while_a_server_is_at_work(desk: Path) -> None:
    lock = FolderLock.take(desk.parent / "data")
    try:
        result = ocm("try", desk.parent / "s.toml", "-c", desk, "--set", "debt=1", "--call", "201")
    finally:
        lock.release()
    assert result.exit_code == 2 and "a server is at work here" in result.output
    assert len(result.output.splitlines()) == 1


def test_recordings_and_variables_are_looked_at_though_steps_are_wrong(desk: Path) -> None:
    path = desk.parent / "w.toml"
    path.write_text(
        SCENARIO + '[[step]]\nname = "n"\ntype = "say"\nmessage = { recording = "x.wav" }\nthen = "n"\n'
        '[[step]]\nname = "o"\ntype = "say"\nmessage = "{debt}"\nheard = 1\n'
    )
    result = ocm("check", "-c", desk, path)
    assert result.exit_code == 2
    told = [line.split(": ", 1)[1] for line in result.output.splitlines()]
    assert told == [
        f"error: step 'n': no recording x.wav in {desk.parent / 'audio'}",
        "error: step 'o': heard is true or false, not 1",
    ]
    path.write_text(path.read_text().replace("heard = 1\n", ""))
    told = [line.split(": ", 1)[1] for line in ocm("check", "-c", desk, path).output.splitlines()]
    assert told == [
        "error: step 'n': the call would go round for ever: n → n",
        f"error: step 'n': no recording x.wav in {desk.parent / 'audio'}",
        "error: step 'o': can never be reached",
    ]


def test_a_list_starts_with_its_peoples_own_scenarios_frozen(desk: Path) -> None:
    store = Store.open(desk.parent / "data" / "ocm.db")

    def give(name: str) -> None:
        def job(conn: Connection) -> None:
            list_id = lists.find_or_create(conn, "debtors", datetime.now(UTC))
            upserts.upsert(conn, list_id, [replace(subscribers.people(conn, list_id)[1], scenario=name)])

        store.run_now(job)

    def start() -> Result:
        return CliRunner().invoke(main, ["start", "-c", str(desk), "debtors"])

    own = SCENARIO.replace("You owe {debt}.", "Hello, {city}.").replace("debt = {", "city = 'text'\ndebt = {")
    (desk.parent / "short.toml").write_text(own)
    desk.write_text(CONFIG + '[lists.debtors.scenarios]\nshort = "short.toml"\n')
    give("long")
    refused = start()
    assert refused.exit_code == 2 and "Bob: there is no scenario 'long'" in refused.output
    give("short")
    refused = start()
    assert refused.exit_code == 2 and "Bob: no value for {city}" in refused.output, (
        "his own says what the list's does not"
    )
    (desk.parent / "short.toml").write_text(own.replace("{city}", "you"))
    started = start()
    assert started.exit_code == 0, started.output
    waiting = store.read_now(lambda conn: readiness.unprepared(conn, campaigns.running(conn)[0], 0, 10))
    assert ["Hello, you." in person.scenario for person in waiting] == [False, True]
    assert [person.language for person in waiting] == ["en", ""]


def test_a_default_that_cant_be_said_is_told(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(SCENARIO.replace('currency = "USD" }', 'currency = "USD", default = "a lot" }'))
    found = ocm("check", path)
    assert found.exit_code == 2 and "variable 'debt': its default 'a lot' is no" in found.output


@pytest.mark.parametrize(
    ("step", "default", "said"),
    [
        pytest.param('type = "confirm"\nmessage = "PIN."\npin = "{x}"', "12a4", "made of digits only", id="pin"),
        pytest.param('type = "transfer"\nto = "{x}"', "office", "'office' can't be dialled", id="transfer"),
    ],
)
def test_a_default_that_cant_be_pressed_or_dialled_is_told(tmp_path: Path, step: str, default: str, said: str) -> None:
    path = tmp_path / "s.toml"
    variables = f'[variables]\nx = {{ kind = "digits", default = "{default}" }}\n'
    text = f'language = "en"\n{variables}[[step]]\nname = "s"\n{step}\n'
    path.write_text(text)
    found = ocm("check", path)
    assert found.exit_code == 2 and said in found.output
    assert "s.toml:3: error: variable 'x': its default is used by step 's'" in found.output
    path.write_text(text.replace(default, "1234"))
    assert ocm("check", path).exit_code == 0, "a right one"
    path.write_text(text.replace(f', default = "{default}"', ""))
    assert ocm("check", path).exit_code == 0, "each person has his own"
    path.write_text(text.replace("{x}", "{y}"))
    assert "{y} is not declared" in ocm("check", path).output
