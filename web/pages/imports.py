"""A file of people is brought, looked at, mended in what was guessed of it, and imported."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext, lazy_gettext

from ocm_cti.domain.access import Scope
from ocm_cti.office.errors import OfficeError
from ocm_cti.office.imports import AT_WORK, LARGEST, Choices, ImportJob
from web import security

pages = Blueprint("list_imports", __name__)

#: What a column may be, besides a variable.
FIELDS = {
    "phone": lazy_gettext("telephone number"),
    "name": lazy_gettext("name"),
    "id": lazy_gettext("id"),
    "groups": lazy_gettext("group"),
    "priority": lazy_gettext("priority"),
    "scenario": lazy_gettext("scenario of his own"),
    "zone": lazy_gettext("time zone"),
    "note": lazy_gettext("note"),
    "-": lazy_gettext("left out"),
}
VARIABLE = "variable"
ENCODINGS = {
    "utf-8": "UTF-8",
    "cp1251": "Windows-1251",
    "cp866": "DOS 866",
    "koi8-r": "KOI8-R",
    "koi8-u": "KOI8-U",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252",
}
DELIMITERS = {";": ";", ",": ",", "\t": lazy_gettext("tab"), "|": "|"}
#: What the child process says it is doing.
DOING = {
    "waiting": lazy_gettext("waiting for its turn"),
    "opening": lazy_gettext("opening the file"),
    "reading": lazy_gettext("reading the rows"),
    "writing": lazy_gettext("writing the list"),
}


@pages.get("/lists/<path:name>/import")
@security.needs(Scope.OPERATE)
def choose(name: str) -> Any:
    office, caller = security.office(), security.caller()
    entry = office.lists.entry(caller, name)
    at_work = office.imports.latest(caller, name)
    return render_template("lists/import.html", entry=entry, at_work=at_work, largest_mb=LARGEST // 2**20)


@pages.post("/lists/<path:name>/import")
@security.needs(Scope.OPERATE)
def bring(name: str) -> Any:
    """A form with ``file``, or the bare file with its name in ``X-File-Name`` (percent-encoded)."""
    office, caller = security.office(), security.caller()
    by_script = "X-File-Name" in request.headers
    if by_script:
        called, stream = unquote(request.headers["X-File-Name"]), request.stream
    else:
        sent = request.files.get("file")
        if sent is None:
            abort(422, gettext("Choose a file first."))
        called, stream = sent.filename or "", sent.stream
    job = office.imports.bring(caller, name, called, stream)
    address = url_for("list_imports.one", job_id=job.job_id)
    return Response(status=201, headers={"Location": address}) if by_script else redirect(address, 303)


@pages.get("/imports/<job_id>")
@security.needs(Scope.OPERATE)
def one(job_id: str) -> Any:
    """The whole page; with ``HX-Request`` the part that changes."""
    job = security.office().imports.one(security.caller(), job_id)
    return _shown(job)


@pages.post("/imports/<job_id>/look")
@security.needs(Scope.OPERATE)
def look(job_id: str) -> Any:
    desk, caller = security.office().imports, security.caller()
    job = desk.one(caller, job_id)
    return _done(job, lambda: desk.look(caller, job_id, _choices(job)))


@pages.post("/imports/<job_id>/write")
@security.needs(Scope.OPERATE)
def write(job_id: str) -> Any:
    desk, caller = security.office().imports, security.caller()
    job = desk.one(caller, job_id)
    delete_missing, sure = "delete_missing" in request.form, "sure" in request.form
    return _done(job, lambda: desk.write(caller, job_id, delete_missing=delete_missing, sure=sure))


@pages.post("/imports/<job_id>/drop")
@security.needs(Scope.OPERATE)
def drop(job_id: str) -> Any:
    desk, caller = security.office().imports, security.caller()
    name = desk.one(caller, job_id).list_name
    desk.drop(caller, job_id)
    return redirect(url_for("lists.people", name=name), 303)


@pages.get("/imports/<job_id>/refused.csv")
@security.needs(Scope.OPERATE)
def refused(job_id: str) -> Any:
    """The rows that were refused, each with the reason: to be mended and brought again."""
    job = security.office().imports.one(security.caller(), job_id)
    path = job.refused_file
    if path is None:
        abort(404)
    stem = job.called.rpartition(".")[0] or job.called
    return send_file(path, mimetype="text/csv", as_attachment=True, download_name=f"{stem}-refused.csv")


# --- inside ---


def _shown(job: ImportJob) -> Any:
    return render_template(
        "lists/_import.html" if request.headers.get("HX-Request") else "lists/import_job.html",
        job=job,
        at_work=job.state in AT_WORK,
        FIELDS=FIELDS,
        VARIABLE=VARIABLE,
        ENCODINGS=ENCODINGS,
        DELIMITERS=DELIMITERS,
        DOING=DOING,
    )


def _done(job: ImportJob, deed: Any) -> Any:
    try:
        deed()
    except OfficeError as error:
        flash(str(error), "danger")
    return redirect(url_for("list_imports.one", job_id=job.job_id), 303)


def _choices(job: ImportJob) -> Choices:
    """What the form says otherwise than it was found out; what was said before holds on."""
    form, found = request.form, job.result
    said = dict(job.choices.said)
    mapping = found.get("mapping", {})
    for place, heading in enumerate(found.get("header", [])):
        field = form.get(f"field-{place}", "")
        if field == VARIABLE:
            field = form.get(f"variable-{place}", "").strip()
        if heading and field and field != mapping.get(heading):
            said[heading] = field
    encoding, delimiter = form.get("encoding", ""), form.get("delimiter", "")
    return Choices(
        encoding=encoding if encoding in ENCODINGS else "",
        delimiter=delimiter if delimiter in DELIMITERS else "",
        sheet=form.get("sheet", "") if form.get("sheet", "") in found.get("sheets", []) else "",
        said=said,
    )
