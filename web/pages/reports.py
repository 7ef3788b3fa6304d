"""Reports: what came of campaigns, at a glance and person by person; replies to listen to; files to take away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, send_file, url_for
from flask_babel import gettext

from ocm_cti.domain.outcomes import Outcome
from ocm_cti.office.errors import NotNow, NotThere
from ocm_cti.office.reports import DELIMITERS, FORMATS, Selection
from ocm_cti.reports import reasons
from ocm_cti.reports.questions import Question, questions
from ocm_cti.reports.words import Words
from ocm_cti.store.report_pages import OPEN, Filter
from ocm_cti.store.report_rows import CampaignRow, PersonRow
from web import charts, security
from web.language import language
from web.words import OUTCOMES, waits

pages = Blueprint("reports", __name__, url_prefix="/reports")

PAGE = 25
#: Days of others are slips of the finger.
YEARS = range(2000, 2200)
#: Digits are answered in many ways; the rest is told as one.
ANSWERS_SHOWN = 12


@pages.app_template_filter("duration")
def duration(seconds: float | None) -> str:
    return Words(language()).duration(seconds)


@pages.app_template_filter("percent")
def percent(share: float) -> str:
    return Words(language()).percent(share)


@pages.app_template_filter("whole")
def whole(count: int) -> str:
    return Words(language()).whole(count)


@pages.app_template_filter("costs")
def costs(billed: Mapping[str, Any]) -> str:
    return Words(language()).money(billed["costs"])


@pages.app_template_filter("ending")
def ending(row: Any) -> str:
    """Why a call ended, in a sentence."""
    return Words(language())(reasons.sentence(row.cause, row.native_cause))


@pages.app_template_filter("told_answers")
def told_answers(person: PersonRow, campaign: CampaignRow) -> list[tuple[str, str]]:
    """What he answered: the question, and his answer in words."""
    asked, words = asked_of(campaign, person.scenario), Words(language())
    found = []
    for each in person.answers.split(", ") if person.answers else ():
        step, _, value = each.rpartition("=")
        question = asked.get(step)
        if question is None:
            found.append(("", words.answers(each)))
        else:
            found.append((question.label, question.told(value, words)))
    return found


@pages.get("")
def overview() -> Any:
    """The whole page, or with ``HX-Request`` what is below the choice: it is asked again while it is being made."""
    office, caller = security.office(), security.caller()
    chosen = selection()
    shared: dict[str, Any] = {
        "chosen": chosen,
        "args": arguments(chosen),
        "choices": office.reports.choices(caller, chosen.list_name),
        "names": [entry.name for entry in office.lists.overview(caller) if entry.imported],
        "formats": FORMATS,
    }
    template = "reports/_report.html" if request.headers.get("HX-Request") else "reports/reports.html"
    try:
        found = office.reports.figures(caller, chosen, anew="anew" in request.args)
    except (NotThere, NotNow) as error:
        if chosen.campaign_ids and isinstance(error, NotThere):
            raise
        return render_template(template, found=None, why=str(error), again=isinstance(error, NotNow), **shared)
    if found.figures is None:
        return render_template(template, found=found, why="", **shared)
    page = office.reports.people(caller, chosen, Filter(), 0, PAGE)
    return render_template(
        template, found=found, why="", **shared, **drawings(found.figures), **_people_of(page, chosen, Filter(), 0)
    )


@pages.get("/people")
def people() -> Any:
    """One page of the people; with ``HX-Request`` only the table."""
    chosen, wanted, after = selection(), _filter(), max(0, request.args.get("after", 0, type=int))
    page = security.office().reports.people(security.caller(), chosen, wanted, after, PAGE)
    return render_template(
        "reports/_people.html" if request.headers.get("HX-Request") else "reports/people.html",
        chosen=chosen,
        args=arguments(chosen),
        **_people_of(page, chosen, wanted, after),
    )


@pages.get("/people/<int:task_id>")
def person(task_id: int) -> Any:
    found = security.office().reports.person(security.caller(), task_id)
    asked = asked_of(found.campaign, found.reported.person.scenario)
    said: dict[int, list[tuple[str, str, int | None]]] = {}
    replies = {(reply.attempt_id, reply.step, reply.recording): reply.answer_id for reply in found.reported.replies}
    for row in found.answers:
        question = asked.get(row.step)
        label = question.label if question is not None else Words(language()).answers(row.step)
        value = row.value or ""
        told = question.told(value, Words(language())) if question is not None else value
        reply_id = replies.get((row.attempt_id, row.step, row.recording or ""))
        said.setdefault(row.attempt_id, []).append((label, told, reply_id))
    return render_template("reports/person.html", found=found, said=said, zone=found.campaign.settings.zone)


@pages.get("/replies/<int:answer_id>.wav")
def reply(answer_id: int) -> Any:
    return sound_of(answer_id)


def sound_of(answer_id: int) -> Any:
    """The sound of a reply, in parts where the player asks for parts."""
    path = security.office().reports.reply(security.caller(), answer_id)
    response = send_file(path, mimetype="audio/wav", conditional=True, download_name=path.name)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@pages.post("/exports")
def export() -> Any:
    kind, delimiter = request.form.get("format", ""), request.form.get("delimiter", DELIMITERS[0])
    job = security.office().reports.order(
        security.caller(), selection(), kind, delimiter, request.form.get("language", language())
    )
    return redirect(url_for("reports.exported", job_id=job.job_id, **arguments(selection())), 303)


@pages.get("/exports/<string:job_id>")
def exported(job_id: str) -> Any:
    """How far it is, and then its files."""
    job = security.office().reports.ordered(security.caller(), job_id)
    template = "reports/_export.html" if request.headers.get("HX-Request") else "reports/export.html"
    return render_template(template, job=job, args=arguments(selection()))


@pages.get("/exports/<string:job_id>/<int:place>")
def download(job_id: str, place: int) -> Any:
    job = security.office().reports.ordered(security.caller(), job_id)
    path = job.path(place)
    response: Response = send_file(path, as_attachment=True, download_name=path.name, conditional=True)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def selection() -> Selection:
    """What the address asks for; what is no number and no day in it is left out."""
    given = request.values
    ids = {
        int(value) for value in given.getlist("campaign") if value.isascii() and value.isdecimal() and len(value) < 19
    }
    return Selection(
        given.get("list", "")[:200], tuple(sorted(ids)), _day(given.get("since")), _day(given.get("until"))
    )


def arguments(chosen: Selection) -> dict[str, Any]:
    """Those of an address with the same choice."""
    found: dict[str, Any] = {"list": chosen.list_name or None, "campaign": list(chosen.campaign_ids)}
    return found | {"since": chosen.since, "until": chosen.until}


def drawings(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Everything of ``figures`` that is drawn."""
    total = figures["total"]
    counts = [(_word(code), count, f"o-{OUTCOMES.get(code, 'fault')}") for code, count in total["outcomes"].items()]
    counts += [(gettext("open"), total["open"], "o-open")] if total["open"] else []
    counts.sort(key=lambda item: -item[1])
    waiting = [
        (_word(each["reason"]), each["people"], "o-again" if each["is_open"] else "o-bad")
        for each in figures["not_reached"]
    ]
    tries = [(str(each["tries"]), each["people"], "o-delivered") for each in figures["tries"]]
    return {
        "figures": figures,
        "outcome_bars": charts.bars(counts, total["people"]),
        "waiting_bars": charts.bars(waiting, total["people"]),
        "tries_bars": charts.bars(tries, total["reached"]),
        "hours": charts.columns(charts.busy(figures["hours"]), "hour", ("attempts", "answered", "reached")),
        "surveys": [(each, _survey(each)) for each in figures["questions"]],
    }


def _word(code: str) -> str:
    """Of an outcome, or of what somebody waits for."""
    return waits(code) or Words(language()).code_in_prose(code)


def asked_of(campaign: CampaignRow, scenario: str) -> dict[str, Question]:
    return questions(campaign.own_scenarios.get(scenario, "") if scenario else campaign.scenario)


def _survey(question: Mapping[str, Any]) -> list[charts.Bar]:
    shown = question["answers"][:ANSWERS_SHOWN] if question["kind"] == "digits" else question["answers"]
    left_out = question["left_out"] + sum(each["people"] for each in question["answers"][len(shown) :])
    counts = [(_told(each), each["people"], "survey-bar") for each in shown]
    counts += [(gettext("other answers"), left_out, "survey-bar")] if left_out else []
    return charts.bars(counts, question["people"])


def _told(answer: Mapping[str, Any]) -> str:
    words = Words(language())
    if answer["value"] in ("yes", "no"):
        return words(answer["meaning"] or answer["value"])
    return f"{answer['value']} – {answer['meaning']}" if answer["meaning"] else str(answer["value"])


def _filter() -> Filter:
    outcome = request.args.get("outcome", "")
    known = {one.value for one in Outcome} | {OPEN}
    return Filter(
        outcome if outcome in known else "", request.args.get("search", "").strip()[:200], "replied" in request.args
    )


def _people_of(page: Any, chosen: Selection, wanted: Filter, after: int) -> dict[str, Any]:
    filters = {"outcome": wanted.outcome or None, "search": wanted.search or None, "replied": wanted.replied or None}
    return {"page": page, "wanted": wanted, "linked": arguments(chosen) | filters, "first": after == 0}


def _day(given: str | None) -> date | None:
    try:
        found = date.fromisoformat(given) if given else None
    except ValueError:
        return None
    return found if found is None or found.year in YEARS else None
