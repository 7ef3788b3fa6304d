"""One pass over the rows: figures and every file at once, so that all of them say the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ocm_cti.reports.about import About, Written
from ocm_cti.reports.figures import Summary
from ocm_cti.reports.tally import Tally
from ocm_cti.store.report_rows import AnswerRow, AttemptRow, PersonRow


def compose(
    about: About,
    people: Iterable[PersonRow],
    attempts: Iterable[AttemptRow],
    answers: Iterable[AnswerRow],
    files: Sequence[Written],
) -> Summary:
    """Give the rows to ``files``, which are open, and their figures when all have been read."""
    tally = Tally(about.campaigns, about.zone, about.different_people)
    for person in people:
        tally.add_person(person)
        for file in files:
            file.add_person(person)
    for attempt in attempts:
        tally.add_attempt(attempt)
        for file in files:
            file.add_attempt(attempt)
    for answer in answers:
        tally.add_answer(answer)
        question = tally.questions.find(answer)
        for file in files:
            file.add_answer(answer, question)
    summary = tally.summary()
    for file in files:
        file.finish(summary)
    return summary
