"""Every word of a report that is ours, in English, Russian and Ukrainian: one table.

The English text is the key, as it stands in the source. Codes (outcomes, causes, what is waited for, states) are keys
too: files in English keep them as they are, because programs read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

LANGUAGES = ("en", "ru", "uk")

#: English -> (Russian, Ukrainian)
TABLE: dict[str, tuple[str, str]] = {
    # headings of columns
    "campaign": ("кампания", "кампанія"),
    "list": ("список", "список"),
    "name": ("имя", "ім'я"),
    "number": ("номер", "номер"),
    "outcome": ("итог", "підсумок"),
    "attempts": ("попытки", "спроби"),
    "not counted": ("не в счёт", "не в залік"),
    "last attempt at": ("последняя попытка", "остання спроба"),
    "answered at": ("ответ в", "відповідь о"),
    "keys": ("клавиши", "клавіші"),
    "heard s": ("прослушано, с", "прослухано, с"),
    "of s": ("из, с", "з, с"),
    "reply recording": ("запись ответа", "запис відповіді"),
    "answers": ("ответы", "відповіді"),
    "cause": ("причина", "причина"),
    "native cause": ("причина АТС", "причина АТС"),
    "why": ("чего ждёт", "на що чекає"),
    "billed s": ("тариф., с", "тариф., с"),
    "cost": ("стоимость", "вартість"),
    "currency": ("валюта", "валюта"),
    "id": ("код", "код"),
    "first attempt at": ("первая попытка", "перша спроба"),
    "next call at": ("следующий звонок", "наступний дзвінок"),
    "times answered": ("ответов на звонок", "відповідей на дзвінок"),
    "reached after start s": ("дозвон от начала, с", "додзвон від початку, с"),
    "reached after first try s": ("дозвон от 1-й попытки, с", "додзвон від 1-ї спроби, с"),
    "own scenario": ("свой сценарий", "свій сценарій"),
    "attempt": ("попытка", "спроба"),
    "gateway": ("шлюз", "шлюз"),
    "port": ("порт", "порт"),
    "state": ("состояние", "стан"),
    "counted": ("в счёт", "у залік"),
    "claimed at": ("взята в", "взято о"),
    "ended at": ("конец", "кінець"),
    "ended by": ("кто закончил", "хто закінчив"),
    "answer certain": ("ответ точно", "відповідь точно"),
    "trunk": ("линия", "лінія"),
    "rang s": ("вызов, с", "виклик, с"),
    "talked s": ("разговор, с", "розмова, с"),
    "talked": ("разговор", "розмова"),
    "heard": ("прослушано", "прослухано"),
    "reply": ("ответ", "відповідь"),
    "waits for": ("чего ждёт", "на що чекає"),
    "{heard} of {whole} s": ("{heard} из {whole} с", "{heard} з {whole} с"),
    "attempt id": ("№ попытки", "№ спроби"),
    "step": ("шаг", "крок"),
    "question": ("вопрос", "запитання"),
    "answer": ("ответ", "відповідь"),
    "meaning": ("значение", "значення"),
    "at": ("время", "час"),
    "end of the call": ("конец звонка", "кінець дзвінка"),
    "transferred to": ("переведён на", "переведено на"),
    "stop list": ("стоп-список", "стоп-список"),
    "times are those of {zone}": ("время: {zone}", "час: {zone}"),
    "reply file": ("файл записи", "файл запису"),
    "paused why": ("почему пауза", "чому пауза"),
    "started at": ("начало", "початок"),
    "share": ("доля", "частка"),
    "people": ("люди", "люди"),
    "done": ("закончено", "завершено"),
    "open": ("не закончено", "не завершено"),
    "called": ("звонили", "дзвонили"),
    "answered": ("ответили", "відповіли"),
    "reached": ("дозвон", "додзвін"),
    "different people": ("разных людей", "різних людей"),
    "different people reached": ("дозвон разным людям", "додзвін різним людям"),
    "{count} different people: who is in several campaigns counts once; reached of them: {reached}": (
        "разных людей: {count}; кто в нескольких кампаниях, считается один раз; из них дозвон: {reached}",
        "різних людей: {count}; хто в кількох кампаніях, рахується один раз; з них додзвін: {reached}",
    ),
    "reached share": ("доля дозвона", "частка додзвону"),
    "line faults": ("сбои линии", "збої лінії"),
    "after start: median s": ("от начала: медиана, с", "від початку: медіана, с"),
    "after start: 90 % s": ("от начала: 90 %, с", "від початку: 90 %, с"),
    "after first try: median s": ("от 1-й попытки: медиана, с", "від 1-ї спроби: медіана, с"),
    "after first try: 90 % s": ("от 1-й попытки: 90 %, с", "від 1-ї спроби: 90 %, с"),
    "section": ("раздел", "розділ"),
    "of": ("чего", "чого"),
    "measure": ("показатель", "показник"),
    "value": ("число", "число"),
    "hour": ("час", "година"),
    "tries": ("попыток", "спроб"),
    "reason": ("причина", "причина"),
    # sheets and sections
    "summary": ("итоги", "підсумки"),
    "campaigns": ("кампании", "кампанії"),
    "lists": ("списки", "списки"),
    "questions": ("вопросы", "запитання"),
    "not reached": ("не дозвонились", "не додзвонилися"),
    "by hour": ("по часам", "за годинами"),
    "ports": ("порты", "порти"),
    "trunks": ("линии", "лінії"),
    "total": ("всего", "усього"),
    "People by outcome": ("Люди по итогам", "Люди за підсумками"),
    "Calls by hour of day": ("Звонки по часам суток", "Дзвінки за годинами доби"),
    "Tries until reached": ("Попыток до дозвона", "Спроб до додзвону"),
    "Time to reach": ("Время до дозвона", "Час до додзвону"),
    "What was not done, and why": ("Что не сделано и почему", "Що не зроблено і чому"),
    "Survey": ("Опрос", "Опитування"),
    "Questions": ("Вопросы", "Запитання"),
    "Robot lines": ("Линии робота", "Лінії робота"),
    "Outside lines": ("Внешние линии", "Зовнішні лінії"),
    "Campaigns": ("Кампании", "Кампанії"),
    "Replies": ("Записанные ответы", "Записані відповіді"),
    "People": ("Люди", "Люди"),
    "Report": ("Отчёт", "Звіт"),
    "Report on calls": ("Отчёт об обзвоне", "Звіт про обдзвін"),
    "page {page} of {pages}": ("страница {page} из {pages}", "сторінка {page} з {pages}"),
    "made {at}": ("составлен {at}", "складено {at}"),
    "of whom reached": ("из них дозвонились", "з них додзвонилися"),
    "answered the call": ("ответили на звонок", "відповіли на дзвінок"),
    "billed": ("по тарифу", "за тарифом"),
    "from the start of the campaign": ("от начала кампании", "від початку кампанії"),
    "from the first attempt": ("от первой попытки", "від першої спроби"),
    "median": ("медиана", "медіана"),
    "90 % within": ("90 % не позже", "90 % не пізніше"),
    "mean {mean}": ("в среднем {mean}", "у середньому {mean}"),
    "{count} answers": ("ответов: {count}", "відповідей: {count}"),
    "no answers": ("ответов нет", "відповідей немає"),
    "{count} of {answered} who answered the call": (
        "{count} из {answered}, кто ответил на звонок",
        "{count} з {answered}, хто відповів на дзвінок",
    ),
    "and {count} more: {where}": ("и ещё {count}: {where}", "і ще {count}: {where}"),
    "other answers": ("другие ответы", "інші відповіді"),
    "no records of the switch": ("АТС не вела записей", "АТС не вела записів"),
    "nobody": ("никто", "ніхто"),
    "yes": ("да", "так"),
    "no": ("нет", "ні"),
    "{count} s": ("{count} с", "{count} с"),
    "{count} min": ("{count} мин", "{count} хв"),
    "{count} h": ("{count} ч", "{count} год"),
    "{count} days": ("{count} дн.", "{count} дн."),
    "until {at}": ("до {at}", "до {at}"),
    # states
    "running": ("идёт", "триває"),
    "paused": ("пауза", "пауза"),
    "stopping": ("останавливается", "зупиняється"),
    "finished": ("закончена", "завершено"),
    "preparing": ("готовится", "готується"),
    "waiting": ("ждёт", "чекає"),
    "calling": ("звоним", "дзвонимо"),
    # outcomes and causes
    "confirmed": ("подтвердил", "підтвердив"),
    "delivered": ("прослушал", "прослухав"),
    "cut_short": ("не дослушал", "не дослухав"),
    "machine": ("автоответчик", "автовідповідач"),
    "busy": ("занято", "зайнято"),
    "no_answer": ("нет ответа", "немає відповіді"),
    "rejected": ("сбросил", "скинув"),
    "invalid_number": ("нет такого номера", "немає такого номера"),
    "unreachable": ("недоступен", "недоступний"),
    "line_fault": ("сбой линии", "збій лінії"),
    "stopped": ("остановлено", "зупинено"),
    "unknown": ("неизвестно", "невідомо"),
    "normal": ("обычное завершение", "звичайне завершення"),
    "transferred": ("переведён", "переведено"),
    "cancelled": ("отменён", "скасовано"),
    # who ended a call
    "us": ("мы", "ми"),
    "them": ("абонент", "абонент"),
    "fault": ("сбой", "збій"),
    # what is waited for
    "due": ("в очереди", "у черзі"),
    "start": ("ждёт начала", "чекає на початок"),
    "window": ("не время звонить", "не час дзвонити"),
    "cap": ("предел звонков", "межа дзвінків"),
    "not_serving": ("сервер не запущен", "сервер не запущено"),
    "speech": ("готовится речь", "готується мовлення"),
    "speech_failed": ("речь не готова", "мовлення не готове"),
    "gateway_down": ("нет связи с АТС", "немає зв'язку з АТС"),
    "list_limit": ("предел списка", "межа списку"),
    "no_port": ("все линии заняты", "усі лінії зайняті"),
    "higher_priority": ("очередь срочных", "черга термінових"),
    "retry": ("повтор", "повтор"),
    "being_called": ("ему уже звонят", "йому вже дзвонять"),
    "next_number": ("другой его номер", "інший його номер"),
    "stop_list": ("в стоп-списке", "у стоп-списку"),
    "retry_busy": ("повтор: занято", "повтор: зайнято"),
    "retry_no_answer": ("повтор: нет ответа", "повтор: немає відповіді"),
    "retry_rejected": ("повтор: сбросил", "повтор: скинув"),
    "retry_machine": ("повтор: автоответчик", "повтор: автовідповідач"),
    "retry_cut_short": ("повтор: не дослушал", "повтор: не дослухав"),
    "retry_unreachable": ("повтор: недоступен", "повтор: недоступний"),
}


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
