"""Words for the codes of the domain, and how they look; the same words as in the reports."""

from __future__ import annotations

from flask import Flask
from flask_babel import gettext, lazy_gettext

from ocm_cti.domain.access import Role, Scope
from ocm_cti.reports.words import Words
from web.language import language

#: outcome -> the class of its colour, best first; the word always stands beside it.
OUTCOMES = {
    "confirmed": "confirmed",
    "delivered": "delivered",
    "cut_short": "half",
    "machine": "half",
    "busy": "again",
    "no_answer": "again",
    "rejected": "bad",
    "invalid_number": "bad",
    "unreachable": "bad",
    "line_fault": "fault",
    "stopped": "ended",
    "unknown": "fault",
}
#: LineState.name -> (word, class, icon)
LINES = {
    "OUT_OF_SERVICE": (lazy_gettext("out of service"), "fault", "phone-off"),
    "IDLE": (lazy_gettext("idle"), "idle", "phone"),
    "PREPARING": (lazy_gettext("preparing"), "begin", "clock"),
    "DIALING": (lazy_gettext("dialling"), "begin", "phone-outgoing"),
    "RINGING": (lazy_gettext("ringing"), "ring", "bell-ringing"),
    "TALKING": (lazy_gettext("talking"), "talk", "phone-calling"),
    "CLOSING": (lazy_gettext("closing"), "begin", "phone-off"),
}
#: campaign state -> (word, Tabler colour)
STATES = {
    "running": (lazy_gettext("running"), "green"),
    "paused": (lazy_gettext("paused"), "yellow"),
    "stopping": (lazy_gettext("stopping"), "orange"),
    "hanging_up": (lazy_gettext("hanging up"), "red"),
    "done": (lazy_gettext("done"), "secondary"),
}
#: LinkState.name -> (word, Tabler colour)
LINKS = {
    "UP": (lazy_gettext("connected"), "green"),
    "CONNECTING": (lazy_gettext("connecting"), "yellow"),
    "DOWN": (lazy_gettext("down"), "red"),
    "REFUSED": (lazy_gettext("refused"), "red"),
}
ROLES = {
    Role.ADMIN: lazy_gettext("administrator"),
    Role.OPERATOR: lazy_gettext("operator"),
    Role.AUDITOR: lazy_gettext("auditor"),
}


#: what a token may
SCOPES = {
    Scope.READ: lazy_gettext("read"),
    Scope.OPERATE: lazy_gettext("read, start and stop"),
    Scope.ADMIN: lazy_gettext("everything"),
}


def outcome(code: str) -> str:
    return Words(language()).code_in_prose(code)


def waits(code: str) -> str:
    """Why the next person is not called yet; "" for a code without words."""
    known = {
        "window": gettext("outside calling hours"),
        "speech": gettext("messages are being made"),
        "start": gettext("appointed start"),
        "cap": gettext("called often enough lately"),
        "due": gettext("waiting for a free line"),
        "line_fault": gettext("after a fault of the line"),
        "next_number": gettext("next number"),
        "paused": gettext("the campaign is paused"),
        "not_serving": gettext("no server is at work"),
        "speech_failed": gettext("the message could not be made yet"),
        "stop_list": gettext("on a stop list"),
        "gateway_down": gettext("no switch is connected"),
        "list_limit": gettext("the list has all its lines"),
        "no_port": gettext("all lines are busy"),
        "higher_priority": gettext("others go first"),
        "being_called": gettext("being called elsewhere"),
    }
    return known.get(code, "") or (outcome(code) if code.startswith("retry") else "")


def install(app: Flask) -> None:
    app.jinja_env.filters.update(outcome=outcome, waits=waits)
    app.jinja_env.globals.update(
        OUTCOMES=OUTCOMES, LINES=LINES, STATES=STATES, LINKS=LINKS, ROLES=ROLES, SCOPES=SCOPES, Scope=Scope
    )
