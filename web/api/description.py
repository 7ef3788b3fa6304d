"""The OpenAPI 3.1 description of the API, at ``/api/v1/openapi.json``: what is common to all operations."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint, APIFlask

BASE = "/api/v1"
PATH = f"{BASE}/openapi.json"

INTRODUCTION = """\
Lists, campaigns and what comes of them. Every request needs a token (`Authorization: Bearer ocm_…`), which an
administrator makes; its scope is `read`, `operate` or `admin`, each containing those before it.

Pages: ask with `limit`; the answer's `after` is what the next page is asked with, and null on the last.
A POST with an `Idempotency-Key` is done once, however often it is sent (where the operation takes one).
Errors are `application/problem+json` (RFC 9457).
Times are ISO 8601 with their offset, UTC in answers.
"""

#: What any operation may answer instead.
PROBLEMS = {
    "400": "The request is no JSON, or its Idempotency-Key is unusable",
    "401": "No token, or none that works",
    "403": "The token's scope does not reach so far",
    "404": "There is no such thing",
    "409": "A rule is against it as things are; the detail says which",
    "413": "The body is larger than the operation takes",
    "415": "The body is not application/json",
    "422": "The request is not as described; `errors` says where",
    "503": "The server does not answer at this moment",
}

PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "object"},
    },
}

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Sent again with the same body, the request is not done again",
    "schema": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9_.:-]+$"},
}

_WAV = {"audio/wav": {"schema": {"type": "string", "format": "binary"}}}
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
#: What an operation answers that gives a sound.
SOUND: dict[int | str, dict[str, Any]] = {
    200: {"description": "The whole sound", "content": _WAV},
    206: {"description": "The part that `Range` asks for", "content": _WAV},
    416: {"description": "There is no such part", "content": _PROBLEM},
}

#: Their answer is a secret, which is not kept: so they can't be answered a second time.
WITHOUT_KEY = frozenset({"import_people", "make_token", "make_webhook", "test_webhook"})

_METHODS = ("get", "post", "put", "patch", "delete")


def blueprint(name: str) -> APIBlueprint:
    """One noun of the API."""
    return APIBlueprint(f"api_{name}", __name__, url_prefix=BASE, tag=name)


def install(app: APIFlask) -> None:
    app.config.update(
        OPENAPI_VERSION="3.1.0",
        AUTO_404_RESPONSE=False,
        AUTO_AUTH_ERROR_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_TAGS=False,
        AUTO_SERVERS=False,
        JSON_SORT_KEYS=False,
    )
    app.description = INTRODUCTION
    app.security_schemes = {"token": {"type": "http", "scheme": "bearer"}}
    app.spec_processor(_finished)


def _finished(spec: Any) -> Any:
    spec["security"] = [{"token": []}]
    spec.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    for path in spec["paths"].values():
        for method in _METHODS:
            operation = path.get(method)
            if operation is None:
                continue
            for status, words in PROBLEMS.items():
                operation["responses"].setdefault(
                    status,
                    {
                        "description": words,
                        "content": _PROBLEM,
                    },
                )
            if "requestBody" in operation and _needs_body(spec, operation):
                operation["requestBody"]["required"] = True
            if method == "post" and operation["operationId"] not in WITHOUT_KEY:
                operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    return spec


def _needs_body(spec: Any, operation: Any) -> bool:
    """Whether the body has a field without which the request means nothing."""
    [content] = operation["requestBody"]["content"].values()
    schema = content["schema"]
    return bool(spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]].get("required"))
