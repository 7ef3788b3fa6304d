"""Lists and the people on them."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import AwareDateTime, Boolean, Dict, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range

from ocm_cti.domain.access import Scope
from ocm_cti.office.people import KINDS, MOST, Wanted
from ocm_cti.store.pages import PersonRow
from ocm_cti.store.schema import LARGEST_ID
from web import security
from web.api.common import Page, Whole, must
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


class NewNumber(Schema):
    class Meta:
        unknown = "raise"

    number = String(
        required=True,
        validate=Length(min=1, max=100),
        metadata={"description": "As people write it; without a country's code it is of the list's country"},
    )
    kind = String(load_default="", validate=OneOf(KINDS))


class NewPerson(Schema):
    """What is left out, or null, stays as it is as long as nobody of the request has it; variables are replaced."""

    class Meta:
        unknown = "raise"

    key = String(
        load_default="", validate=Length(max=200), metadata={"description": "Your own id of him; else by his numbers"}
    )
    name = String(load_default=None, allow_none=True, validate=Length(max=300))
    numbers = List(
        Nested(NewNumber),
        required=True,
        validate=Length(min=1, max=20),
        metadata={"description": "In the order of calling"},
    )
    variables = Dict(String(), String(validate=Length(max=5000)), load_default=dict)
    priority = Whole(load_default=None, allow_none=True, strict=True, validate=Range(0, 1000))
    groups = List(String(validate=Length(min=1, max=100)), load_default=None, allow_none=True, validate=Length(max=50))
    zone = String(load_default=None, allow_none=True, validate=Length(max=60))
    scenario = String(load_default=None, allow_none=True, validate=Length(max=100))
    note = String(load_default=None, allow_none=True, validate=Length(max=5000))


class NewPeople(Schema):
    class Meta:
        unknown = "raise"

    people = List(Nested(NewPerson), required=True, validate=Length(min=1, max=MOST))


class Told(Schema):
    place = Integer(required=True, metadata={"description": "In the request, from 0"})
    reason = String(required=True)


class Put(Schema):
    created = Integer(required=True)
    updated = Integer(required=True)
    unchanged = Integer(required=True)
    refused = List(Nested(Told), required=True, metadata={"description": "Who can't be used, and why"})
    remarks = List(Nested(Told), required=True, metadata={"description": "Taken, but without a part"})


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
    return {"items": [plain(row) for row in page.people], "after": page.after}


@api.put("/lists/<path:name>/people")
@api.input(NewPeople)
@api.output(Put)
@api.doc(summary="Add people to a list, or change those who are on it", operation_id="put_people")
def put(name: str, json_data: dict[str, Any]) -> Any:
    must(Scope.OPERATE)
    people = [
        Wanted(
            [(one["number"], one["kind"]) for one in each["numbers"]],
            each["key"],
            each["name"],
            each["variables"],
            None if each["priority"] is None else str(each["priority"]),
            each["groups"],
            each["zone"],
            each["scenario"],
            each["note"],
        )
        for each in json_data["people"]
    ]
    done = security.office().people.put(security.caller(), name, people)
    return {
        "created": done.created,
        "updated": done.updated,
        "unchanged": done.unchanged,
        "refused": [{"place": place, "reason": reason} for place, reason in done.refused],
        "remarks": [{"place": place, "reason": reason} for place, reason in done.remarks],
    }


@api.delete("/lists/<path:name>/people/<int:subscriber_id>")
@api.output({}, status_code=204)
@api.doc(summary="Take somebody off a list; reports keep him", operation_id="remove_person")
def remove(name: str, subscriber_id: int) -> Any:
    must(Scope.OPERATE)
    security.office().people.remove(security.caller(), name, min(subscriber_id, LARGEST_ID))
    return ""


def plain(row: PersonRow) -> dict[str, Any]:
    person = row.person
    return {
        "id": row.subscriber_id,
        "key": person.key,
        "name": person.name,
        "numbers": [
            {"number": number, "kind": kind, "invalid": number in row.invalid} for number, kind in person.numbers
        ],
        "variables": person.variables,
        "priority": person.priority,
        "groups": person.groups,
        "zone": person.zone,
        "scenario": person.scenario,
        "note": person.note,
    }
