"""A file appears whole under its name, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xlsxwriter.exceptions import XlsxWriterException


class ReportNotWritten(Exception):
    """The file can't be written; the text has its path and the reason. An older one of that name is untouched."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A name to write under; the file takes its own name when the block has ended well. Raises ReportNotWritten."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield unfinished
        unfinished.replace(path)
    except (OSError, XlsxWriterException) as error:
        reason = getattr(error, "strerror", None) or error
        raise ReportNotWritten(
            f"{path}: the report can't be written: {reason} (is it open in another program?)"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
