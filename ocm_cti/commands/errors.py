"""What a command reports as one line with exit code 2: the input, the configuration or the surroundings are wrong."""

from __future__ import annotations

from ocm_cti.config import ConfigError
from ocm_cti.imports.errors import ImportFailed
from ocm_cti.office.errors import OfficeError
from ocm_cti.reports.whole import ReportNotWritten
from ocm_cti.service import DataFolderBusy, DataFolderUnusable
from ocm_cti.store.errors import StoreError
from web.serving import PanelPortTaken


class CommandError(Exception):
    """The command can't do what was asked; the text says why and what to do next."""


EXPECTED: tuple[type[Exception], ...] = (
    CommandError,
    ConfigError,
    DataFolderBusy,
    DataFolderUnusable,
    ImportFailed,
    OfficeError,
    PanelPortTaken,
    ReportNotWritten,
    StoreError,
)
