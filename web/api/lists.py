"""Lists and the people on them."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import AwareDateTime, Boolean, Dict, Integer, List, Nested, String
from apiflask.validators import Length

from web import security
from web.api.common import Page
from web.api.description import blueprint

api = blueprint("lists")


class PreparedList(Schema):
    name = String(required=True)
    people = Integer(required=True)
    configured = Boolean(required=True, metadata={"description": "It has a scenario: it can be started"})
    scenario = String(required=True)
    language = String(required=True)
    campaign_id = Integer(required=True, allow_none=True, metadata={"description": "Its last campaign"})
    campaign_state = String(required=True)
    called_at = AwareDateTime(required=True, allow_none=True)
    next_at = AwareDateTime(required=True, allow_none=True, metadata={"description": "When the clock starts it"})


class PreparedLists(Schema):
    items = List(Nested(PreparedList), required=True)


class Number(Schema):
    number = String(required=True, metadata={"description": "E.164"})
    kind = String(required=True)
    invalid = Boolean(required=True, metadata={"description": "The network said that it does not exist"})


class Somebody(Schema):
    id = Integer(required=True)
    key = String(required=True, metadata={"description": "Your own id of him, else his first number"})
    name = String(required=True)
    numbers = List(Nested(Number), required=True)
    variables = Dict(String(), String(), required=True)
    priority = Integer(required=True, allow_none=True)
    groups = List(String(), required=True)
    zone = String(required=True)
    scenario = String(required=True)
    note = String(required=True)


class People(Schema):
    items = List(Nested(Somebody), required=True)
    after = Integer(required=True, allow_none=True)


class Search(Page):
    search = String(load_default="", validate=Length(max=200), metadata={"description": "In name, number, id, note"})


@api.get("/lists")
@api.output(PreparedLists)
@api.doc(summary="All lists", operation_id="lists")
def overview() -> Any:
    return {"items": security.office().lists.overview(security.caller())}


@api.get("/lists/<path:name>/people")
@api.input(Search, location="query", unknown=None)
@api.output(People)
@api.doc(summary="The people of a list", operation_id="people")
def people(name: str, query_data: dict[str, Any]) -> Any:
    page = security.office().lists.people(
        security.caller(), name, query_data["search"], query_data["after"] or 0, query_data["limit"]
    )
    return {
        "items": [
            {
                "id": row.subscriber_id,
                "key": row.person.key,
                "name": row.person.name,
                "numbers": [
                    {"number": number, "kind": kind, "invalid": number in row.invalid}
                    for number, kind in row.person.numbers
                ],
                "variables": row.person.variables,
                "priority": row.person.priority,
                "groups": row.person.groups,
                "zone": row.person.zone,
                "scenario": row.person.scenario,
                "note": row.person.note,
            }
            for row in page.people
        ],
        "after": page.after,
    }
