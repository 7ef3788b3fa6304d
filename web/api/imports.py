"""Files of people that become lists: bring one, see how far it is, fetch the rows that were refused."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import AwareDateTime, Boolean, Dict, File, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Regexp
from flask import abort, send_file, url_for

from ocm_cti.domain.access import Scope
from ocm_cti.office.imports import Choices, ImportJob
from web import security
from web.api.common import must
from web.api.description import blueprint

api = blueprint("imports")

TABLE: dict[int | str, dict[str, Any]] = {
    200: {"description": "CSV", "content": {"text/csv": {"schema": {"type": "string"}}}}
}


class Brought(Schema):
    file = File(  # type: ignore[no-untyped-call]
        required=True, metadata={"description": "CSV, XLSX, XLS, ODS or DBF of at most 300 MB"}
    )
    dry_run = Boolean(load_default=False, metadata={"description": "Say what would come of it, write nothing"})
    encoding = String(load_default="", validate=Length(max=40), metadata={"description": "Else it is found out"})
    delimiter = String(load_default="", validate=OneOf(["", ";", ",", "\t", "|"]))
    sheet = String(load_default="", validate=Length(max=200), metadata={"description": "Of a workbook; else the first"})
    map = List(
        String(validate=[Length(max=300), Regexp(r"(?s).+=[^=]+\Z")]),
        load_default=[],
        metadata={"description": "What columns are, each as HEADING=FIELD: phone, name, id, …, - or a variable"},
    )
    delete_missing = Boolean(load_default=False, metadata={"description": "Who is not in the file goes off the list"})
    sure = Boolean(load_default=False, metadata={"description": "Also when that is most of the list"})


class Refusal(Schema):
    row = Integer(required=True, metadata={"description": "As a spreadsheet counts them"})
    reason = String(required=True)


class Import(Schema):
    id = String(required=True)
    list = String(required=True)
    file = String(required=True)
    state = String(required=True, metadata={"description": "looking, looked (dry run), writing, done, failed"})
    why = String(required=True, metadata={"description": "Why it failed"})
    brought_at = AwareDateTime(required=True)
    rows_done = Integer(required=True)
    rows_total = Integer(required=True)
    created = Integer(required=True, allow_none=True)
    updated = Integer(required=True, allow_none=True)
    unchanged = Integer(required=True, allow_none=True)
    deleted = Integer(required=True, allow_none=True)
    refused = Integer(required=True, allow_none=True)
    refusals = List(Nested(Refusal), required=True, metadata={"description": "The first 500"})
    encoding = String(required=True)
    delimiter = String(required=True)
    mapping = Dict(String(), String(), required=True)


def _plain(job: ImportJob) -> dict[str, Any]:
    result = job.result
    counts = {key: result.get(key) for key in ("created", "updated", "unchanged", "deleted", "refused")}
    return {
        "id": job.job_id,
        "list": job.list_name,
        "file": job.called,
        "state": job.state,
        "why": job.why,
        "brought_at": job.brought_at,
        "rows_done": job.done,
        "rows_total": job.total,
        **counts,
        "refusals": result.get("refusals", []),
        "encoding": result.get("encoding", ""),
        "delimiter": result.get("delimiter", ""),
        "mapping": result.get("mapping", {}),
    }


@api.post("/lists/<path:name>/imports")
@api.input(Brought, location="form_and_files")
@api.output(Import, status_code=202)
@api.doc(summary="Import a file into a list; who is on it already is updated", operation_id="import_people")
def bring(name: str, form_and_files_data: dict[str, Any]) -> Any:
    must(Scope.OPERATE)
    sent = form_and_files_data
    choices = Choices(
        encoding=sent["encoding"],
        delimiter=sent["delimiter"],
        sheet=sent["sheet"],
        said=dict(one.rsplit("=", 1) for one in sent["map"]),
        delete_missing=sent["delete_missing"],
        sure=sent["sure"],
    )
    file = sent["file"]
    job = security.office().imports.bring(
        security.caller(), name, file.filename or "", file.stream, choices, at_once=not sent["dry_run"]
    )
    return _plain(job), 202, {"Location": url_for("api_imports.one", job_id=job.job_id)}


@api.get("/imports/<string:job_id>")
@api.output(Import)
@api.doc(summary="How far an import is, and what came of it", operation_id="import")
def one(job_id: str) -> Any:
    return _plain(security.office().imports.one(security.caller(), job_id))


@api.get("/imports/<string:job_id>/refused")
@api.doc(
    summary="The rows that were refused, with the reasons: to be mended and brought again",
    operation_id="refused_rows",
    responses=TABLE,
)
def refused(job_id: str) -> Any:
    path = security.office().imports.one(security.caller(), job_id).refused_file
    if path is None:
        abort(404, "no row was refused")
    return send_file(path, mimetype="text/csv")
