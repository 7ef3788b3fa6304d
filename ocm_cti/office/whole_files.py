"""Files that the panel writes for people: whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from ocm_cti.office.errors import Refused


def part_beside(path: Path) -> Path:
    """A name in the same folder under which ``path`` is written until it is whole; ``*.toml`` does not match it."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


def write_part(part: Path, octets: bytes, like: Path) -> None:
    """``octets`` reach the disk, and whoever may read ``like`` may read ``part``; where there is no ``like``, only the
    server may. Raises OSError."""
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileNotFoundError):
        part.chmod(like.stat().st_mode & 0o777)


def write_whole(path: Path, text: str) -> None:
    """Also when the power goes. Raises Refused."""
    part = part_beside(path)
    try:
        write_part(part, text.encode(), path)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Refused(f"{path} can't be written: {error.strerror or error}") from None
