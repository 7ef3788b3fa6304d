"""A list is made, set and taken away."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext

from ocm_cti.domain.access import Scope
from ocm_cti.office.errors import ChangedMeanwhile, Refused
from ocm_cti.office.list_forms import DAYS, DEFAULT_RULES, DEFAULTS, PERIODS, PRESETS, WrongSetting
from web import security
from web.errors import status_of

pages = Blueprint("list_settings", __name__)

WEEKDAYS = {
    "mon": lazy_gettext("Monday"),
    "tue": lazy_gettext("Tuesday"),
    "wed": lazy_gettext("Wednesday"),
    "thu": lazy_gettext("Thursday"),
    "fri": lazy_gettext("Friday"),
    "sat": lazy_gettext("Saturday"),
    "sun": lazy_gettext("Sunday"),
}
PERIOD_WORDS = {
    "day": lazy_gettext("calls a day"),
    "week": lazy_gettext("calls a week"),
    "month": lazy_gettext("calls a month"),
}


@cache
def zones() -> tuple[str, ...]:
    """Those in which people live."""
    return tuple(sorted(name for name in available_timezones() if name.startswith(("Europe/", "Asia/", "America/"))))


@pages.get("/lists/new")
@security.needs(Scope.ADMIN)
def new() -> Any:
    hours = {f"hours-{day}": "09:00-20:00" if day not in ("sat", "sun") else "" for day in DAYS}
    return _new({"name": request.args.get("name", ""), "language": "ru", "region": "RU", **hours})


@pages.post("/lists/new")
@security.needs(Scope.ADMIN)
def add() -> Any:
    values = request.form.to_dict()
    name = values.get("name", "").strip()
    try:
        security.office().list_settings.add(security.caller(), name, values)
    except WrongSetting as error:
        flash(str(error), "danger")
        return _new(values, error.field), 422
    except Refused as error:
        flash(str(error), "danger")
        return _new(values), status_of(error)
    flash(gettext("The list is there. Now its people: from a file, or one by one."), "success")
    return redirect(url_for("lists.people", name=name), 303)


@pages.get("/lists/<path:name>/settings")
@security.needs(Scope.ADMIN)
def edit(name: str) -> Any:
    form = security.office().list_settings.form(security.caller(), name)
    return _form(name, form.values, form.stamp)


@pages.post("/lists/<path:name>/settings")
@security.needs(Scope.ADMIN)
def change(name: str) -> Any:
    values = {key: "\n".join(request.form.getlist(key)) for key in request.form if key not in ("csrf_token", "stamp")}
    values.setdefault("gateways", "")
    stamp = request.form.get("stamp", "")
    desk, caller = security.office().list_settings, security.caller()
    try:
        desk.change(caller, name, values, stamp)
    except Refused as error:
        flash(str(error), "danger")
        known = desk.form(caller, name).stamp if isinstance(error, ChangedMeanwhile) else stamp
        return _form(name, values, known, error.field if isinstance(error, WrongSetting) else ""), status_of(error)
    flash(gettext("Saved. It holds from the next campaign on; one that goes on keeps what it began with."), "success")
    return redirect(url_for("list_settings.edit", name=name), 303)


@pages.post("/lists/<path:name>/remove")
@security.needs(Scope.ADMIN)
def remove(name: str) -> Any:
    """Only when its name was typed."""
    if request.form.get("typed", "").strip() != name:
        flash(gettext("Type the name of the list to remove it; nothing was removed."), "danger")
        return redirect(url_for("list_settings.edit", name=name), 303)
    try:
        security.office().list_settings.remove(security.caller(), name)
    except Refused as error:
        flash(str(error), "danger")
        return redirect(url_for("list_settings.edit", name=name), 303)
    flash(gettext("The list %(name)s is removed; the reports of its campaigns stay.", name=name), "success")
    return redirect(url_for("lists.overview"), 303)


# --- inside ---


def _new(values: Mapping[str, str], wrong: str = "") -> str:
    scenarios = security.office().list_settings.scenarios(security.caller())
    return render_template(
        "lists/new.html", values=values, wrong=wrong, scenarios=scenarios, zones=zones(), WEEKDAYS=WEEKDAYS
    )


def _form(name: str, values: Mapping[str, str], stamp: str, wrong: str = "") -> str:
    office, caller = security.office(), security.caller()
    form = office.list_settings.form(caller, name)
    return render_template(
        "lists/settings.html",
        entry=office.lists.entry(caller, name),
        form=form,
        machines=[("", gettext("nothing: it is hung up on")), *((own, own) for own in form.own)],
        presets=[("", "—"), *((preset, preset) for preset in PRESETS)],
        values=values,
        stamp=stamp,
        wrong=wrong,
        zones=zones(),
        DEFAULTS=DEFAULTS,
        WEEKDAYS=WEEKDAYS,
        PERIODS={period: PERIOD_WORDS[period] for period in PERIODS},
        PRESETS=PRESETS,
        RULES={outcome.value: rule for outcome, rule in DEFAULT_RULES.items()},
    )
