"""Users: who may log in, with which role, on which lists."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from ocm_cti.domain.access import Role
from ocm_cti.office.errors import OfficeError
from web import security
from web.pages.set_up import administrators_only, done

pages = Blueprint("users", __name__, url_prefix="/set-up/users")

#: Octets of a first password, which is changed at the first login.
PASSWORD_OCTETS = 9


@pages.get("")
def overview() -> Any:
    administrators_only()
    return _page()


@pages.post("")
def add() -> Any:
    """The first password is shown once: nobody has to think one up, or send it about."""
    administrators_only()
    name, role = request.form.get("name", "").strip(), _role()
    password = secrets.token_urlsafe(PASSWORD_OCTETS)
    try:
        made = security.office().accounts.add(security.caller(), name, role, password, _lists())
    except OfficeError as error:
        flash(str(error), "danger")
        return _page(wanted=name), 422
    return _page(shown=(made.name, password)), 201


@pages.post("/<name>/password")
def give_password(name: str) -> Any:
    administrators_only()
    password = secrets.token_urlsafe(PASSWORD_OCTETS)
    try:
        security.office().accounts.give_password(security.caller(), name, password)
    except OfficeError as error:
        flash(str(error), "danger")
        return redirect(url_for("users.overview"))
    return _page(shown=(name, password))


@pages.post("/<name>/access")
def access(name: str) -> Any:
    administrators_only()
    role, lists, disabled = _role(), _lists(), "disabled" in request.form
    accounts = security.office().accounts
    return done(
        lambda: accounts.change_access(security.caller(), name, role, lists, disabled=disabled),
        gettext("The rights of %(name)s have been changed; he logs in again.", name=name),
        "users.overview",
    )


def _page(**more: Any) -> str:
    office, caller = security.office(), security.caller()
    return render_template(
        "set_up/users.html",
        accounts=office.accounts.everybody(caller),
        lists=[entry.name for entry in office.lists.overview(caller)],
        roles=list(Role),
        me=security.visitor().account.name,
        **{"shown": None, "wanted": "", **more},
    )


def _role() -> Role:
    try:
        return Role(request.form.get("role", ""))
    except ValueError:
        return Role.AUDITOR  # whatever a page of another version sent: the one that may least


def _lists() -> list[str]:
    return [name for name in request.form.getlist("lists") if name]
