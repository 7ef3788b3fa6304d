"""Coming in and going out."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, g, redirect, render_template, request, url_for
from flask_babel import gettext

from ocm_cti.office.accounts import ClosedFor, WrongPassword
from ocm_cti.store.sessions import IDLE
from web import security
from web.language import span

pages = Blueprint("login", __name__)


@pages.get("/login")
def form() -> Any:
    if g.visitor is not None:
        return redirect(security.local_path(request.args.get("next")))
    return render_template("account/login.html", name="", wrong="", next=request.args.get("next", ""))


@pages.post("/login")
def enter() -> Any:
    office = security.office()
    name, password = request.form.get("name", "")[:200], request.form.get("password", "")[:1000]
    wanted = request.form.get("next", "")
    address, agent = request.remote_addr or "", request.headers.get("User-Agent", "")
    with current_app.extensions["login_limit"]:
        try:
            token = office.accounts.log_in(name, password, address, agent)
        except WrongPassword:
            wrong = gettext("Wrong name or password.")
        except ClosedFor as closed:
            wait = span(closed.until_at - office.now())
            wrong = gettext("Too many wrong passwords. Try again in %(wait)s.", wait=wait)
        else:
            response = redirect(security.local_path(wanted))
            response.set_cookie(
                security.COOKIE,
                token,
                max_age=IDLE * 2,
                httponly=True,
                samesite="Lax",
                secure=current_app.config["SESSION_COOKIE_SECURE"] or request.is_secure,
            )
            return response
    return render_template("account/login.html", name=name, wrong=wrong, next=wanted), 403


@pages.post("/logout")
def leave() -> Any:
    if token := request.cookies.get(security.COOKIE):
        security.office().accounts.log_out(token)
    response = redirect(url_for("login.form"))
    response.delete_cookie(security.COOKIE)
    return response
