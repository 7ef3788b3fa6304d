"""The studio: messages to play, upload, record, speak; and a scenario as somebody would hear it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext, lazy_gettext

from ocm_cti.domain.access import Scope
from ocm_cti.office.errors import NotThere, OfficeError, Refused
from ocm_cti.office.hearing import SILENT, WILLING, Hearing
from ocm_cti.office.studio import LANGUAGES as SPOKEN
from ocm_cti.office.studio import LONGEST_TEXT, Sound
from web import security
from web.errors import status_of
from web.language import language

pages = Blueprint("studio", __name__, url_prefix="/studio")

#: A file and its name; the office refuses a little less, with clearer words.
LONGEST_BODY = 21 * 1024 * 1024
FOUND = 8
#: Of the synthesizer on Linux: after the language's own voice, others made of it.
VARIANTS = (
    ("+f2", lazy_gettext("woman 1")),
    ("+f3", lazy_gettext("woman 2")),
    ("+f4", lazy_gettext("woman 3")),
    ("+m2", lazy_gettext("man 1")),
    ("+m3", lazy_gettext("man 2")),
    ("+m7", lazy_gettext("man 3")),
)


@pages.get("")
def overview() -> Any:
    office, caller = security.office(), security.caller()
    search = request.args.get("search", "").strip()[:200]
    messages = office.studio.messages(caller, search)
    shared = {"messages": messages, "search": search, "may_operate": caller.may(Scope.OPERATE)}
    if request.headers.get("HX-Request"):
        return render_template("studio/_messages.html", **shared)
    return render_template(
        "studio/studio.html",
        languages=SPOKEN,
        spoken_first=language() if language() in SPOKEN else SPOKEN[0],
        variants=VARIANTS,
        longest=LONGEST_TEXT,
        lists=[entry for entry in office.lists.overview(caller) if entry.configured and entry.people],
        **shared,
    )


@pages.get("/messages/<string:message_id>/wave")
def wave(message_id: str) -> Any:
    """How the sound looks, as a part of a page; of a file that is none, why."""
    try:
        sound = security.office().studio.sound(security.caller(), message_id)
    except Refused as error:
        return render_template("studio/_no_wave.html", why=str(error))
    return render_template("studio/_wave.html", sound=sound)


@pages.get("/messages/<string:message_id>.wav")
def message(message_id: str) -> Any:
    """As it comes out of a telephone."""
    return played(security.office().studio.sound(security.caller(), message_id))


@pages.post("/messages")
def upload() -> Any:
    request.max_content_length = LONGEST_BODY
    brought = request.files.get("file")
    if brought is None or not brought.filename:
        return _done(lambda: _refuse(gettext("Choose a file first.")), "")
    name = request.form.get("name", "").strip() or brought.filename
    office = security.office()
    return _done(
        lambda: office.studio.upload(security.caller(), name, brought.stream), gettext("The message has been added.")
    )


@pages.post("/messages/spoken")
def keep_spoken() -> Any:
    text, spoken, voice = _spoken()
    name = request.form.get("name", "")
    return _done(
        lambda: security.office().studio.keep_spoken(security.caller(), name, text, spoken, voice),
        gettext("The message has been added."),
    )


@pages.post("/messages/<string:message_id>/rename")
def rename(message_id: str) -> Any:
    name = request.form.get("name", "")
    return _done(
        lambda: security.office().studio.rename(security.caller(), message_id, name),
        gettext("The message has another name now."),
    )


@pages.post("/messages/<string:message_id>/delete")
def delete(message_id: str) -> Any:
    return _done(
        lambda: security.office().studio.delete(security.caller(), message_id), gettext("The message has been deleted.")
    )


@pages.post("/spoken")
def spoken() -> Any:
    """A text as it sounds, before it is kept: a part of a page."""
    text, spoken_in, voice = _spoken()
    sound = security.office().studio.spoken(security.caller(), text, spoken_in, voice)
    address = url_for("studio.spoken_sound", text=text, language=spoken_in, voice=voice or None)
    return render_template("studio/_sound.html", sound=sound, address=address)


@pages.get("/spoken.wav")
def spoken_sound() -> Any:
    return played(security.office().studio.spoken(security.caller(), *_spoken()))


@pages.get("/people")
def people() -> Any:
    """Who may be meant, as a part of a page."""
    office, caller = security.office(), security.caller()
    name, search = request.args.get("list", ""), request.args.get("search", "").strip()
    try:
        page = office.lists.people(caller, name, search, 0, FOUND)
    except NotThere:
        return render_template("studio/_people.html", people=(), scenarios=())
    return render_template("studio/_people.html", people=page.people, scenarios=office.hearing.scenarios(caller))


@pages.get("/heard")
def heard() -> Any:
    how = _hearing()
    found = security.office().hearing.hear(security.caller(), how)
    address = url_for(
        "studio.heard_sound", list=how.list_name, person=how.subscriber_id, scenario=how.scenario, answers=how.answers
    )
    return render_template("studio/_heard.html", heard=found, sound=found.sound, address=address)


@pages.get("/heard.wav")
def heard_sound() -> Any:
    return played(security.office().hearing.hear(security.caller(), _hearing()).sound)


def played(sound: Sound) -> Response:
    """As WAV, in parts where the player asks for parts."""
    response = send_file(BytesIO(sound.wav), mimetype="audio/wav", conditional=True, download_name="message.wav")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _spoken() -> tuple[str, str, str]:
    """Text, language, voice; a variant is one of the language's own voice."""
    given = request.values
    spoken_in, voice = given.get("language", ""), given.get("voice", "")
    if voice.startswith("+"):
        voice = {"en": "en-us"}.get(spoken_in, spoken_in) + voice
    return given.get("text", ""), spoken_in, voice


def _hearing() -> Hearing:
    given = request.args
    answers = given.get("answers", WILLING)
    if answers == "keys":
        answers = given.get("keys", "").strip()[:400] or SILENT
    person = given.get("person", 0, type=int)
    return Hearing(
        given.get("list", "")[:200], max(0, min(person, 2**31 - 1)), given.get("scenario", "")[:200], answers
    )


def _refuse(text: str) -> None:
    raise Refused(text)


def _done(deed: Any, words: str) -> Any:
    """Back to the page with what came of it; for a script only a line that says so."""
    try:
        deed()
        text, kind, status = words, "success", 200
    except OfficeError as error:
        text, kind, status = str(error), "danger", status_of(error)
    if request.headers.get("HX-Request"):
        return Response(render_template("part_notice.html", text=text, kind=kind), status=status)
    flash(text, kind)
    return redirect(url_for("studio.overview"))
