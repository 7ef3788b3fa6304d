"""Where commands write: the terminal, and a log file beside the database."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from twisted.logger import globalLogBeginner, textFileLogObserver

from ocm_cti import config as configuration
from ocm_cti.config import Config, ConfigError

#: Columns where there is no terminal to ask (a pipe, a log): tables keep their rows whole.
WIDTH_WITHOUT_TERMINAL = 180


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """``ocm report | head``: who reads has seen enough, and nothing is wrong."""
        self.quiet = True
        reader_is_gone()
        raise SystemExit(0)


def open_console() -> Console:
    """The terminal's own width and colours; wide and plain elsewhere."""
    console = _Console(highlight=False, markup=False)  # a name in brackets is a name, not a colour
    return console if console.is_terminal else _Console(highlight=False, markup=False, width=WIDTH_WITHOUT_TERMINAL)


def flush() -> bool:
    """Write out what is buffered; False: nobody reads it (``ocm report | head``), which is no fault."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        reader_is_gone()
        return False
    return True


def reader_is_gone() -> None:
    """What is still buffered has nobody to go to; the interpreter would complain about it at its end."""
    with suppress(OSError, ValueError):  # of no file: nothing is sent anywhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def load_for_ledger(path: Path) -> Config:
    """The configuration for a command that needs the ledger alone: what is wrong with the rest is told, and it goes on.

    Raises ConfigError where not even the ledger's place can be read.
    """
    try:
        return configuration.load(path)
    except ConfigError as error:
        config = configuration.load_places(path)
        click.echo(f"ocm: {error}\nocm: going on with {shown(str(config.database))} all the same", err=True)
        return config


def open_log(data: Path, *, echo: bool = False) -> TextIO:
    """``ocm.log`` in the data folder, appended to; everything logged from now on goes there, with ``echo`` also to
    standard error. The caller closes it."""
    data.mkdir(parents=True, exist_ok=True)
    file = (data / "ocm.log").open("a", encoding="utf-8")
    observers: list[Any] = [textFileLogObserver(file), *([textFileLogObserver(sys.stderr)] if echo else [])]
    globalLogBeginner.beginLoggingTo(observers, redirectStandardIO=False)
    return file


def on_clock(moment: datetime, zone: str) -> datetime:
    """On the clock of ``zone`` (of a list); "": of this machine."""
    return moment.astimezone(ZoneInfo(zone) if zone else None)


def zone_name(moment: datetime, zone: str) -> str:
    """Whose clock ``on_clock`` shows, to stand beside the time: ``Europe/Kyiv``; of this machine ``EET``."""
    return zone or moment.astimezone().tzname() or ""


def shown(text: str) -> str:
    """What somebody else's machine said, without anything that a terminal would obey."""
    return "".join(character if character.isprintable() else "\N{MIDDLE DOT}" for character in text)


def json_line(value: object) -> str:
    """One line of JSON; letters stay letters, what a terminal would obey is escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)
