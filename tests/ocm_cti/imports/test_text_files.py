"""CSV as programs in our countries write it: encodings, delimiters, damage."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ocm_cti.imports.errors import ImportFailed
from ocm_cti.imports.files import read_rows
from ocm_cti.imports.text_files import decode, find_delimiter, parse, ukrainian

PEOPLE = """\
ФИО;Телефон;Долг;Срок
Иванова Мария Петровна;8 (495) 123-45-01;12 345,67;30.11.2026
Сидоров Павел;8 (495) 123-45-02;980,50;30.11.2026
Кузнецова Анна;+7 495 123-45-03;21 001,00;05.12.2026
"""
UKRAINIAN = """\
ПІБ;Телефон;Борг;Термін
Петренко Олег Іванович;+380 44 123-45-01;1 500,00;01.12.2026
Ґалаґан Їванна Євгенівна;+380 67 123-45-02;8 014,00;02.12.2026
Шевченко Тарас Григорович;+380 50 123-45-03;340,00;02.12.2026
"""


def read(tmp_path: Path, octets: bytes) -> list[tuple[str, ...]]:
    path = tmp_path / "people.csv"
    path.write_bytes(octets)
    table = read_rows(path)
    return [table.header, *[row.cells for row in table.rows]]


def cells(text: str) -> list[tuple[str, ...]]:
    return [tuple(line.split(";")) for line in text.splitlines()]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251", "cp866", "koi8-r"]
)
def test_russian_text_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    octets = PEOPLE.replace("\n", "\r\n").encode(encoding)
    assert read(tmp_path, octets) == cells(PEOPLE)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1251", "koi8-u"])
def test_ukrainian_text_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, UKRAINIAN.encode(encoding)) == cells(UKRAINIAN)


def test_one_short_row_is_enough_for_cp1251() -> None:
    """A list of one person is a list too."""
    text = "ФИО;Телефон\nИванов;84951234501\n"
    assert decode(text.encode("cp1251"), "x.csv") == (text, "cp1251")


def test_the_encoding_and_the_delimiter_are_told(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(PEOPLE.encode("cp1251"))
    table = read_rows(path)
    assert (table.encoding, table.delimiter) == ("cp1251", ";")


def test_the_person_may_know_better(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(PEOPLE.replace(";", "|").encode("cp866"))
    table = read_rows(path, encoding="cp866", delimiter="|")
    assert (table.header[0], table.encoding, table.delimiter) == ("ФИО", "cp866", "|")
    with pytest.raises(ImportFailed, match="cp9999: no such encoding"):
        read_rows(path, encoding="cp9999")
    with pytest.raises(ImportFailed, match="line 1 is not utf_8 text"):
        read_rows(path, encoding="utf_8")


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_each_delimiter_is_found(delimiter: str) -> None:
    rows = [("name", "phone", "debt"), ("A", "84951234501", "1"), ("B", "84951234502", "2")]
    assert find_delimiter("\n".join(delimiter.join(row) for row in rows)) == delimiter


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(PEOPLE, id="a comma in every sum"),
        pytest.param("Список должников, ноябрь\n" + PEOPLE, id="a title with a comma"),
        pytest.param("Список;;;\n" + PEOPLE, id="a title of one cell"),
        pytest.param(PEOPLE + "Орлов\n\nБелова;1\n", id="short rows"),
        pytest.param("ФИО;Телефон\nА;8495, 8496, 8497\nБ;8495, 8496\n", id="commas between numbers"),
    ],
)
def test_all_rows_decide_the_delimiter(text: str) -> None:
    assert find_delimiter(text) == ";"


def test_excels_own_hint() -> None:
    rows, delimiter = parse("sep=|\nname|phone\nA;B|1\n", None, "x.csv")
    assert (delimiter, [row.number for row in rows]) == ("|", [1, 2])
    assert rows[1].cells == ("A;B", "1")


def test_row_numbers_are_the_files_own(tmp_path: Path) -> None:
    """With a title, empty rows and a line break inside a cell: what the person sees at the left of his spreadsheet."""
    path = tmp_path / "people.csv"
    path.write_text('Должники\n\nФИО;Телефон\nА;"8495\n8496"\n\nБ;8497\n', encoding="utf-8")
    table = read_rows(path)
    assert table.header == ("ФИО", "Телефон")
    assert [(row.number, row.cells) for row in table.rows] == [(4, ("А", "8495\n8496")), (6, ("Б", "8497"))]


def test_a_quotation_mark_that_swallows_people_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text('ФИО;Телефон;Долг\n"А;1;1\nБ;2;2\nВ;3;3\n', encoding="utf-8")
    with pytest.raises(ImportFailed, match="row 2: a quotation mark is opened there and not closed"):
        read_rows(path)


def test_quotation_marks_inside_a_name_are_harmless(tmp_path: Path) -> None:
    rows = read(tmp_path, 'name;phone\nООО "Ромашка";1\n"ООО ""Лютик""";2\n'.encode())
    assert [row[0] for row in rows[1:]] == ['ООО "Ромашка"', 'ООО "Лютик"']


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"", "is empty"),
        (b"\r\n\r\n;;\r\n", "is empty"),
        ("ФИО;Телефон\n".encode(), "there is nobody below the headings (row 1)"),
        ("ФИО;Долг\nА;1\n".encode(), "no column of telephone numbers"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is neither a text table (CSV) nor an Excel workbook"),
        (bytes(range(256)) * 4, "is neither a text table (CSV) nor an Excel workbook"),
        (b"PK\x03\x04 this is no archive", "the workbook can't be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 this is no OLE file", "the workbook can't be read"),
        (b"\xff\xfea", "line 1 is not utf_16 text"),
        (b'phone;x\n"' + b"a" * 200_000, "can't be read: field larger than field limit"),
    ],
)
def test_a_useless_file_is_one_clear_line(tmp_path: Path, octets: bytes, said: str) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(octets)
    with pytest.raises(ImportFailed) as caught:
        read_rows(path)
    assert said in str(caught.value) and str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="no such file"):
        read_rows(tmp_path / "nobody.csv")
    with pytest.raises(ImportFailed, match="can't be read"):
        read_rows(tmp_path)


@given(st.binary(max_size=300) | st.binary(max_size=40).map(lambda tail: "ФИО;Телефон\nА;".encode("cp1251") + tail))
def test_any_octets_are_a_table_or_one_line(tmp_path_factory: pytest.TempPathFactory, octets: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(octets)
    try:
        assert read_rows(path).rows
    except ImportFailed as error:
        assert "\n" not in str(error)


@given(st.text(st.characters(codec="cp1251", exclude_characters="\0\r"), max_size=100))
def test_a_cell_comes_back_as_it_was_quoted(text: str) -> None:
    assume(not ("\n" in text and ";" in text))  # looks like a mark that was never closed, and is refused as one
    quoted = '"' + text.replace('"', '""') + '"'
    rows, _ = parse(f"name;phone\n{quoted};1\n", ";", "x.csv")
    assert rows[1].cells == (text.strip(), "1")


_PEOPLE = {
    "ru": (
        "Ёлкин Щукин Юдин Жуков Цветков Эткинд Яшин Петров",
        "Анна Борис Жанна Игорь Пётр Семён Фёдор",
        "ФИО",
    ),
    "uk": ("Шевченко Ґалаґан Їжакевич Ющенко Щербак Єфименко", "Андрій Ганна Євген Іван Наталія Софія Юрій", "ПІБ"),
}


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(
        [(language, encoding) for language in _PEOPLE for encoding in ("utf-8", "utf-16", "cp1251", "koi8-u")]
        + [("ru", "cp866"), ("ru", "koi8-r")]
    ),
    st.integers(1, 12),
    st.randoms(use_true_random=False),
)
def test_the_encoding_of_a_short_list_is_found(written: tuple[str, str], people: int, dice: Random) -> None:
    language, encoding = written
    surnames, names, heading = _PEOPLE[language]
    rows = [
        f"{dice.choice(surnames.split())} {dice.choice(names.split())};8495{dice.randrange(10**6, 10**7)}"
        for _ in range(people)
    ]
    text = "\r\n".join([f"{heading};Телефон", *rows])
    assert decode(text.encode(encoding), "x.csv")[0] == text


@pytest.mark.parametrize("encoding", ["cp1251", "cp866"])
def test_the_encoding_is_found_by_letters_far_down(tmp_path: Path, encoding: str) -> None:
    rows = [f"+7495123{number:04};Ivanov Ivan Ivanovich" for number in range(3000)]
    text = "\n".join(["phone;name", *rows, "+79161234567;Щукин Семён"])
    assert read(tmp_path, text.encode(encoding))[-1] == ("+79161234567", "Щукин Семён")


@pytest.mark.parametrize(
    "text",
    [
        'name;phone\n"А;1\nБ;"В";3\n',  # the next mark opens something, so that nothing ends at it
        'name;phone;debt\nА;1;1\nБ;2;"3\n',
        'name;phone;debt\nА;1;1\nБ;2;"3',
        'phone;name;debt\n1;"А;100\n2;"Б";200\n',
        'name;phone;debt\n"А;1;1\nБ;2;2\nВ";3;3\n',
    ],
)
def test_an_open_quotation_mark_is_found(text: str) -> None:
    with pytest.raises(ImportFailed, match=r"row [23]: a quotation mark is opened there and not closed"):
        parse(text, ";", "x.csv")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('phone,address\n1,"Москва, ул. Ленина\nдом 1"\n', "Москва, ул. Ленина\nдом 1"),
        ('Список\nphone,note\n1,"позвонить\nвечером, после 18"\n', "позвонить\nвечером, после 18"),
    ],
)
def test_a_delimiter_and_a_line_break_in_one_cell(text: str, cell: str) -> None:
    rows, _ = parse(text, ",", "x.csv")
    assert rows[-1].cells == ("1", cell)


def test_a_title_that_speaks_of_telephones_is_no_heading(tmp_path: Path) -> None:
    text = "Список телефонов должников;;\nФИО;Телефон;Долг\nА;84951234501;1\n"
    assert read(tmp_path, text.encode()) == [("ФИО", "Телефон", "Долг"), ("А", "84951234501", "1")]
    assert read(tmp_path, "Мобильный телефон\n84951234501\n".encode())[0] == ("Мобильный телефон",)


@pytest.mark.parametrize(
    ("line", "encoding"),
    [
        ("Іванна Їжакевич;Київ;боржниця, сплатити до кінця місяця", "cp1125"),
        ("Олексій;вулиця Ґалаґанівська", "cp1125"),
        ("Иванов Пётр;улица Мира;долг за октябрь", "cp866"),
    ],
)
def test_the_two_encodings_of_dos(line: str, encoding: str) -> None:
    text = f"ПІБ;Телефон\n{line}\n" if encoding == "cp1125" else f"ФИО;Телефон\n{line}\n"
    octets = (text * 20).encode(encoding)
    assert decode(octets, "x") == (text * 20, encoding)


def test_belarusian_of_dos_is_not_ukrainian() -> None:
    assert ukrainian("Воўк Паўлюк;вулiца Шаўчэнкi;12°".encode("cp866")) == "cp866"
