"""Campaigns: start one with one POST, see how far it is, pause, resume, stop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from apiflask import Schema
from apiflask.fields import AwareDateTime, Boolean, Dict, Integer, List, Nested, String
from apiflask.validators import Length, OneOf
from flask import url_for

from ocm_cti.domain.access import Scope
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.office.campaigns import Campaign, Start
from web import security
from web.api.common import Page, must, once
from web.api.description import blueprint

api = blueprint("campaigns")


class Progress(Schema):
    id = Integer(required=True)
    list = String(required=True)
    state = String(required=True, metadata={"description": "running, paused, stopping, hanging_up or done"})
    started_at = AwareDateTime(required=True)
    ended_at = AwareDateTime(required=True, allow_none=True)
    paused_why = String(required=True)
    test = Boolean(required=True)
    total = Integer(required=True, metadata={"description": "People"})
    waiting = Integer(required=True)
    calling = Integer(required=True)
    done = Integer(required=True)
    outcomes = Dict(String(), Integer(), required=True, metadata={"description": "How many of the done ended how"})


class Campaigns(Schema):
    items = List(Nested(Progress), required=True)
    after = Integer(required=True, allow_none=True)


class Which(Page):
    list = String(load_default="", validate=Length(max=200), metadata={"description": "Only of this list"})


class Wanted(Schema):
    list = String(required=True, validate=Length(min=1, max=200))
    begins_at = AwareDateTime(load_default=None, allow_none=True, metadata={"description": "Nobody is called before"})
    test = Boolean(load_default=False, metadata={"description": "Call only the list's testers"})
    also_invalid = Boolean(load_default=False, metadata={"description": "Also numbers that did not exist before"})
    only_after = List(
        String(validate=OneOf([outcome.value for outcome in Outcome])),
        load_default=[],
        metadata={"description": "A follow-up: only who ended so in the list's last campaign"},
    )
    groups = List(String(validate=Length(max=100)), load_default=[], metadata={"description": "Only who is in one"})
    emergency = String(
        load_default="",
        validate=Length(max=300),
        metadata={"description": "Why neither hours nor caps hold; it is written to the audit"},
    )


class Ending(Schema):
    hang_up = Boolean(load_default=False, metadata={"description": "End the calls that are up as well"})


def plain(campaign: Campaign) -> dict[str, Any]:
    """As ``Progress`` has it, of what JSON takes."""
    row, counts = campaign.row, campaign.counts
    return {
        "id": row.campaign_id,
        "list": row.list_name,
        "state": row.state,
        "started_at": row.started_at.isoformat(),
        "ended_at": None if row.ended_at is None else row.ended_at.isoformat(),
        "paused_why": row.paused_why,
        "test": row.test,
        "total": counts.total,
        "waiting": counts.waiting,
        "calling": counts.calling,
        "done": counts.done,
        "outcomes": dict(counts.outcomes),
    }


@api.get("/campaigns")
@api.input(Which, location="query", unknown=None)
@api.doc(summary="Campaigns, the newest first", operation_id="campaigns")
@api.output(Campaigns)
def overview(query_data: dict[str, Any]) -> Any:
    page = security.office().campaigns.page(
        security.caller(), query_data["list"], query_data["after"], query_data["limit"]
    )
    return _sent({"items": [plain(one) for one in page.campaigns], "after": page.after})


@api.post("/campaigns")
@api.input(Wanted)
@api.output(Progress, status_code=201)
@api.doc(summary="Start calling a list", operation_id="start_campaign")
def start(json_data: dict[str, Any]) -> Any:
    must(Scope.OPERATE)
    how = Start(
        json_data["list"],
        begins_at=json_data["begins_at"],
        test=json_data["test"],
        also_invalid=json_data["also_invalid"],
        only_after=[Outcome(value) for value in json_data["only_after"]],
        groups=json_data["groups"],
        override_why=json_data["emergency"],
    )
    made = once(json_data, lambda: plain(security.office().campaigns.start(security.caller(), how)))
    return _sent(dict(made)), 201, {"Location": url_for("api_campaigns.one", campaign_id=made["id"])}


@api.get("/campaigns/<int:campaign_id>")
@api.output(Progress)
@api.doc(summary="How far a campaign is", operation_id="campaign")
def one(campaign_id: int) -> Any:
    return _sent(plain(security.office().campaigns.one(security.caller(), campaign_id)))


@api.post("/campaigns/<int:campaign_id>/pause")
@api.output(Progress)
@api.doc(summary="Call nobody more until it is resumed", operation_id="pause_campaign")
def pause(campaign_id: int) -> Any:
    return _done(None, lambda: security.office().campaigns.pause(security.caller(), campaign_id))


@api.post("/campaigns/<int:campaign_id>/resume")
@api.output(Progress)
@api.doc(summary="Go on where it was paused", operation_id="resume_campaign")
def resume(campaign_id: int) -> Any:
    return _done(None, lambda: security.office().campaigns.resume(security.caller(), campaign_id))


@api.post("/campaigns/<int:campaign_id>/stop")
@api.input(Ending)
@api.output(Progress)
@api.doc(summary="Call nobody more; those who wait are reported as stopped", operation_id="stop_campaign")
def stop(campaign_id: int, json_data: dict[str, Any]) -> Any:
    hang_up = json_data["hang_up"]
    return _done(json_data, lambda: security.office().campaigns.stop(security.caller(), campaign_id, hang_up=hang_up))


def _done(body: object, deed: Callable[[], Campaign]) -> Any:
    must(Scope.OPERATE)
    return _sent(dict(once(body, lambda: plain(deed()))))


def _sent(answer: Any) -> Any:
    """Times are kept as text (an answer may be kept for later); the schema wants them as times."""
    if isinstance(answer, dict):
        return {
            key: datetime.fromisoformat(value) if key.endswith("_at") and value is not None else _sent(value)
            for key, value in answer.items()
        }
    return [_sent(one) for one in answer] if isinstance(answer, list) else answer
