"""What all commands have in common: the configuration, and how their errors are told."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

EXISTING_FILE = click.Path(exists=False, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


def one_line_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """What went wrong outside of us is one line and exit code 2; a bug of ours stays a traceback; a reader that goes
    away is no fault at all."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        from ocm_cti.commands.errors import EXPECTED
        from ocm_cti.commands.output import flush

        try:
            return command(*args, **kwargs)
        except EXPECTED as error:
            click.echo(f"ocm: {error}", err=True)
            sys.exit(2)
        except BrokenPipeError:
            if flush():  # it was another pipe
                raise
            sys.exit(0)
        finally:
            flush()

    return wrapped


def config_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "-c",
        "--config",
        "config_path",
        type=EXISTING_FILE,
        default=Path("ocm.toml"),
        show_default=True,
        help="The configuration: which PBX, which extensions, which lists.",
    )(command)
