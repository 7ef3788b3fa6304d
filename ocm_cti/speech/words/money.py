"""Sums of money in words: "одна тысяча двести рублей пятьдесят копеек"; no kopecks where there are none."""

from __future__ import annotations

from decimal import Decimal

from ocm_cti.speech.words.numbers import Forms, cardinal, counted

_M, _F = "masculine", "feminine"

#: (language, currency) -> gender and forms of the unit, gender and forms of its hundredth.
_UNITS: dict[tuple[str, str], tuple[str, Forms, str, Forms]] = {
    ("ru", "RUB"): (_M, ("рубль", "рубля", "рублей"), _F, ("копейка", "копейки", "копеек")),
    ("ru", "UAH"): (_F, ("гривна", "гривны", "гривен"), _F, ("копейка", "копейки", "копеек")),
    ("ru", "KZT"): (_M, ("тенге", "тенге", "тенге"), _M, ("тиын", "тиына", "тиынов")),
    ("ru", "USD"): (_M, ("доллар", "доллара", "долларов"), _M, ("цент", "цента", "центов")),
    ("ru", "EUR"): (_M, ("евро", "евро", "евро"), _M, ("цент", "цента", "центов")),
    ("uk", "RUB"): (_M, ("рубль", "рублі", "рублів"), _F, ("копійка", "копійки", "копійок")),
    ("uk", "UAH"): (_F, ("гривня", "гривні", "гривень"), _F, ("копійка", "копійки", "копійок")),
    ("uk", "KZT"): (_M, ("тенге", "тенге", "тенге"), _M, ("тиїн", "тиїни", "тиїнів")),
    ("uk", "USD"): (_M, ("долар", "долари", "доларів"), _M, ("цент", "центи", "центів")),
    ("uk", "EUR"): (_M, ("євро", "євро", "євро"), _M, ("цент", "центи", "центів")),
    ("en", "RUB"): (_M, ("rouble", "roubles", "roubles"), _M, ("kopeck", "kopecks", "kopecks")),
    ("en", "UAH"): (_M, ("hryvnia", "hryvnias", "hryvnias"), _M, ("kopeck", "kopecks", "kopecks")),
    ("en", "KZT"): (_M, ("tenge", "tenge", "tenge"), _M, ("tiyn", "tiyn", "tiyn")),
    ("en", "USD"): (_M, ("dollar", "dollars", "dollars"), _M, ("cent", "cents", "cents")),
    ("en", "EUR"): (_M, ("euro", "euros", "euros"), _M, ("cent", "cents", "cents")),
}

_MINUS = {"ru": "минус ", "uk": "мінус ", "en": "minus "}
_AND = {"ru": " ", "uk": " ", "en": " and "}


def money(value: Decimal, currency: str, language: str) -> str:
    """``value`` (exact to the hundredth) in words. KeyError for a currency or language that is not in the table."""
    gender, unit, small_gender, small_unit = _UNITS[language, currency]
    whole, hundredths = divmod(int(abs(value) * 100), 100)
    said = []
    if whole or not hundredths:
        said.append(f"{cardinal(whole, language, gender)} {counted(whole, unit, language)}")
    if hundredths:
        said.append(f"{cardinal(hundredths, language, small_gender)} {counted(hundredths, small_unit, language)}")
    return (_MINUS[language] if value < 0 else "") + _AND[language].join(said)
