"""Webhooks: other systems that OCM tells of events, and what became of the messages."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, render_template, request
from flask_babel import gettext, lazy_gettext

from ocm_cti.domain import webhooks as rules
from ocm_cti.office.errors import OfficeError
from ocm_cti.office.webhooks import Hook
from web import security
from web.pages.set_up import administrators_only, done

pages = Blueprint("webhooks", __name__, url_prefix="/set-up/webhooks")

PAGE = 50
EVENTS = {
    rules.ATTEMPT_FINISHED: lazy_gettext("a call has ended"),
    rules.CAMPAIGN_STARTED: lazy_gettext("a campaign has started"),
    rules.CAMPAIGN_PAUSED: lazy_gettext("a campaign is paused, by hand or by itself"),
    rules.CAMPAIGN_RESUMED: lazy_gettext("a campaign goes on"),
    rules.CAMPAIGN_STOPPED: lazy_gettext("a campaign has been stopped"),
    rules.CAMPAIGN_FINISHED: lazy_gettext("a campaign is over"),
}
#: state of a message -> (word, Tabler colour)
MESSAGES = {
    "waiting": (lazy_gettext("waiting"), "yellow"),
    "delivered": (lazy_gettext("delivered"), "green"),
    "given_up": (lazy_gettext("given up"), "red"),
}


@pages.get("")
def overview() -> Any:
    administrators_only()
    return _page()


@pages.post("")
def add() -> Any:
    """The secret is shown once, to be copied into the other system."""
    administrators_only()
    url = request.form.get("url", "").strip()
    events, lists = request.form.getlist("events"), [name for name in request.form.getlist("lists") if name]
    try:
        made = security.office().webhooks.add(security.caller(), url, events, lists)
    except OfficeError as error:
        flash(str(error), "danger")
        return _page(url=url, events=events), 422
    return _page(made=made), 201


@pages.get("/<int:webhook_id>")
def one(webhook_id: int) -> Any:
    administrators_only()
    desk, caller = security.office().webhooks, security.caller()
    hook = desk.one(caller, webhook_id)
    found = desk.messages(caller, webhook_id, request.args.get("after", type=int), PAGE + 1)
    after = found[PAGE - 1].message_row if len(found) > PAGE else None
    return render_template(
        "set_up/webhook.html", hook=hook, messages=found[:PAGE], after=after, EVENTS=EVENTS, MESSAGES=MESSAGES
    )


@pages.post("/<int:webhook_id>/test")
def test(webhook_id: int) -> Any:
    administrators_only()
    return done(
        lambda: security.office().webhooks.test(security.caller(), webhook_id),
        gettext("A test message goes out; in a moment this page says what came of it."),
        "webhooks.one",
        webhook_id=webhook_id,
    )


@pages.post("/<int:webhook_id>/again")
def again(webhook_id: int) -> Any:
    administrators_only()
    return done(
        lambda: security.office().webhooks.again(security.caller(), webhook_id),
        gettext("What was not taken is sent again."),
        "webhooks.one",
        webhook_id=webhook_id,
    )


@pages.post("/<int:webhook_id>/switch")
def switch(webhook_id: int) -> Any:
    administrators_only()
    off = "off" in request.form
    return done(
        lambda: security.office().webhooks.switch(security.caller(), webhook_id, off=off),
        gettext("It gets no more messages.") if off else gettext("It gets messages again."),
        "webhooks.one",
        webhook_id=webhook_id,
    )


@pages.post("/<int:webhook_id>/remove")
def remove(webhook_id: int) -> Any:
    administrators_only()
    return done(
        lambda: security.office().webhooks.remove(security.caller(), webhook_id),
        gettext("The webhook is gone."),
        "webhooks.overview",
    )


def _page(made: Hook | None = None, url: str = "", events: list[str] | None = None) -> str:
    office, caller = security.office(), security.caller()
    return render_template(
        "set_up/webhooks.html",
        hooks=office.webhooks.everyone(caller),
        lists=[entry.name for entry in office.lists.overview(caller)],
        EVENTS=EVENTS,
        made=made,
        url=url,
        events=events or [],
    )
