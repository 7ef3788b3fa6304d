"""API tokens: other systems that use OCM."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, render_template, request
from flask_babel import gettext

from ocm_cti.domain.access import Scope
from ocm_cti.office.errors import OfficeError
from web import security
from web.pages.set_up import administrators_only, done

pages = Blueprint("tokens", __name__, url_prefix="/set-up/tokens")


@pages.get("")
def overview() -> Any:
    administrators_only()
    return _page()


@pages.post("")
def make() -> Any:
    administrators_only()
    name = request.form.get("name", "").strip()
    scope = next((one for one in Scope if one.value == request.form.get("scope")), Scope.READ)
    try:
        secret, _ = security.office().accounts.make_token(security.caller(), name, scope)
    except OfficeError as error:
        flash(str(error), "danger")
        return _page(), 422
    return _page(secret=secret), 201


@pages.post("/<int:token_id>/revoke")
def revoke(token_id: int) -> Any:
    administrators_only()
    accounts = security.office().accounts
    return done(
        lambda: accounts.revoke_token(security.caller(), token_id),
        gettext("The token has been revoked: it works no more."),
        "tokens.overview",
    )


def _page(secret: str = "") -> str:
    tokens = security.office().accounts.tokens(security.caller())
    return render_template("set_up/tokens.html", tokens=tokens, scopes=list(Scope), secret=secret)
