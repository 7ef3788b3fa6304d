"""Words, against rules written apart from the implementation: read them back and look whether the sum is the same."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocm_cti.domain.fragments import Beep, Part, Recording, Spoken
from ocm_cti.speech.words import UnspeakableValue, check, say, sentence

# -- the reader: words -> number. Knows nothing of num2words.

_RU = (
    "ноль один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать четырнадцать "
    "пятнадцать шестнадцать семнадцать восемнадцать девятнадцать"
)
_UK = (
    "нуль один два три чотири п'ять шість сім вісім дев'ять десять одинадцять дванадцять тринадцять чотирнадцять "
    "п'ятнадцять шістнадцять сімнадцять вісімнадцять дев'ятнадцять"
)
_EN = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = {
    "ru": "двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто",
    "uk": "двадцять тридцять сорок п'ятдесят шістдесят сімдесят вісімдесят дев'яносто",
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
}
_HUNDREDS = {
    "ru": "сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот",
    "uk": "сто двісті триста чотириста п'ятсот шістсот сімсот вісімсот дев'ятсот",
    "en": "",
}
#: Root of the big word -> its value; the endings are checked apart.
_BIG = {
    "ru": {"тысяч": 10**3, "миллион": 10**6, "миллиард": 10**9},
    "uk": {"тисяч": 10**3, "мільйон": 10**6, "мільярд": 10**9},
    "en": {"thousand": 10**3, "million": 10**6, "billion": 10**9},
}
_FEMININE = {"ru": {"одна": 1, "две": 2}, "uk": {"одна": 1, "дві": 2}, "en": {}}


def _small(language: str) -> dict[str, int]:
    ones = {"ru": _RU, "uk": _UK, "en": _EN}[language].split()
    found = {word: number for number, word in enumerate(ones)}
    found |= {word: 20 + 10 * place for place, word in enumerate(_TENS[language].split())}
    found |= {word: 100 + 100 * place for place, word in enumerate(_HUNDREDS[language].split())}
    return found | _FEMININE[language]


def read(words: str, language: str) -> int:
    """The number that the words mean; a KeyError is a word that belongs not there."""
    small, total, group = _small(language), 0, 0
    for word in words.replace("-", " ").replace(",", "").split():
        big = next((value for root, value in _BIG[language].items() if word.startswith(root)), None)
        if language == "en" and word == "and":
            continue
        if language == "en" and word == "hundred":
            group *= 100
        elif big is not None:
            total += max(group, 1) * big
            group = 0
        else:
            group += small[word]
    return total + group


def one_few_many(number: int) -> int:
    """0, 1, 2: by the last figures as they are written."""
    figures = f"{number:02d}"
    if figures[-2] == "1" or figures[-1] in "056789":
        return 2
    return 0 if figures[-1] == "1" else 1


NUMBERS = st.one_of(st.integers(0, 2000), st.integers(0, 10**12 - 1), st.sampled_from([10**6, 2 * 10**6, 10**9, 21000]))
LANGUAGE = st.sampled_from(["ru", "uk", "en"])


@settings(max_examples=100)
@given(NUMBERS, LANGUAGE, st.sampled_from(["masculine", "feminine"]))
def test_a_number_is_read_back_as_it_was(number: int, language: str, gender: str) -> None:
    assert read(say("number", str(number), language, gender=gender), language) == number


@settings(max_examples=100)
@given(NUMBERS, st.sampled_from(["ru", "uk"]), st.sampled_from(["masculine", "feminine"]))
def test_gender_belongs_to_the_last_word_and_to_thousands_only(number: int, language: str, gender: str) -> None:
    words = say("number", str(number), language, gender=gender).split()
    feminine = set(_FEMININE[language])
    masculine = {"один", "два"}
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word in feminine | masculine:
            thousands = following.startswith(("тысяч", "тисяч"))
            wanted = thousands or (following == "" and gender == "feminine")
            assert (word in feminine) == wanted, " ".join(words)


#: unit and hundredth: (one, few, many, feminine)
FORMS = {
    ("ru", "RUB"): (("рубль", "рубля", "рублей", False), ("копейка", "копейки", "копеек", True)),
    ("ru", "UAH"): (("гривна", "гривны", "гривен", True), ("копейка", "копейки", "копеек", True)),
    ("ru", "KZT"): (("тенге", "тенге", "тенге", False), ("тиын", "тиына", "тиынов", False)),
    ("ru", "USD"): (("доллар", "доллара", "долларов", False), ("цент", "цента", "центов", False)),
    ("ru", "EUR"): (("евро", "евро", "евро", False), ("цент", "цента", "центов", False)),
    ("uk", "RUB"): (("рубль", "рублі", "рублів", False), ("копійка", "копійки", "копійок", True)),
    ("uk", "UAH"): (("гривня", "гривні", "гривень", True), ("копійка", "копійки", "копійок", True)),
    ("uk", "KZT"): (("тенге", "тенге", "тенге", False), ("тиїн", "тиїни", "тиїнів", False)),
    ("uk", "USD"): (("долар", "долари", "доларів", False), ("цент", "центи", "центів", False)),
    ("uk", "EUR"): (("євро", "євро", "євро", False), ("цент", "центи", "центів", False)),
}


@settings(max_examples=100)
@given(st.sampled_from(sorted(FORMS)), st.integers(0, 10**9), st.integers(0, 99))
def test_money_is_read_back_and_agrees_with_its_currency(where: tuple[str, str], whole: int, small: int) -> None:
    language, currency = where
    words = say("money", f"{whole}.{small:02d}", language, currency=currency)
    rest = words
    for amount, (*forms, feminine) in zip((whole, small), FORMS[where], strict=True):
        if amount == 0 and rest != "ноль " + forms[2] and rest != "нуль " + forms[2]:
            continue
        form = forms[one_few_many(amount)]
        number, found, rest = rest.partition(f" {form}")
        assert found and read(number, language) == amount, words
        last = number.split()[-1]
        agrees = one_few_many(amount) < 2 and str(amount)[-1] in "12"
        assert (last in _FEMININE[language]) == (feminine and agrees), words
    assert rest == ""


@pytest.mark.parametrize(
    ("value", "language", "currency", "words"),
    [
        ("1 234,50", "ru", "RUB", "одна тысяча двести тридцать четыре рубля пятьдесят копеек"),
        ("1000000", "ru", "UAH", "один миллион гривен"),
        ("2000000", "ru", "UAH", "два миллиона гривен"),
        ("21", "ru", "UAH", "двадцать одна гривна"),
        ("0.01", "ru", "RUB", "одна копейка"),
        ("0", "ru", "RUB", "ноль рублей"),
        ("11", "ru", "RUB", "одиннадцать рублей"),
        ("-5", "ru", "RUB", "минус пять рублей"),
        ("2", "uk", "UAH", "дві гривні"),
        ("1000.02", "uk", "UAH", "одна тисяча гривень дві копійки"),
        ("1", "en", "USD", "one dollar"),
        ("$1,234.50", "en", "USD", "one thousand, two hundred and thirty-four dollars and fifty cents"),
        ("1 000 000 ₸", "ru", "KZT", "один миллион тенге"),
        ("10", "ru", "руб.", "десять рублей"),
        ("10", "ru", "uah", "десять гривен"),
    ],
)
def test_money(value: str, language: str, currency: str, words: str) -> None:
    assert say("money", value, language, currency=currency) == words


@pytest.mark.parametrize(
    ("kind", "value", "language", "words"),
    [
        ("date", "23.11.2026", "ru", "двадцать третьего ноября две тысячи двадцать шестого года"),
        ("date", "2000-02-01", "ru", "первого февраля двухтысячного года"),
        ("date", "31.12.1999", "ru", "тридцать первого декабря тысяча девятьсот девяносто девятого года"),
        ("date", "30.05.1900", "ru", "тридцатого мая тысяча девятисотого года"),
        ("date", "03.10.2010", "ru", "третьего октября две тысячи десятого года"),
        ("date", "23.11.2026", "uk", "двадцять третього листопада дві тисячі двадцять шостого року"),
        ("date", "02.08.2000", "uk", "другого серпня двохтисячного року"),
        ("date", "23.11.2026", "en", "the twenty-third of November twenty twenty-six"),
        ("time", "14:05", "ru", "четырнадцать часов пять минут"),
        ("time", "1:21", "ru", "один час двадцать одна минута"),
        ("time", "22:02", "ru", "двадцать два часа две минуты"),
        ("time", "00:00", "ru", "ноль часов"),
        ("time", "21:22", "uk", "двадцять перша година двадцять дві хвилини"),
        ("time", "9:00", "uk", "дев'ята година"),
        ("time", "9:00", "en", "nine o'clock"),
        ("time", "14:05", "en", "fourteen oh five"),
        ("time", "14:30", "en", "fourteen thirty"),
        ("digits", "0042", "ru", "ноль ноль четыре два"),
        ("digits", "12345", "ru", "один два, три четыре пять"),
        ("digits", "12-34 5", "uk", "один два, три чотири, п'ять"),
        ("digits", "1#", "en", "one hash"),
        ("phone", "+7 (495) 123-45-01", "ru", "семь, четыре девять пять, один два три, четыре пять, ноль один"),
        ("phone", "112", "en", "one one two"),
        ("name", "ИВАНОВ ПЁТР", "ru", "Иванов Пётр"),
        ("name", " О’Нил  Шон ", "ru", "О'Нил Шон"),
        ("name", "ООО", "ru", "ООО"),
        ("name", "В’ЯЧЕСЛАВ МАР'ЯНЕНКО", "uk", "В'ячеслав Мар'яненко"),
        ("name", "О'НИЛ", "ru", "О'Нил"),
        ("text", "как  есть", "ru", "как есть"),
        ("number", "5.0", "ru", "пять"),
        ("number", "-21", "uk", "мінус двадцять один"),
    ],
)
def test_other_kinds(kind: str, value: str, language: str, words: str) -> None:
    assert say(kind, value, language) == words


def genitive_to_day(words: str, language: str) -> int:
    """The day of a genitive ordinal, by the beginnings of its words."""
    roots = {
        "ru": "перв втор трет четвёрт пят шест седьм восьм девят десят одиннадцат двенадцат тринадцат четырнадцат "
        "пятнадцат шестнадцат семнадцат восемнадцат девятнадцат",
        "uk": "перш друг трет четверт п'ят шост сьом восьм дев'ят десят одинадцят дванадцят тринадцят чотирнадцят "
        "п'ятнадцят шістнадцят сімнадцят вісімнадцят дев'ятнадцят",
    }[language].split()
    tens = {"двадцат": 20, "тридцат": 30, "двадцять": 20, "двадцят": 20, "тридцять": 30, "тридцят": 30}
    total = 0
    for word in words.split():
        stem = word.removesuffix("ого").removesuffix("его").removesuffix("ього").removesuffix("ь")
        total += roots.index(stem) + 1 if stem in roots else tens[stem]
    return total


@settings(max_examples=100)
@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.sampled_from(["ru", "uk"]))
def test_a_date_has_its_day_month_and_year_in_the_genitive(day: date, language: str) -> None:
    words = say("date", day.isoformat(), language).split()
    months = {
        "ru": "янв фев мар апр мая июн июл авг сен окт ноя дек",
        "uk": "січ лют бер кві тра чер лип сер вер жов лис гру",
    }[language].split()
    place = next(index for index, word in enumerate(words) if word[:3] in months and index in (1, 2))
    assert genitive_to_day(" ".join(words[:place]), language) == day.day
    assert months.index(words[place][:3]) + 1 == day.month
    assert words[-1] == {"ru": "года", "uk": "року"}[language]
    assert words[-2].endswith("го"), "an ordinal in the genitive"
    century = {1900: ("тысяча девят", "тисяча дев'ят"), 2000: ("две тысячи", "дві тисячі", "двухтыс", "двохтис")}
    assert " ".join(words[place + 1 :]).startswith(century[day.year // 100 * 100])


UNSPEAKABLE = [
    ("money", "abc", "is no number"),
    ("money", "", "is no number"),
    ("money", "12 34", "is no number"),
    ("money", "1,2,3", "is no number"),
    ("money", "1.234", "may mean thousands or thousandths"),
    ("money", "1,234", "may mean thousands or thousandths"),
    ("money", "1234.567", "has more than two decimals"),
    ("money", "5 грн", "is an amount in UAH, not in RUB"),
    ("money", "€5", "is an amount in EUR, not in RUB"),
    ("money", "5 коров", "is no amount of money"),
    ("money", "٣", "is no number"),
    ("money", "1e5", "is no"),
    ("money", "1000000000000", "is too large"),
    ("money", "--5", "is no number"),
    ("number", "5,5", "is no whole number"),
    ("number", "4.41E+11", "is no number"),
    ("date", "31.02.2026", "is a day that does not exist"),
    ("date", "23 ноября", "is no date"),
    ("date", "45000", "is no date"),
    ("date", "1.1.1850", "lies outside the years"),
    ("time", "25:00", "is a time that does not exist"),
    ("time", "9", "is no time of day"),
    ("digits", "12a4", "is no row of digits"),
    ("digits", "()", "is no row of digits"),
    ("phone", "7", "is no telephone number"),
    ("name", "123", "is no name"),
    ("name", "Иван\x00", "holds signs that are no text"),
    ("colour", "red", "is of the unknown kind"),
]


@pytest.mark.parametrize(("kind", "value", "why"), UNSPEAKABLE)
def test_what_can_not_be_read_names_variable_value_and_reason(kind: str, value: str, why: str) -> None:
    spoken = Spoken((Part("text", "Долг "), Part(kind, value, "debt", "RUB" if kind == "money" else None)), "ru")
    with pytest.raises(UnspeakableValue) as error:
        check(spoken)
    assert error.value.variable == "debt" and error.value.value == value
    assert why in error.value.why and "{debt}" in str(error.value)


def test_other_faults_of_a_value() -> None:
    for arguments in ({"currency": "BTC"}, {"currency": None}):
        with pytest.raises(UnspeakableValue, match="no currency"):
            say("money", "5", "ru", **arguments)
    with pytest.raises(UnspeakableValue, match="ru, uk, en"):
        say("number", "5", "kk")
    with pytest.raises(UnspeakableValue, match="month first"):
        say("date", "03/04/2026", "en")
    assert say("date", "03/04/2026", "ru").startswith("третьего апреля")
    assert say("date", "11/23/2026", "en") == say("date", "23/11/2026", "en")


def test_a_sentence_keeps_the_spaces_of_its_template() -> None:
    spoken = Spoken((Part("text", "Долг: "), Part("money", "2", "debt", "RUB"), Part("text", ", срок вчера.")), "ru")
    assert sentence(spoken) == "Долг: два рубля, срок вчера."


def test_a_sentence_has_something_to_say_and_an_end() -> None:
    with pytest.raises(UnspeakableValue, match="nothing to say"):
        check(Spoken((Part("text", "…"),), "ru"))
    with pytest.raises(UnspeakableValue, match="more than 1000"):
        check(Spoken((Part("text", "а" * 2000, "note"),), "ru"))


def test_recordings_and_beeps_have_no_words() -> None:
    check(Recording("a.wav"))
    check(Beep())


@settings(max_examples=100)
@given(
    st.sampled_from(["money", "number", "date", "time", "digits", "phone", "name", "text"]),
    st.one_of(st.text(max_size=20), st.text("0123456789.,-/: '$₽", max_size=14)),
    LANGUAGE,
)
def test_any_value_is_spoken_or_refused(kind: str, value: str, language: str) -> None:
    try:
        words = say(kind, value, language, currency="RUB")
    except UnspeakableValue:
        return
    if kind not in ("name", "text"):
        assert not any(sign.isdigit() for sign in words), "left to the engine"


@settings(max_examples=100)
@given(st.decimals(min_value=0, max_value=10**9, places=2), st.sampled_from(["{:.2f}", "{:,.2f}", "space", "comma"]))
def test_an_amount_means_the_same_however_it_is_written(value: Decimal, style: str) -> None:
    plain = f"{value:.2f}"
    written = {
        "space": f"{value:,.2f}".replace(",", "\u00a0").replace(".", ","),
        "comma": plain.replace(".", ","),
    }.get(style) or style.format(value)
    assert say("money", written, "ru", currency="RUB") == say("money", plain, "ru", currency="RUB")
