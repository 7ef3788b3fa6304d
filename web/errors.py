"""What goes wrong, told in the form of whoever asked: a page, a part of a page, or problem+json (RFC 9457)."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from apiflask import APIFlask, HTTPError
from flask import Response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from ocm_cti.office.errors import NotAllowed, NotNow, NotThere, OfficeError, Refused
from web.security import in_api

#: The office's errors as HTTP has them.
STATUS: Mapping[type[OfficeError], int] = {NotThere: 404, NotAllowed: 403, Refused: 409, NotNow: 503}

_log = logging.getLogger(__name__)


def install(app: APIFlask) -> None:
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(400, _of_http)  # APIFlask's own does not say what is wrong
    app.register_error_handler(OfficeError, _of_office)
    app.register_error_handler(Exception, _of_ours)
    app.error_processor(_of_input)


def problem(status: int, detail: str = "", extra: Mapping[str, Any] | None = None) -> Response:
    """``application/problem+json``."""
    body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    if detail:
        body["detail"] = detail
    body.update(extra or {})
    text = json.dumps(body, ensure_ascii=False)
    response = Response(text, status=status, content_type="application/problem+json")
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="ocm"'
    if status == 503:
        response.headers["Retry-After"] = "2"
    return response


def status_of(error: OfficeError) -> int:
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 409)


def _of_http(error: HTTPException) -> Any:
    if error.code is None or error.code < 400:
        return error
    custom = error.description != type(error).description
    detail = error.description if custom or isinstance(error, CSRFError) else None
    response = problem(error.code, detail or "") if in_api() else _page(error.code, detail or "")
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _of_office(error: OfficeError) -> Any:
    return problem(status_of(error), str(error)) if in_api() else _page(status_of(error), str(error))


def _of_input(error: HTTPError) -> Any:
    """APIFlask's: the body or the query is not as described."""
    extra = {"errors": error.detail} if error.detail else None
    response = problem(error.status_code, error.message or "", extra)
    response.headers.update(error.headers or {})
    return response


def _of_ours(error: Exception) -> Any:
    _log.exception("a request of the panel failed: %s %s", request.method, request.path)
    return problem(500) if in_api() else _page(500, "")


def _page(status: int, detail: str) -> Response:
    phrase = HTTPStatus(status).phrase
    if request.headers.get("HX-Request"):
        return Response(render_template("part_error.html", detail=detail or phrase), status=status)
    return Response(render_template("error.html", status=status, phrase=phrase, detail=detail), status=status)
