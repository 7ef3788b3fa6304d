"""Somebody of a list: added, changed, taken off by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext

from ocm_cti.domain.access import Scope
from ocm_cti.office.errors import OfficeError
from ocm_cti.office.people import Wanted
from ocm_cti.store.pages import PersonRow
from web import security
from web.errors import status_of

pages = Blueprint("people", __name__)

#: Empty rows for more numbers and variables.
SPARE_NUMBERS, SPARE_VARIABLES = 2, 3
KINDS = {
    "": lazy_gettext("number"),
    "mobile": lazy_gettext("mobile"),
    "home": lazy_gettext("home"),
    "work": lazy_gettext("work"),
}


@pages.get("/lists/<path:name>/people/new")
@security.needs(Scope.OPERATE)
def new(name: str) -> Any:
    return _form(name, None, _empty())


@pages.post("/lists/<path:name>/people/new")
@security.needs(Scope.OPERATE)
def add(name: str) -> Any:
    return _put(name, None)


@pages.get("/lists/<path:name>/people/<int:subscriber_id>")
def one(name: str, subscriber_id: int) -> Any:
    row = security.office().people.one(security.caller(), name, subscriber_id)
    return _form(name, row, _values(row))


@pages.post("/lists/<path:name>/people/<int:subscriber_id>")
@security.needs(Scope.OPERATE)
def change(name: str, subscriber_id: int) -> Any:
    return _put(name, security.office().people.one(security.caller(), name, subscriber_id))


@pages.post("/lists/<path:name>/people/<int:subscriber_id>/remove")
@security.needs(Scope.OPERATE)
def remove(name: str, subscriber_id: int) -> Any:
    try:
        security.office().people.remove(security.caller(), name, subscriber_id)
    except OfficeError as error:
        flash(str(error), "danger")
        return redirect(url_for("people.one", name=name, subscriber_id=subscriber_id), 303)
    flash(gettext("Taken off the list; the reports of past campaigns keep him."), "success")
    return redirect(url_for("lists.people", name=name), 303)


def _put(name: str, row: PersonRow | None) -> Any:
    form = request.form
    numbers = list(zip(form.getlist("number"), form.getlist("kind"), strict=False))
    variables = list(zip(form.getlist("variable"), form.getlist("value"), strict=False))
    values = {key: form.get(key, "") for key in ("id", "name", "priority", "groups", "zone", "scenario", "note")}
    shown = {**values, "numbers": numbers, "variables": variables}
    wanted = Wanted(
        [(number, kind) for number, kind in numbers if number.strip()],
        values["id"] if row is None else row.person.key,
        values["name"],
        {key.strip(): value for key, value in variables if key.strip()},
        values["priority"],
        [group.strip() for group in values["groups"].replace(";", ",").split(",") if group.strip()],
        values["zone"],
        values["scenario"],
        values["note"],
    )
    try:
        done = security.office().people.put(security.caller(), name, [wanted])
    except OfficeError as error:
        flash(str(error), "danger")
        return _form(name, row, shown), status_of(error)
    if done.refused:
        flash(done.refused[0][1], "danger")
        return _form(name, row, shown), 422
    for _, remark in done.remarks:
        flash(remark, "warning")
    flash(gettext("Added.") if done.created else gettext("Saved."), "success")
    return redirect(url_for("lists.people", name=name), 303)


def _empty() -> dict[str, Any]:
    return dict.fromkeys(("id", "name", "priority", "groups", "zone", "scenario", "note"), "") | {
        "numbers": [],
        "variables": [],
    }


def _values(row: PersonRow) -> dict[str, Any]:
    person = row.person
    return {
        "id": person.key,
        "name": person.name,
        "priority": "" if person.priority is None else str(person.priority),
        "groups": ", ".join(person.groups),
        "zone": person.zone,
        "scenario": person.scenario,
        "note": person.note,
        "numbers": list(person.numbers),
        "variables": [(key, value) for key, value in person.variables.items() if key != "name"],
    }


def _form(name: str, row: PersonRow | None, values: Mapping[str, Any]) -> str:
    entry = security.office().lists.entry(security.caller(), name)
    return render_template(
        "lists/person.html",
        entry=entry,
        row=row,
        values=values,
        KINDS=KINDS,
        spare_numbers=SPARE_NUMBERS,
        spare_variables=SPARE_VARIABLES,
        may_operate=security.caller().may(Scope.OPERATE),
    )
