"""Text in JSON that no database can keep is refused before anything is done with it."""

from __future__ import annotations

import json
import re

from apiflask import APIFlask
from flask import abort, request

from web.api.description import BASE

#: Only where this stands in the body can there be such a text; the second look is the exact one.
_SUSPECT = re.compile(rb"\\ud[89a-f]", re.IGNORECASE)


def install(app: APIFlask) -> None:
    app.before_request(_refuse)


def _refuse() -> None:
    """400 for half a pair of surrogates."""
    if not request.path.startswith(BASE) or not request.is_json:
        return
    body = request.get_data(cache=True)
    if _SUSPECT.search(body) is None:
        return
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False)
    except ValueError:
        return  # no JSON at all: that is told elsewhere
    try:
        text.encode()
    except UnicodeEncodeError:
        abort(400, "half of a pair of surrogates is no text")
