"""Every word of a report that is ours, in English, Russian and Ukrainian (``word_table``).

The English text is the key, as it stands in the source. Codes (outcomes, causes, what is waited for, states) are keys
too: files in English keep them as they are, because programs read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ocm_cti.reports.word_table import TABLE

__all__ = ["LANGUAGES", "TABLE", "Words", "language_of"]

LANGUAGES = ("en", "ru", "uk")

#: What ``Attempt`` keeps beside the answers to steps.
_OUR_STEPS = ("transferred to", "stop list")


@dataclass(frozen=True)
class Words:
    """The words in ``language`` (one of LANGUAGES); a word that the table lacks stays as it is."""

    language: str = "en"

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise ValueError(f"{self.language!r} is none of the languages of reports: {', '.join(LANGUAGES)}")

    def __call__(self, english: str, **values: object) -> str:
        text = english if self.language == "en" else TABLE.get(english, ("", ""))[LANGUAGES.index(self.language) - 1]
        text = text or english
        return text.format(**values) if values else text

    def code(self, code: str) -> str:
        """In a file: English keeps codes as they are. Of ``paused: by hand`` only the beginning is a code."""
        if self.language == "en":
            return code
        head, colon, rest = code.partition(":")
        return self(head) + colon + rest

    def answers(self, answers: str) -> str:
        """``visited=yes, stop list=asked``, or one of these values: what of it is ours. Steps have the user's names."""
        if self.language == "en":
            return answers
        return ", ".join(self._answer(each) for each in answers.split(", "))

    def _answer(self, answer: str) -> str:
        step, equals, value = answer.rpartition("=")
        ours = ("yes", "no") if equals else ("yes", "no", *_OUR_STEPS)
        return (self(step) if step in _OUR_STEPS else step) + equals + (self(value) if value in ours else value)

    def code_in_prose(self, code: str) -> str:
        """On paper: ``no answer`` for ``no_answer`` also in English."""
        return self.code(code) if self.language != "en" else code.replace("_", " ")

    def heading(self, english: str) -> str:
        """As the beginning of a heading on paper."""
        text = self(english)
        return text[:1].upper() + text[1:]

    def duration(self, seconds: float | None) -> str:
        """To two figures or so, as a person says it; "" for None."""
        if seconds is None:
            return ""
        if seconds < 100:
            return self("{count} s", count=round(seconds))
        if seconds < 100 * 60:
            return self("{count} min", count=round(seconds / 60))
        if seconds < 48 * 3600:
            return self("{count} h", count=self.decimal(seconds / 3600))
        return self("{count} days", count=self.decimal(seconds / 86_400))

    def decimal(self, value: float, places: int = 1) -> str:
        text = f"{value:.{places}f}"
        return text if self.language == "en" else text.replace(".", ",")

    def money(self, costs: Mapping[str, Decimal]) -> str:
        """``12.50 EUR``, each currency for itself; "" for none."""
        return ", ".join(
            f"{str(cost) if self.language == 'en' else str(cost).replace('.', ',')}\N{NO-BREAK SPACE}{currency}".strip()
            for currency, cost in costs.items()
        )

    def whole(self, value: int) -> str:
        """With its thousands apart."""
        return f"{value:,}".replace(",", "," if self.language == "en" else "\N{NO-BREAK SPACE}")

    def percent(self, share: float) -> str:
        """``50 %``; what is neither none nor all never looks like it."""
        percent = 100 * share
        if 0 < percent < 0.1 or 99.9 < percent < 100:
            return ("<" if percent < 1 else ">") + self.decimal(0.1 if percent < 1 else 99.9) + "\N{NO-BREAK SPACE}%"
        return (
            self.decimal(percent, 0 if (percent >= 10 and percent <= 99) or percent in (0, 100) else 1)
            + "\N{NO-BREAK SPACE}%"
        )


def language_of(lists: list[str]) -> str:
    """The language of paper for lists in these languages: theirs when they agree and we know it, else English."""
    spoken = {name.split("-")[0].lower() for name in lists}
    only = spoken.pop() if len(spoken) == 1 else "en"
    return only if only in LANGUAGES else "en"
