"""Two PBXes of files at once: one by a serial line, with people handed over to its office and call records; one by TCP
whose extensions dial by themselves, over an analogue line that tells nothing. Everything as processes."""

from __future__ import annotations

import csv
import json
import os
import selectors
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from whole_system import FIXTURES, PATIENCE_S, ROOT, account, ocm

pytestmark = pytest.mark.end_to_end

PBXES = ("north", "south")
PEOPLE = """
[[callee]]
suffix = ""
name = "asks for the office"
answer_after_s = 1.0
steps = ["listen", "press 0", "hear_out"]
"""
NORTH = """
callees = "people.toml"
[csta]
serial = "pty"
[smdr]
pattern = "B"
cost_per_min = 60.0
[keep]
journal = "north/calls.jsonl"
[[extensions]]
number = "301-302"
[[extensions]]
number = "201"
kind = "phone"
answer_after_s = 1.0
steps = ["say 1", "hang_up"]
"""
SOUTH = """
[keep]
journal = "south/calls.jsonl"
heard = "south/heard"
[[extensions]]
number = "401-402"
[[trunk_groups]]
name = "analogue"
access_code = "9"
kind = "lco"
trunks = 4
[variants]
lco_established_after_s = 2.0
"""


@contextmanager
def simulated(folder: Path, name: str, text: str) -> Iterator[dict[str, Any]]:
    """A PBX of a file; its ready line."""
    (folder / name).mkdir()
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ocm_cti.cli", "simulate", "--config", str(folder / f"{name}.toml")],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    assert process.stdout is not None
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            line = process.stdout.readline() if selector.select(PATIENCE_S) else ""
        assert line, (folder / f"{name}.log").read_text()
        yield json.loads(line)
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def call_everybody(folder: Path, config: str, people: str) -> list[dict[str, str]]:
    """Import, start, serve until all is done; the rows of the report."""
    path = folder / "ocm.toml"
    path.write_text(f'data = "data"\naudio = {json.dumps(str(FIXTURES / "audio"))}\n{config}', encoding="utf-8")
    (folder / "people.csv").write_text(people, encoding="utf-8")
    for command in (
        ["check"],
        ["import", "--list", "debtors", str(folder / "people.csv")],
        ["start", "debtors"],
        ["serve", "--once", "--no-table"],
        ["report", "debtors"],
    ):
        done = ocm(command[0], "-c", str(path), *command[1:])
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    with (folder / "data" / "report.csv").open(encoding="utf-8-sig", newline="") as report:
        return list(csv.DictReader(report, delimiter=";"))


def gateway(name: str, ready: dict[str, Any], link: str, extensions: str, more: str = "") -> str:
    return f"""
[gateways.{name}]
kind = "panasonic"
link = "{link}"
extensions = "{extensions}"
sip_host = "127.0.0.1"
sip_port = {ready["sip_port"]}
password_pattern = "pw{{extension}}"
dial = [["+7", "98"], ["+", "9810"]]
{more}
"""


def test_a_serial_line_an_operator_and_what_it_cost(tmp_path: Path) -> None:
    """The first to press 0 talks to the office; the office is engaged for the second, who is told so and goes on."""
    (tmp_path / "people.toml").write_text(PEOPLE, encoding="utf-8")
    with simulated(tmp_path, "north", NORTH) as ready:
        records = f'[gateways.north.smdr]\nlink = "tcp:127.0.0.1:{ready["smdr_port"]}"\ndate_order = "dd/mm/yy"\n'
        link = f"serial:{ready['csta_serial']}"
        scenario = f"[lists.debtors]\nscenario = {json.dumps(str(FIXTURES / 'scenarios' / 'operator.toml'))}\n"
        rows = call_everybody(
            tmp_path,
            gateway("north", ready, link, "301-302", 'record = "link.txt"') + records + scenario,
            "ФИО;Телефон;Долг\nИванов Иван;+74951234501;100,00\nПетров Пётр;+74951234502;200,50\n",
        )
    assert [row["outcome"] for row in rows] == ["delivered", "delivered"]
    answers = [row["answers"] for row in rows]
    assert any("transferred to=201" in each for each in answers)
    assert all("choice=0" in each for each in answers)
    for row in rows:
        assert int(row["billed s"]) > 0 and float(row["cost"]) > 0 and row["currency"] == "EUR", row
    made = [line for line in account(tmp_path / "north") if line["event"] == "make_call"]
    assert sum(line["number"].endswith(("4501", "4502")) for line in made) == 2, "nobody was called twice"
    shown = ocm("csta", "decode", str(tmp_path / "link.txt"))
    assert shown.returncode == 0 and "consultationCall" in shown.stdout and "transferred" in shown.stdout


def test_two_switches_at_once_one_whose_extensions_dial_over_analogue_lines(tmp_path: Path) -> None:
    """Everybody is called once, over either switch; over the analogue lines only a timer tells the answer."""
    plain = NORTH.replace('callees = "people.toml"', "").replace('serial = "pty"', "")
    scenario = f"[lists.debtors]\nscenario = {json.dumps(str(FIXTURES / 'scenarios' / 'debt.toml'))}\n"
    people = [f"Person {n};+7495123{n:02}01;100,00;30.11.2026" for n in range(8)]
    with simulated(tmp_path, "north", plain) as north, simulated(tmp_path, "south", SOUTH) as south:
        by_sip = 'originate = "sip"\nanswer = "timer"'
        rows = call_everybody(
            tmp_path,
            gateway("north", north, f"tcp:127.0.0.1:{north['csta_port']}", "301-302")
            + gateway("south", south, f"tcp:127.0.0.1:{south['csta_port']}", "401-402", by_sip)
            + scenario,
            "ФИО;Телефон;Долг;Срок\n" + "\n".join(people) + "\n",
        )
    assert [row["outcome"] for row in rows] == ["confirmed"] * 8
    assert [row["attempts"] for row in rows] == ["1"] * 8
    by = {
        name: [line for line in account(tmp_path / name) if line["event"] == "answered"] for name in ("north", "south")
    }
    assert len(by["north"]) + len(by["south"]) == 8
    assert by["north"] and by["south"], "both switches had their share"
