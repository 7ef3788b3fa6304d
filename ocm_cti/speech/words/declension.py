"""How Russian and Ukrainian numerals and counted nouns are declined: tables, and the rules of agreement.

Our own, because num2words 0.5.14 errs in what a sum of money needs: "одна миллион", "двух тысячи" (accusative),
"трьохста" and "дев'ятиста" (Ukrainian genitive). The accusative is that of things, which is all that is counted here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

NOMINATIVE, GENITIVE, ACCUSATIVE = "nominative", "genitive", "accusative"
#: Order of the columns of all tables. The prepositional is called locative in Ukrainian.
CASES = (NOMINATIVE, GENITIVE, "dative", ACCUSATIVE, "instrumental", "prepositional")
#: Case -> column of the tables of numerals, whose accusative is their nominative (except "одну", "тысячу").
_COLUMN = {NOMINATIVE: 0, GENITIVE: 1, "dative": 2, ACCUSATIVE: 0, "instrumental": 3, "prepositional": 4}
MASCULINE, FEMININE, NEUTER = "masculine", "feminine", "neuter"


def _table(rows: str) -> list[tuple[str, ...]]:
    return [tuple(row.split()) for row in rows.strip().splitlines()]


#: Nominative, genitive, dative, instrumental, prepositional.
_ONE = {
    ("ru", MASCULINE): "один одного одному одним одном",
    ("ru", FEMININE): "одна одной одной одной одной",
    ("ru", NEUTER): "одно одного одному одним одном",
    ("uk", MASCULINE): "один одного одному одним одному",
    ("uk", FEMININE): "одна однієї одній однією одній",
    ("uk", NEUTER): "одне одного одному одним одному",
}
_FEMININE_ONE_ACCUSATIVE = "одну"  # in both languages
_FEMININE_TWO = {"ru": "две", "uk": "дві"}
#: 0 to 20, 30 … 90, 100 … 900; 1 stands in a table of its own.
_NUMERALS = {
    "ru": _table("""
        ноль нуля нулю нулём нуле
        один одного одному одним одном
        два двух двум двумя двух
        три трёх трём тремя трёх
        четыре четырёх четырём четырьмя четырёх
        пять пяти пяти пятью пяти
        шесть шести шести шестью шести
        семь семи семи семью семи
        восемь восьми восьми восемью восьми
        девять девяти девяти девятью девяти
        десять десяти десяти десятью десяти
        одиннадцать одиннадцати одиннадцати одиннадцатью одиннадцати
        двенадцать двенадцати двенадцати двенадцатью двенадцати
        тринадцать тринадцати тринадцати тринадцатью тринадцати
        четырнадцать четырнадцати четырнадцати четырнадцатью четырнадцати
        пятнадцать пятнадцати пятнадцати пятнадцатью пятнадцати
        шестнадцать шестнадцати шестнадцати шестнадцатью шестнадцати
        семнадцать семнадцати семнадцати семнадцатью семнадцати
        восемнадцать восемнадцати восемнадцати восемнадцатью восемнадцати
        девятнадцать девятнадцати девятнадцати девятнадцатью девятнадцати
        двадцать двадцати двадцати двадцатью двадцати
        тридцать тридцати тридцати тридцатью тридцати
        сорок сорока сорока сорока сорока
        пятьдесят пятидесяти пятидесяти пятьюдесятью пятидесяти
        шестьдесят шестидесяти шестидесяти шестьюдесятью шестидесяти
        семьдесят семидесяти семидесяти семьюдесятью семидесяти
        восемьдесят восьмидесяти восьмидесяти восемьюдесятью восьмидесяти
        девяносто девяноста девяноста девяноста девяноста
        сто ста ста ста ста
        двести двухсот двумстам двумястами двухстах
        триста трёхсот трёмстам тремястами трёхстах
        четыреста четырёхсот четырёмстам четырьмястами четырёхстах
        пятьсот пятисот пятистам пятьюстами пятистах
        шестьсот шестисот шестистам шестьюстами шестистах
        семьсот семисот семистам семьюстами семистах
        восемьсот восьмисот восьмистам восемьюстами восьмистах
        девятьсот девятисот девятистам девятьюстами девятистах
    """),
    "uk": _table("""
        нуль нуля нулю нулем нулі
        один одного одному одним одному
        два двох двом двома двох
        три трьох трьом трьома трьох
        чотири чотирьох чотирьом чотирма чотирьох
        п'ять п'яти п'яти п'ятьма п'яти
        шість шести шести шістьма шести
        сім семи семи сімома семи
        вісім восьми восьми вісьмома восьми
        дев'ять дев'яти дев'яти дев'ятьма дев'яти
        десять десяти десяти десятьма десяти
        одинадцять одинадцяти одинадцяти одинадцятьма одинадцяти
        дванадцять дванадцяти дванадцяти дванадцятьма дванадцяти
        тринадцять тринадцяти тринадцяти тринадцятьма тринадцяти
        чотирнадцять чотирнадцяти чотирнадцяти чотирнадцятьма чотирнадцяти
        п'ятнадцять п'ятнадцяти п'ятнадцяти п'ятнадцятьма п'ятнадцяти
        шістнадцять шістнадцяти шістнадцяти шістнадцятьма шістнадцяти
        сімнадцять сімнадцяти сімнадцяти сімнадцятьма сімнадцяти
        вісімнадцять вісімнадцяти вісімнадцяти вісімнадцятьма вісімнадцяти
        дев'ятнадцять дев'ятнадцяти дев'ятнадцяти дев'ятнадцятьма дев'ятнадцяти
        двадцять двадцяти двадцяти двадцятьма двадцяти
        тридцять тридцяти тридцяти тридцятьма тридцяти
        сорок сорока сорока сорока сорока
        п'ятдесят п'ятдесяти п'ятдесяти п'ятдесятьма п'ятдесяти
        шістдесят шістдесяти шістдесяти шістдесятьма шістдесяти
        сімдесят сімдесяти сімдесяти сімдесятьма сімдесяти
        вісімдесят вісімдесяти вісімдесяти вісімдесятьма вісімдесяти
        дев'яносто дев'яноста дев'яноста дев'яноста дев'яноста
        сто ста ста ста ста
        двісті двохсот двомстам двомастами двохстах
        триста трьохсот трьомстам трьомастами трьохстах
        чотириста чотирьохсот чотирьомстам чотирмастами чотирьохстах
        п'ятсот п'ятисот п'ятистам п'ятьмастами п'ятистах
        шістсот шестисот шестистам шістьмастами шестистах
        сімсот семисот семистам сімомастами семистах
        вісімсот восьмисот восьмистам вісьмомастами восьмистах
        дев'ятсот дев'ятисот дев'ятистам дев'ятьмастами дев'ятистах
    """),
}
_VALUES = [*range(21), *range(30, 100, 10), *range(100, 1000, 100)]
_WORDS: dict[str, dict[int, tuple[str, ...]]] = {
    language: dict(zip(_VALUES, table, strict=True)) | {1: tuple(_ONE[language, MASCULINE].split())}
    for language, table in _NUMERALS.items()
}


@dataclass(frozen=True)
class Noun:
    """A counted noun; six forms of the singular and six of the plural, in the order of CASES."""

    gender: str
    singular: tuple[str, ...]
    plural: tuple[str, ...]

    @classmethod
    def of(cls, gender: str, written: str) -> Noun:
        """From ``stem|endings of the singular|endings of the plural``, "-" for none; a bare word never changes."""
        stem, *endings = written.split("|")
        if not endings:
            return cls(gender, (stem,) * 6, (stem,) * 6)
        singular, plural = (tuple(stem + end.strip("-") for end in row.split()) for row in endings)
        return cls(gender, singular, plural)


_HARD_RU = "|- а у - ом е|ы ов ам ы ами ах"
_HARD_UK = "|- а у - ом і|и ів ам и ами ах"
_BIG = {
    "ru": (
        Noun.of(FEMININE, "тысяч|а и е у ей е|и - ам и ами ах"),
        Noun.of(MASCULINE, "миллион" + _HARD_RU),
        Noun.of(MASCULINE, "миллиард" + _HARD_RU),
    ),
    "uk": (
        Noun.of(FEMININE, "тисяч|а і і у ею і|і - ам і ами ах"),
        Noun.of(MASCULINE, "мільйон" + _HARD_UK),
        Noun.of(MASCULINE, "мільярд" + _HARD_UK),
    ),
}

#: (language, code) -> the currency's unit and its hundredth.
UNITS = {
    ("ru", "RUB"): (
        Noun.of(MASCULINE, "рубл|ь я ю ь ём е|и ей ям и ями ях"),
        Noun.of(FEMININE, "копе|йка йки йке йку йкой йке|йки ек йкам йки йками йках"),
    ),
    ("ru", "UAH"): (
        Noun.of(FEMININE, "грив|на ны не ну ной не|ны ен нам ны нами нах"),
        Noun.of(FEMININE, "копе|йка йки йке йку йкой йке|йки ек йкам йки йками йках"),
    ),
    ("ru", "KZT"): (Noun.of(MASCULINE, "тенге"), Noun.of(MASCULINE, "тиын" + _HARD_RU)),
    ("ru", "USD"): (Noun.of(MASCULINE, "доллар" + _HARD_RU), Noun.of(MASCULINE, "цент" + _HARD_RU)),
    ("ru", "EUR"): (Noun.of(MASCULINE, "евро"), Noun.of(MASCULINE, "цент" + _HARD_RU)),
    ("uk", "RUB"): (
        Noun.of(MASCULINE, "рубл|ь я ю ь ем і|і ів ям і ями ях"),
        Noun.of(FEMININE, "копі|йка йки йці йку йкою йці|йки йок йкам йки йками йках"),
    ),
    ("uk", "UAH"): (
        Noun.of(FEMININE, "грив|ня ні ні ню нею ні|ні ень ням ні нями нях"),
        Noun.of(FEMININE, "копі|йка йки йці йку йкою йці|йки йок йкам йки йками йках"),
    ),
    ("uk", "KZT"): (Noun.of(MASCULINE, "тенге"), Noun.of(MASCULINE, "тиїн" + _HARD_UK)),
    ("uk", "USD"): (Noun.of(MASCULINE, "долар" + _HARD_UK), Noun.of(MASCULINE, "цент" + _HARD_UK)),
    ("uk", "EUR"): (Noun.of(MASCULINE, "євро"), Noun.of(MASCULINE, "цент" + _HARD_UK)),
}
HOUR_RU = Noun.of(MASCULINE, "час" + _HARD_RU)
MINUTES = {
    "ru": Noun.of(FEMININE, "минут|а ы е у ой е|ы - ам ы ами ах"),
    "uk": Noun.of(FEMININE, "хвилин|а и і у ою і|и - ам и ами ах"),
}


def counted(number: int, noun: Noun, language: str, case: str = NOMINATIVE) -> str:
    """The form of ``noun`` that belongs to ``number`` (not negative) in ``case``."""
    column = CASES.index(case)
    units, tens = number % 10, number // 10 % 10
    if units == 1 and tens != 1:
        return noun.singular[column]
    # Thousands, millions and nought are nouns themselves: "двум тысячам рублей".
    if number % 1000 == 0:
        return noun.plural[1]
    if case not in (NOMINATIVE, ACCUSATIVE):
        return noun.plural[column]
    if units in (2, 3, 4) and tens != 1:
        return noun.singular[1] if language == "ru" else noun.plural[0]
    return noun.plural[1]


def declined(number: int, language: str, gender: str = MASCULINE, case: str = NOMINATIVE) -> str:
    """``number`` (0 to 10**12 - 1) in Russian or Ukrainian words, in the gender of what is counted."""
    if number == 0:
        return _WORDS[language][0][_COLUMN[case]]
    said: list[str] = []
    for power, noun in zip((3, 2, 1), reversed(_BIG[language]), strict=True):
        count: int = number // 1000**power % 1000
        if count:
            said += _below_thousand(count, language, noun.gender, case)
            said.append(counted(count, noun, language, case))
    said += _below_thousand(number % 1000, language, gender, case)
    return " ".join(said)


def _below_thousand(number: int, language: str, gender: str, case: str) -> Iterator[str]:
    column, words = _COLUMN[case], _WORDS[language]
    hundreds, rest = number - number % 100, number % 100
    tens, units = (0, rest) if rest < 20 else (rest - rest % 10, rest % 10)
    for value in (hundreds, tens):
        if value:
            yield words[value][column]
    if units == 1:
        accusative = gender == FEMININE and case == ACCUSATIVE
        yield _FEMININE_ONE_ACCUSATIVE if accusative else _ONE[language, gender].split()[column]
    elif units == 2 and gender == FEMININE and column == 0:
        yield _FEMININE_TWO[language]
    elif units:
        yield words[units][column]
