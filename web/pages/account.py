"""What is his own: password, sessions, language, light or dark."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext

from ocm_cti.domain.access import SHORTEST_PASSWORD
from ocm_cti.office.accounts import WrongPassword
from ocm_cti.office.errors import Refused
from web import security
from web.language import COOKIE as LANGUAGE_COOKIE
from web.language import LANGUAGES

pages = Blueprint("account", __name__)

THEME_COOKIE = "ocm_theme"
THEMES = ("light", "dark")
YEAR_S = 365 * 24 * 3600


@pages.get("/account")
def overview() -> Any:
    visitor = security.visitor()
    sessions = security.office().accounts.sessions_of(visitor)
    return render_template("account/account.html", visitor=visitor, sessions=sessions)


@pages.get("/password")
def password() -> Any:
    return render_template("account/password.html", wrong="", shortest=SHORTEST_PASSWORD, visitor=security.visitor())


@pages.post("/password")
def change_password() -> Any:
    visitor = security.visitor()
    old, new, again = (request.form.get(field, "")[:1000] for field in ("old", "new", "again"))
    try:
        if new != again:
            raise Refused(gettext("The two new passwords are not the same."))
        security.office().accounts.change_password(visitor, old, new)
    except (Refused, WrongPassword) as error:
        page = render_template("account/password.html", wrong=str(error), shortest=SHORTEST_PASSWORD, visitor=visitor)
        return page, 422
    flash(gettext("Your password has been changed; your other sessions have been ended."), "success")
    return redirect("/")


@pages.post("/account/log-out-elsewhere")
def log_out_elsewhere() -> Any:
    ended = security.office().accounts.log_out_elsewhere(security.visitor())
    flash(gettext("%(count)s other sessions have been ended.", count=ended), "success")
    return redirect(url_for("account.overview"))


@pages.post("/language")
def choose_language() -> Any:
    language = request.form.get("language", "")
    if language not in LANGUAGES:
        abort(422)
    if g.visitor is not None:
        security.office().accounts.set_language(g.visitor, language)
    return _back_with(LANGUAGE_COOKIE, language)


@pages.post("/theme")
def choose_theme() -> Any:
    theme = request.form.get("theme", "")
    if theme not in THEMES:
        abort(422)
    return _back_with(THEME_COOKIE, theme)


def _back_with(cookie: str, value: str) -> Any:
    response = redirect(security.local_path(request.form.get("back")))
    response.set_cookie(cookie, value, max_age=YEAR_S, samesite="Lax")
    return response
