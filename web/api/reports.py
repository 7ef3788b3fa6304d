"""Reports: the figures of campaigns, and their people, page by page."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import AwareDateTime, Boolean, Date, DelimitedList, Dict, Float, Integer, List, Nested, Raw, String
from apiflask.validators import Length, OneOf, Range
from flask import url_for

from ocm_cti.domain.outcomes import Outcome
from ocm_cti.office.errors import NotNow
from ocm_cti.office.reports import Selection
from ocm_cti.store.report_pages import OPEN, Filter
from ocm_cti.store.schema import LARGEST_ID
from web import security
from web.api.common import Page, Whole
from web.api.description import SOUND, blueprint
from web.pages.reports import YEARS, sound_of

api = blueprint("reports")

#: What a program waits for a big report; then 503, and it asks again.
PATIENCE_S = 20.0


class WhichReport(Schema):
    class Meta:
        unknown = "raise"

    list = String(load_default="", validate=Length(max=200), metadata={"description": "Its last campaign"})
    campaign = DelimitedList(
        Whole(validate=Range(1, LARGEST_ID)),
        load_default=[],
        validate=Length(max=500),
        metadata={"description": "These campaigns, numbers with commas between"},
    )
    since = Date(load_default=None, metadata={"description": "Campaigns that began on this day or later"})
    until = Date(load_default=None, metadata={"description": "… or earlier"})


class ReportFigures(Schema):
    made_at = AwareDateTime(required=True)
    campaigns = List(
        Dict(String(), Raw(allow_none=True)), required=True, metadata={"description": "Each with its totals"}
    )
    total = Dict(
        String(), Raw(allow_none=True), required=True, metadata={"description": "People, outcomes, times, bills"}
    )
    lists = List(Dict(String(), Raw(allow_none=True)), required=True)
    questions = List(Dict(String(), Raw(allow_none=True)), required=True, metadata={"description": "Survey results"})
    not_reached = List(Dict(String(), Raw(allow_none=True)), required=True)
    hours = List(Dict(String(), Raw(allow_none=True)), required=True)
    tries = List(Dict(String(), Raw(allow_none=True)), required=True)
    ports = List(Dict(String(), Raw(allow_none=True)), required=True)
    trunks = List(Dict(String(), Raw(allow_none=True)), required=True)
    different_people = Integer(required=True, allow_none=True)
    different_reached = Integer(required=True, allow_none=True)


class ReplyOf(Schema):
    step = String(required=True)
    sound = String(required=True, metadata={"description": "Where its WAV is"})


class ReportedPerson(Schema):
    id = Integer(required=True)
    campaign = Integer(required=True)
    list = String(required=True)
    key = String(required=True)
    name = String(required=True)
    number = String(required=True)
    outcome = String(required=True, allow_none=True, metadata={"description": "null: not done yet"})
    why = String(required=True, metadata={"description": "What somebody who is not done waits for"})
    attempts = Integer(required=True)
    last_attempt_at = AwareDateTime(required=True, allow_none=True)
    answered_at = AwareDateTime(required=True, allow_none=True)
    heard_s = Float(required=True)
    of_s = Float(required=True)
    keys = String(required=True)
    answers = Dict(String(), String(), required=True)
    replies = List(Nested(ReplyOf), required=True)
    billed_s = Integer(required=True, allow_none=True)


class ReportedPeople(Schema):
    items = List(Nested(ReportedPerson), required=True)
    after = Integer(required=True, allow_none=True)


class WhichPeople(Page):
    outcome = String(
        load_default="",
        validate=OneOf(["", OPEN, *(one.value for one in Outcome)]),
        metadata={"description": "Only these"},
    )
    search = String(load_default="", validate=Length(max=200), metadata={"description": "In name, number, id, note"})
    replied = Boolean(load_default=False, metadata={"description": "Only who left a reply"})


@api.get("/reports")
@api.input(WhichReport, location="query", unknown=None)
@api.output(ReportFigures)
@api.doc(summary="The figures of campaigns; without a choice those of the newest", operation_id="report")
def figures(query_data: dict[str, Any]) -> Any:
    days = [day if day is None or day.year in YEARS else None for day in (query_data["since"], query_data["until"])]
    chosen = Selection(query_data["list"], tuple(query_data["campaign"]), *days)
    found = security.office().reports.figures(security.caller(), chosen, patience_s=PATIENCE_S)
    if found.figures is None:
        raise NotNow("the report is being made; ask again")
    return {**found.figures, "made_at": found.made_at}


@api.get("/campaigns/<int:campaign_id>/people")
@api.input(WhichPeople, location="query", unknown=None)
@api.output(ReportedPeople)
@api.doc(summary="What came of each person of a campaign", operation_id="campaign_people")
def people(campaign_id: int, query_data: dict[str, Any]) -> Any:
    wanted = Filter(query_data["outcome"], query_data["search"], query_data["replied"])
    page = security.office().reports.people(
        security.caller(), Selection(campaign_ids=(campaign_id,)), wanted, query_data["after"] or 0, query_data["limit"]
    )
    return {
        "items": [
            {
                "id": row.task_id,
                "campaign": row.person.campaign_id,
                "list": row.person.list_name,
                "key": row.person.key,
                "name": row.person.name,
                "number": row.person.number,
                "outcome": row.person.outcome,
                "why": row.person.why if row.person.outcome is None else "",
                "attempts": row.person.attempts,
                "last_attempt_at": row.person.last_attempt_at,
                "answered_at": row.person.answered_at,
                "heard_s": row.person.heard_s,
                "of_s": row.person.of_s,
                "keys": row.person.keys,
                "answers": dict(each.rsplit("=", 1) for each in row.person.answers.split(", ") if "=" in each),
                "replies": [
                    {"step": reply.step, "sound": url_for("api_reports.reply", answer_id=reply.answer_id)}
                    for reply in row.replies
                ],
                "billed_s": row.person.billed_s,
            }
            for row in page.people
        ],
        "after": page.after,
    }


@api.get("/replies/<int:answer_id>")
@api.doc(
    summary="The sound of a reply",
    operation_id="reply",
    responses=SOUND,
)
def reply(answer_id: int) -> Any:
    return sound_of(answer_id)
