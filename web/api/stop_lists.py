"""Stop lists: who is never called, whatever list he is on."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import AwareDateTime, Boolean, Integer, List, Nested, String
from apiflask.validators import Length, Range

from ocm_cti.domain.access import Scope
from ocm_cti.office.stop_lists import LONGEST_PAGE, LONGEST_REASON, MOST_ENTRIES
from web import security
from web.api.common import Whole, must, once
from web.api.description import blueprint

api = blueprint("stop lists")


class StopList(Schema):
    name = String(required=True)
    entries = Integer(required=True)


class StopLists(Schema):
    items = List(Nested(StopList), required=True)


class WantedEntries(Schema):
    class Meta:
        unknown = "raise"

    search = String(
        load_default="", validate=Length(max=100), metadata={"description": "A part of the entry or of its reason"}
    )
    after = String(load_default="", validate=Length(max=100), metadata={"description": "The last page's `after`"})
    limit = Whole(load_default=50, validate=Range(1, LONGEST_PAGE))


class StopEntry(Schema):
    entry = String(required=True, metadata={"description": "A number (E.164) or a pattern: +7900*"})
    reason = String(required=True)
    added_at = AwareDateTime(required=True)


class StopEntries(Schema):
    items = List(Nested(StopEntry), required=True)
    after = String(required=True, metadata={"description": "What the next page is asked with; empty: the last"})


class NewEntries(Schema):
    class Meta:
        unknown = "raise"

    entries = List(
        String(validate=Length(min=1, max=100)),
        required=True,
        validate=Length(min=1, max=MOST_ENTRIES),
        metadata={"description": "Numbers and patterns; * at the end is any digits, ? one of them"},
    )
    reason = String(load_default="", validate=Length(max=LONGEST_REASON))
    sure = Boolean(load_default=False, metadata={"description": "A pattern may stop most of a country"})


class GoneEntries(Schema):
    class Meta:
        unknown = "raise"

    entries = List(String(validate=Length(min=1, max=100)), required=True, validate=Length(min=1, max=MOST_ENTRIES))


class Added(Schema):
    new = Integer(required=True)
    given = Integer(required=True)


class Removed(Schema):
    removed = Integer(required=True)


@api.get("/stop-lists")
@api.output(StopLists)
@api.doc(summary="All stop lists", operation_id="stop_lists")
def overview() -> Any:
    must(Scope.READ)
    names = security.office().stop_lists.names(security.caller())
    return {"items": [{"name": name, "entries": count} for name, count in names.items()]}


@api.get("/stop-lists/<path:name>/entries")
@api.input(WantedEntries, location="query", unknown=None)
@api.output(StopEntries)
@api.doc(summary="Who stands on one, by number", operation_id="stop_entries")
def entries(name: str, query_data: dict[str, Any]) -> Any:
    must(Scope.READ)
    asked = query_data
    desk = security.office().stop_lists
    page = desk.page(security.caller(), name, asked["search"], asked["after"], asked["limit"])
    return {"items": page.entries, "after": page.after}


@api.post("/stop-lists/<path:name>/entries")
@api.input(NewEntries)
@api.output(Added)
@api.doc(summary="Put numbers and patterns on one, which is made with its first", operation_id="add_stop_entries")
def add(name: str, json_data: dict[str, Any]) -> Any:
    must(Scope.OPERATE)

    def work() -> dict[str, Any]:
        text = "\n".join(json_data["entries"])
        desk = security.office().stop_lists
        added = desk.add(security.caller(), name, text, json_data["reason"], sure=json_data["sure"])
        return {"new": added.new, "given": added.given}

    return once(json_data, work)


@api.post("/stop-lists/<path:name>/remove")
@api.input(GoneEntries)
@api.output(Removed)
@api.doc(summary="Take numbers and patterns off one", operation_id="remove_stop_entries")
def remove(name: str, json_data: dict[str, Any]) -> Any:
    must(Scope.OPERATE)
    desk = security.office().stop_lists
    return once(json_data, lambda: {"removed": desk.remove(security.caller(), name, json_data["entries"])})
