"""Scenarios: edited as text, checked as one types, drawn beside it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from ocm_cti.domain.access import Scope
from ocm_cti.office.errors import ChangedMeanwhile, OfficeError
from ocm_cti.office.scenarios import Checked
from web import security
from web.errors import status_of
from web.flow import drawing

pages = Blueprint("scenarios", __name__, url_prefix="/scenarios")

BLANK = """\
name = "{name}"
language = "{language}"

[[step]]
name = "message"
type = "say"
message = "{hello}"

[[step]]
name = "agree"
type = "confirm"
message = "{press}"
key = "1"
"""
FIRST_WORDS = {
    "ru": ("Здравствуйте. Это сообщение для вас.", "Если вы его поняли, нажмите один."),
    "uk": ("Добрий день. Це повідомлення для вас.", "Якщо ви його зрозуміли, натисніть один."),
    "en": ("Hello. This is a message for you.", "If you have understood it, press one."),
}


@pages.get("")
def overview() -> Any:
    office, caller = security.office(), security.caller()
    return render_template(
        "scenarios/scenarios.html", entries=office.scenarios.overview(caller), may_operate=caller.may(Scope.OPERATE)
    )


@pages.post("")
def add() -> Any:
    name = request.form.get("name", "").strip().removesuffix(".toml")
    language = request.form.get("language", "")
    hello, press = FIRST_WORDS.get(language, FIRST_WORDS["ru"])
    text = BLANK.format(name=name.replace('"', ""), language=language or "ru", hello=hello, press=press)
    try:
        made = security.office().scenarios.add(security.caller(), name, text)
    except OfficeError as error:
        flash(str(error), "danger")
        return redirect(url_for("scenarios.overview"))
    return redirect(url_for("scenarios.edit", name=made.name))


@pages.get("/<name>")
def edit(name: str) -> Any:
    entry = security.office().scenarios.entry(security.caller(), name)
    return _editor(name, entry.text, entry.stamp, entry.checked, entry.lists)


@pages.post("/<name>")
def save(name: str) -> Any:
    """What was typed is never lost: when it can't be saved it stands in the page again, with the reason."""
    text, stamp = request.form.get("text", "").replace("\r\n", "\n"), request.form.get("stamp", "")
    desk, caller = security.office().scenarios, security.caller()
    entry = desk.entry(caller, name)
    try:
        desk.save(caller, name, text, stamp)
    except OfficeError as error:
        flash(str(error), "danger")
        # Saved again after that, it takes the place of what the other one wrote, and only then.
        known = entry.stamp if isinstance(error, ChangedMeanwhile) else stamp
        return _editor(name, text, known, desk.check(text), entry.lists), status_of(error)
    flash(gettext("Saved. Campaigns that go on keep what they were started with."), "success")
    return redirect(url_for("scenarios.edit", name=name))


@pages.post("/<name>/check")
def check(name: str) -> Any:
    """The part of the page that follows what is typed."""
    checked = security.office().scenarios.check(request.form.get("text", "").replace("\r\n", "\n")[:200_000])
    return render_template("scenarios/_checked.html", checked=checked, picture=_picture(checked))


def _editor(name: str, text: str, stamp: str, checked: Checked, lists: tuple[str, ...]) -> str:
    return render_template(
        "scenarios/scenario.html",
        name=name,
        text=text,
        stamp=stamp,
        checked=checked,
        picture=_picture(checked),
        lists=lists,
        may_operate=security.caller().may(Scope.OPERATE),
    )


def _picture(checked: Checked) -> Any:
    return None if checked.scenario is None else drawing(checked.scenario, is_draft=not checked.is_right)
