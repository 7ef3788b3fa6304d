"""Which column is what, guessed from its heading in Russian, Ukrainian and English."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Headings of the whole name; the parts of a name are joined in the order of the columns.
_NAMES = _words("""
    фио ф_и_о имя имя_и_фамилия фамилия_имя_отчество абонент клиент должник сотрудник работник получатель
    піб п_і_б ім_я прізвище_ім_я_по_батькові клієнт боржник співробітник працівник одержувач
    name full_name fullname person customer client debtor employee contact
""")
_NAME_PARTS = _words("""
    фамилия имя отчество прізвище ім_я по_батькові surname last_name first_name middle_name patronymic
""")
_IDS = _words("""
    id ид код_абонента код_клиента лицевой_счет л_с лицевой номер_лицевого_счета лицевого_счета
    табельный_номер табельный табельный_n таб_номер таб_n таб
    ід код_клієнта особовий_рахунок номер_особового_рахунку особового_рахунку о_р
    табельний_номер табельний табельний_n
    external_id account account_no account_number customer_id employee_id personnel_number
""")
#: A word in the heading that makes it a column of numbers; alone or with others (Телефон 2, Моб. тел., Phone (home)).
_NUMBER_WORD = re.compile(
    r"(?:телефон(?:а|у|ы|и|ов|ів|ный|ний|ные|ні)?\d*|тел|моб|мобильн\w*|мобільн\w*|сот|сотов\w*|phone\d*|tel|mobile|cell|gsm|msisdn)\Z"
)
#: Words beside it that make it something about a number: how many, of what kind, what somebody says of it.
_ABOUT_NUMBER = _words("""
    кол количество число тип вид оператор модель марка статус дата время наличие согласие комментарий примечание заметка
    владелец источник код кількість модель дата час наявність згода коментар примітка власник джерело
    count type kind operator carrier model status date time consent comment note notes remark owner source code has
""")
#: Taken for the number only where no heading says more.
_NUMBER_IF_ALONE = _words("номер номера контакт контакты контакти number numbers")
_KINDS = (
    ("mobile", re.compile(r"моб|сот|mobile|cell|gsm")),
    ("home", re.compile(r"дом|home")),
    ("work", re.compile(r"раб|служеб|роб|служб|work|office|business")),
)
#: What is a person's own -> headings that are it.
_OWN = {
    "priority": _words("приоритет важность пріоритет важливість priority"),
    "groups": _words("группа группы отдел подразделение група групи відділ підрозділ group groups department"),
    "scenario": _words("сценарий сценарій scenario"),
    "zone": _words("часовой_пояс пояс зона часовий_пояс time_zone timezone zone tz"),
    "note": _words("примечание комментарий заметка примітка коментар нотатка note notes comment comments remark"),
}
_OWN_OF = {heading: field for field, headings in _OWN.items() for heading in headings}
#: What a column may be said to be, besides the name of a variable; ``-`` is a column that is left out.
FIELDS = ("phone", "name", "id", *_OWN, "-")
#: The column that we put into a file of refused rows.
REASON_HEADING = "ocm_reason"
#: Scenario variable -> headings that are it.
_VARIABLES = {
    "debt": _words("""
        долг сумма сумма_долга задолженность размер_долга к_оплате борг сума сума_боргу заборгованість до_сплати
        debt amount amount_due balance sum
    """),
    "due": _words("""
        срок срок_оплаты оплатить_до дата_оплаты термін термін_сплати сплатити_до дата_сплати due due_date pay_by
    """),
    "pin": _words("пин пин_код пинкод код_доступа пін пін_код пінкод код_доступу pin pin_code"),
    "gathering": _words("сбор дата_сбора день_сбора збір дата_збору gathering"),
    "hour": _words("время начало время_сбора час початок час_збору hour time start"),
}
_VARIABLE_OF = {heading: variable for variable, headings in _VARIABLES.items() for heading in headings}

_LETTERS = """
    а=a б=b в=v г=g ґ=g д=d е=e ё=e є=ie ж=zh з=z и=i і=i ї=i й=i к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f х=kh
    ц=ts ч=ch ш=sh щ=shch ъ= ы=y ь= э=e ю=yu я=ya
"""
#: Letter for letter, so that a variable's name can be typed on any keyboard.
_LATIN = {pair[0]: pair[2:] for pair in _words(_LETTERS)}


class NoNumberColumn(Exception):
    """No heading says telephone."""


class UnknownColumn(Exception):
    """A column that was named is not there, or can't be what it was said to be; the text says so in one line."""


@dataclass(frozen=True)
class Columns:
    """Places from 0. ``numbers`` are (place, kind) in the order of calling; ``variables`` are (place, name).

    ``own``: (place, ``priority`` | ``groups`` | ``scenario`` | ``zone`` | ``note``), each at most once.
    """

    names: tuple[int, ...]
    numbers: tuple[tuple[int, str], ...]
    key: int | None
    variables: tuple[tuple[int, str], ...]
    own: tuple[tuple[int, str], ...] = ()

    @property
    def untold(self) -> frozenset[str]:
        """Fields of Person that no column tells: what is known of them from elsewhere holds on."""
        told = {field for _, field in self.own} | ({"name"} if self.names else set())
        return frozenset({"name", *_OWN}) - told

    def mapping(self, header: Sequence[str]) -> dict[str, str]:
        """What each heading is taken for, as ``map_columns`` takes it back."""
        found: dict[int, str] = dict(self.variables) | dict(self.own)
        found |= {place: "phone" for place, _ in self.numbers} | dict.fromkeys(self.names, "name")
        if self.key is not None:
            found[self.key] = "id"
        return {heading: found.get(place, "-") for place, heading in enumerate(header) if heading}


def map_columns(header: Sequence[str], said: Mapping[str, str] | None = None) -> Columns:
    """``said`` is what the user says of some headings (in any case): one of FIELDS, or a variable's name.

    Raises NoNumberColumn. Columns without a heading are left out; every other is at least a variable.
    """
    plain = [_plain(heading) for heading in header]
    told = {_key(heading): field for heading, field in (said or {}).items()}
    fields = [told.get(_key(heading), "") for heading in header]
    free = [heading if not field else "" for heading, field in zip(plain, fields, strict=True)]
    numbers = [place for place, field in enumerate(fields) if field == "phone" or _is_number(free[place])]
    if not numbers:
        numbers = [place for place, heading in enumerate(free) if heading in _NUMBER_IF_ALONE][:1]
    if not numbers:
        raise NoNumberColumn
    names = [place for place, field in enumerate(fields) if field == "name"] or _names(free)
    keys = [place for place, field in enumerate(fields) if field == "id"]
    key = next(iter(keys or [place for place, heading in enumerate(free) if heading in _IDS]), None)
    variables: list[tuple[int, str]] = []
    own: dict[str, int] = {}
    taken = {"name"}
    for place, heading in enumerate(plain):
        field = fields[place] or _OWN_OF.get(heading, "")
        if (
            not (heading or fields[place])
            or place in numbers
            or place in names
            or field == "-"
            or heading == REASON_HEADING
        ):
            continue
        if field in _OWN and field not in own:
            own[field] = place
        elif field != "id":
            as_variable = "" if field in FIELDS else field
            name = _unused(as_variable or _VARIABLE_OF.get(heading) or slug(header[place]), taken)
            taken.add(name)
            variables.append((place, name))
    found = tuple((place, _kind(plain[place])) for place in numbers)
    return Columns(tuple(names), found, key, tuple(variables), tuple((place, field) for field, place in own.items()))


def check_said(header: Sequence[str], said: Mapping[str, str]) -> None:
    """Raises UnknownColumn for a heading that the file has not, or something that no column can be."""
    known = {_key(heading) for heading in header if heading}
    for heading, field in said.items():
        if _key(heading) not in known:
            raise UnknownColumn(f"there is no column {heading!r}; there are: {', '.join(filter(None, header))}")
        if field not in FIELDS and re.fullmatch("[a-z][a-z0-9_]*", field) is None:
            raise UnknownColumn(
                f"{heading!r} can't be {field!r}: one of {', '.join(FIELDS)}, or a variable's name in small letters"
            )


def slug(heading: str) -> str:
    """A heading as a name of a variable: Latin small letters, digits and underscores, a letter first."""
    latin = "".join(_LATIN.get(character, character) for character in _plain(heading))
    latin = re.sub(r"_+", "_", re.sub(r"[^a-z0-9_]", "_", latin)).strip("_")
    return latin if latin[:1].isalpha() else f"column_{latin}".rstrip("_")


def _plain(heading: str) -> str:
    return "_".join(re.findall(r"\w+", heading.casefold().replace("ё", "е").replace("_", " ")))


def _key(heading: str) -> str:
    """What tells a heading that was named from another: signs are enough (``№``)."""
    return _plain(heading) or heading.strip()


def _is_number(heading: str) -> bool:
    words = heading.split("_")
    return _ABOUT_NUMBER.isdisjoint(words) and any(_NUMBER_WORD.match(word) for word in words)


def _names(plain: Sequence[str]) -> list[int]:
    parts = [place for place, heading in enumerate(plain) if heading in _NAME_PARTS]
    if len(parts) > 1:
        return parts
    return [place for place, heading in enumerate(plain) if heading in _NAMES | _NAME_PARTS][:1]


def _kind(heading: str) -> str:
    return next((kind for kind, words in _KINDS if words.search(heading)), "")


def _unused(name: str, taken: set[str]) -> str:
    number = 2
    unused = name
    while unused in taken:
        unused = f"{name}_{number}"
        number += 1
    return unused
