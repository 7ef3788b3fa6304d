"""Style sheets, scripts and pictures: read and packed once, each under an address that changes with its content."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask

FOLDER = Path(__file__).parent / "static"
_PACKED = frozenset({".css", ".js", ".svg", ".json"})


@dataclass(frozen=True)
class StaticFile:
    """``packed`` None: it doesn't get smaller."""

    content: bytes
    packed: bytes | None
    content_type: str
    version: str


@cache
def files() -> dict[str, StaticFile]:
    """By path below ``/static/``."""
    return {path.relative_to(FOLDER).as_posix(): _read(path) for path in sorted(FOLDER.rglob("*")) if path.suffix != ""}


def _read(path: Path) -> StaticFile:
    content = path.read_bytes()
    packed = gzip.compress(content, mtime=0) if path.suffix in _PACKED else None
    kind = mimetypes.types_map.get(path.suffix, "application/octet-stream")
    if kind.startswith("text/") or path.suffix in _PACKED:
        kind += "; charset=utf-8"
    return StaticFile(content, packed, kind, hashlib.sha256(content).hexdigest()[:12])


def install(app: Flask) -> None:
    @app.url_defaults
    def with_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and (found := files().get(values.get("filename", ""))) is not None:
            values["v"] = found.version
