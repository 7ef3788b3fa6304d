"""``ocm demo``: the main job on one machine; two real lists, a switch of its own with callees, real voice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Protocol

from ocm_cti import config as configuration
from ocm_cti.commands import serve
from ocm_cti.commands.campaigns import start_campaign
from ocm_cti.commands.demo_asterisk import OfficeAsterisk, Operator
from ocm_cti.commands.demo_panasonic import SimulatedPBX
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.import_screen import print_import
from ocm_cti.commands.imports import import_into
from ocm_cti.commands.output import open_console
from ocm_cti.commands.reports import Wanted, write_reports
from ocm_cti.office.accounts import FIRST_PASSWORD_FILE
from ocm_cti.service import FolderLock, PanelAddress

MARKER = "demo.toml"
#: Which switches there are, and where in the data folder each one leaves its own account.
FOLDERS = {"panasonic": "simulator", "asterisk": "network", "sip": "operator"}
#: What one run of the demo makes; a new run starts over.
MADE = (
    "ocm.db",
    "ocm.db-wal",
    "ocm.db-shm",
    "asterisk",
    "recordings",
    "report.csv",
    "report-attempts.csv",
    "report-answers.csv",
    "report-summary.csv",
    "report.xlsx",
    *FOLDERS.values(),
    "ocm.log",
    FIRST_PASSWORD_FILE,
)

#: Intervals of seconds where a firm has minutes, so that the demo shows a whole day's retries in about one minute.
CONFIG = """\
# Written by `ocm demo`: the switch of this run. A real one: see README.md.
data = "."
audio = {audio}
node = "demo"

{gateway}

[lists.debtors]
scenario = {debt}
language = "ru"
region = "RU"
ring_timeout_s = 7.0
tries_per_person = 6
tries_per_number = 3
retry.busy = {{ tries = 3, delay_s = 4.0 }}
retry.no_answer = {{ tries = 2, delay_s = 4.0 }}
retry.cut_short = {{ tries = 2, delay_s = 4.0 }}
retry.unreachable = {{ tries = 2, delay_s = 4.0 }}

[lists.staff]
scenario = {staff}
language = "ru"
region = "RU"
ring_timeout_s = 7.0
tries_per_person = 4
tries_per_number = 2
retry.busy = {{ tries = 2, delay_s = 4.0 }}
retry.no_answer = {{ tries = 2, delay_s = 4.0 }}
retry.cut_short = {{ tries = 1, delay_s = 4.0 }}
"""

LISTS = (("debtors", "debtors.csv"), ("staff", "staff.xlsx"))


class Switch(Protocol):
    """A telephone system with callees that the demo has started."""

    folder: Path

    @property
    def introduction(self) -> str:
        """One line: what it is and where it listens."""

    @property
    def gateway(self) -> str:
        """``[gateways.NAME]`` for it."""

    def stop(self) -> None: ...


def run(data: Path, fixtures: Path, once: bool, switch: str = "panasonic", panel: PanelAddress | None = None) -> int:
    """``switch`` is a key of FOLDERS. Returns the exit code: 0 when every person has an outcome (or Ctrl-C without
    ``once``).
    """
    console = open_console()
    data, fixtures = data.absolute(), fixtures.absolute()
    if not (fixtures / "lists").is_dir():
        raise CommandError(f"{fixtures}: the demo's lists are not here; run it from the source tree, or use --fixtures")
    lock = FolderLock.take(data)
    try:
        _start_over(data)
        running = _start(switch, data / FOLDERS[switch], fixtures)
        try:
            console.print(running.introduction, highlight=False)
            config_path = data / MARKER
            config_path.write_text(_config(running, fixtures), encoding="utf-8")
            config = configuration.load(config_path)
            for name, file in LISTS:
                print_import(console, name, file, import_into(config, name, fixtures / "lists" / file, console))
                start_campaign(config, name, console)
            code = serve.run_service(config, console, once=once, drain_s=30.0, panel=panel)
            unfinished = write_reports(config, Wanted(), data, console)
            console.print(f"what each callee heard and said: {running.folder}", highlight=False, soft_wrap=True)
            return code if not unfinished or not once else 1
        finally:
            running.stop()
    finally:
        lock.release()


def _start(switch: str, folder: Path, fixtures: Path) -> Switch:
    match switch:
        case "asterisk":
            return OfficeAsterisk.start(folder, fixtures)
        case "sip":
            return Operator.start(folder, fixtures)
        case _:
            return SimulatedPBX.start(folder)


def _start_over(data: Path) -> None:
    """Only a folder that a demo made (or an empty one) is cleared: never somebody's real ledger."""
    if (data / "ocm.db").exists() and not (data / MARKER).exists():
        raise CommandError(f"{data}: there is a database that is not a demo's; name another folder with --data")
    for name in MADE:
        path = data / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _config(switch: Switch, fixtures: Path) -> str:
    return CONFIG.format(
        audio=json.dumps(str(fixtures / "audio")),
        gateway=switch.gateway,
        debt=json.dumps(str(fixtures / "scenarios" / "debt.toml")),
        staff=json.dumps(str(fixtures / "scenarios" / "staff.toml")),
    )
