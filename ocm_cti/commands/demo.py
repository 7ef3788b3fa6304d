"""``ocm demo``: the main job on one machine; two real lists, a simulated PBX as a process of its own, real voice."""

from __future__ import annotations

import json
import selectors
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ocm_cti import config as configuration
from ocm_cti.commands import serve
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.lists import import_into, start_campaign, write_reports
from ocm_cti.commands.output import open_console
from ocm_cti.service import FolderLock

SIMULATOR_READY_S = 30.0
EXTENSIONS = "301-308"
MARKER = "demo.toml"
#: What one run of the demo makes; a new run starts over.
MADE = ("ocm.db", "ocm.db-wal", "ocm.db-shm", "recordings", "report.csv", "report.xlsx", "simulator", "ocm.log")

#: Intervals of seconds where a firm has minutes, so that the demo shows a whole day's retries in about one minute.
CONFIG = """\
# Written by `ocm demo`: the simulated PBX of this run. A real PBX: see README.md.
data = "."
audio = {audio}
node = "demo"

[gateways.office]
kind = "panasonic"
link = "tcp:127.0.0.1:{csta_port}"
extensions = "{extensions}"
sip_host = "127.0.0.1"
sip_port = {sip_port}
password_pattern = "pw{{extension}}"
dial = [["+7", "98"], ["+", "9810"]]

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


@dataclass(frozen=True)
class SimulatedPBX:
    """The simulator's process and where it listens (loopback)."""

    process: subprocess.Popen[str]
    csta_port: int
    sip_port: int

    @classmethod
    def start(cls, folder: Path) -> SimulatedPBX:
        """Raises CommandError when it does not come up; its own words are in ``folder/simulator.log``."""
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "simulator.log").open("w", encoding="utf-8") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "ocm_cti.simulator.process", "--csta-port", "0", "--sip-port", "0"),
                    *(
                        "--extensions",
                        EXTENSIONS,
                        "--log",
                        str(folder / "calls.jsonl"),
                        "--heard",
                        str(folder / "heard"),
                    ),
                ],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl-C is for us: we end it after our calls are over
            )
        assert process.stdout is not None  # PIPE was asked for
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            line = process.stdout.readline() if selector.select(SIMULATOR_READY_S) else ""
        if not line:
            process.kill()
            process.wait()
            raise CommandError(f"the simulated PBX did not start; see {folder / 'simulator.log'}")
        ready = json.loads(line)
        return cls(process, ready["csta_port"], ready["sip_port"])

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def run(data: Path, fixtures: Path, once: bool) -> int:
    """Returns the exit code: 0 when every person has an outcome (or Ctrl-C without ``once``)."""
    console = open_console()
    data, fixtures = data.absolute(), fixtures.absolute()
    if not (fixtures / "lists").is_dir():
        raise CommandError(f"{fixtures}: the demo's lists are not here; run it from the source tree, or use --fixtures")
    lock = FolderLock.take(data)
    try:
        _start_over(data)
        simulator = SimulatedPBX.start(data / "simulator")
        try:
            console.print(
                f"simulated PBX: CSTA on 127.0.0.1:{simulator.csta_port}, SIP on 127.0.0.1:{simulator.sip_port}, "
                f"robot extensions {EXTENSIONS}",
                highlight=False,
            )
            config_path = data / MARKER
            config_path.write_text(_config(simulator, fixtures), encoding="utf-8")
            config = configuration.load(config_path)
            for name, file in LISTS:
                import_into(config, name, fixtures / "lists" / file, console)
                start_campaign(config, name, console)
            code = serve.run_service(config, console, once=once, drain_s=30.0)
            unfinished = write_reports(config, None, data, console)
            console.print(f"what each callee heard and said: {data / 'simulator'}", highlight=False, soft_wrap=True)
            return code if not unfinished or not once else 1
        finally:
            simulator.stop()
    finally:
        lock.release()


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


def _config(simulator: SimulatedPBX, fixtures: Path) -> str:
    return CONFIG.format(
        audio=json.dumps(str(fixtures / "audio")),
        csta_port=simulator.csta_port,
        sip_port=simulator.sip_port,
        extensions=EXTENSIONS,
        debt=json.dumps(str(fixtures / "scenarios" / "debt.toml")),
        staff=json.dumps(str(fixtures / "scenarios" / "staff.toml")),
    )
