"""Dates and times of day in words.

Russian and Ukrainian dates stand in the genitive where nothing else is asked for, which is right alone and after до,
от, з, від: "двадцать третьего ноября две тысячи двадцать шестого года". Only the day has another case: "на двадцать
третье ноября". num2words has no case for Ukrainian ordinals, so the tables are our own.
"""

from __future__ import annotations

from datetime import date, time

from num2words import num2words

from ocm_cti.speech.words.declension import CASES, GENITIVE, HOUR_RU, MINUTES, NOMINATIVE, counted
from ocm_cti.speech.words.numbers import cardinal


def _row(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_MONTHS = {
    "ru": _row("января февраля марта апреля мая июня июля августа сентября октября ноября декабря"),
    "uk": _row("січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня"),
    "en": _row("January February March April May June July August September October November December"),
}

#: Genitive ordinals 1 to 19, masculine; and of the tens.
_ORDINAL = {
    "ru": _row(
        "первого второго третьего четвёртого пятого шестого седьмого восьмого девятого десятого одиннадцатого "
        "двенадцатого тринадцатого четырнадцатого пятнадцатого шестнадцатого семнадцатого восемнадцатого девятнадцатого"
    ),
    "uk": _row(
        "першого другого третього четвертого п'ятого шостого сьомого восьмого дев'ятого десятого одинадцятого "
        "дванадцятого тринадцятого чотирнадцятого п'ятнадцятого шістнадцятого сімнадцятого вісімнадцятого "
        "дев'ятнадцятого"
    ),
}
_TENS = {
    "ru": _row("двадцатого тридцатого сорокового пятидесятого шестидесятого семидесятого восьмидесятого девяностого"),
    "uk": _row("двадцятого тридцятого сорокового п'ятдесятого шістдесятого сімдесятого вісімдесятого дев'яностого"),
}
_ROUND_YEARS = {
    ("ru", 1900): "тысяча девятисотого",
    ("ru", 2000): "двухтысячного",
    ("uk", 1900): "тисяча дев'ятисотого",
    ("uk", 2000): "двохтисячного",
}
_YEAR = {"ru": "года", "uk": "року"}


def _ordinal(number: int, language: str) -> str:
    """Genitive ordinal of 1 to 99."""
    if number < 20:
        return _ORDINAL[language][number - 1]
    tens, units = divmod(number, 10)
    if not units:
        return _TENS[language][tens - 2]
    return f"{cardinal(tens * 10, language)} {_ORDINAL[language][units - 1]}"


def _year(year: int, language: str) -> str:
    if (language, year) in _ROUND_YEARS:
        return _ROUND_YEARS[language, year]
    hundreds = cardinal(year - year % 100, language)
    return f"{hundreds.removeprefix('одна ')} {_ordinal(year % 100, language)}"


#: Ending of the genitive of a day -> its endings in the order of CASES (neuter: "третье число").
_DAY_ENDINGS = {
    "ru": {"ьего": _row("ье ьего ьему ье ьим ьем"), "ого": _row("ое ого ому ое ым ом")},
    "uk": {"ього": _row("є ього ьому є ім ьому"), "ого": _row("е ого ому е им ому")},
}


def _day(number: int, language: str, case: str) -> str:
    genitive = _ordinal(number, language)
    for ending, endings in _DAY_ENDINGS[language].items():
        if genitive.endswith(ending):
            return genitive.removesuffix(ending) + endings[CASES.index(case)]
    raise AssertionError(genitive)


def spoken_date(day: date, language: str, case: str = GENITIVE) -> str:
    """A date of 1900 to 2099 with its year."""
    month = _MONTHS[language][day.month - 1]
    if language == "en":
        ordinal = num2words(day.day, lang="en", to="ordinal")
        return f"the {ordinal} of {month} {num2words(day.year, lang='en', to='year')}"
    return f"{_day(day.day, language, case)} {month} {_year(day.year, language)} {_YEAR[language]}"


#: In Ukrainian the hour is an ordinal: "чотирнадцята година".
_HOURS_UK = _row(
    "нульова перша друга третя четверта п'ята шоста сьома восьма дев'ята десята одинадцята дванадцята тринадцята "
    "чотирнадцята п'ятнадцята шістнадцята сімнадцята вісімнадцята дев'ятнадцята двадцята"
)


_HOUR_UK = _row("година години годині годину годиною годині")
#: Endings of the feminine ordinal; "третя" is soft.
_HARD_UK = _row("а ої ій у ою ій")
_SOFT_UK = _row("я ьої ій ю ьою ій")


def _hour_uk(hour: int, case: str) -> str:
    nominative = _HOURS_UK[hour] if hour <= 20 else f"двадцять {_HOURS_UK[hour - 20]}"
    endings = _SOFT_UK if nominative.endswith("я") else _HARD_UK
    return f"{nominative[:-1]}{endings[CASES.index(case)]} {_HOUR_UK[CASES.index(case)]}"


def spoken_time(moment: time, language: str, case: str = NOMINATIVE) -> str:
    """A time of day; whole hours have no minutes."""
    hour, minute = moment.hour, moment.minute
    if language == "en":
        if not minute:
            return f"{cardinal(hour, 'en')} o'clock" if 0 < hour <= 12 else f"{cardinal(hour, 'en')} hundred hours"
        return f"{cardinal(hour, 'en')} {'oh ' if minute < 10 else ''}{cardinal(minute, 'en')}"
    if language == "uk":
        said = _hour_uk(hour, case)
    else:
        said = f"{cardinal(hour, 'ru', case=case)} {counted(hour, HOUR_RU, 'ru', case)}"
    if not minute:
        return said
    noun = MINUTES[language]
    return f"{said} {cardinal(minute, language, noun.gender, case)} {counted(minute, noun, language, case)}"
