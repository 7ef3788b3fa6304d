"""A server's life beside its calls: an orderly stop, a lost voice process, a second server on the same folder."""

from __future__ import annotations

import signal
import sqlite3
from pathlib import Path

import psutil
import pytest
from whole_system import System, ocm, wait_for

pytestmark = pytest.mark.end_to_end


def start_calling(system: System, suffixes: list[str]) -> None:
    path = system.folder / "people.csv"
    rows = [f"Person {suffix};+749512345{suffix};100,00;30.11.2026" for suffix in suffixes]
    path.write_text("ФИО;Телефон;Долг;Срок\n" + "\n".join(rows) + "\n", encoding="utf-8")
    for command in (["import", "--list", "debtors", str(path)], ["start", "debtors"]):
        done = ocm(command[0], "-c", str(system.config), *command[1:])
        assert done.returncode == 0, done.stdout + done.stderr


def outcomes(folder: Path) -> dict[str, list[str]]:
    with sqlite3.connect(folder / "data" / "ocm.db") as base:
        rows = base.execute("SELECT number, outcome FROM attempt ORDER BY id").fetchall()
    found: dict[str, list[str]] = {}
    for number, outcome in rows:
        found.setdefault(number[-2:], []).append(outcome)
    return found


def test_sigterm_lets_calls_end_and_the_next_start_goes_on(system: System) -> None:
    """Calls that are up are heard to their end; who was waiting is called by the next server; nobody twice."""
    start_calling(system, ["01", "02", "04", "05", "12", "14"])
    server = system.serve()
    wait_for("two answers", lambda: system.count("answered") >= 2)
    server.send_signal(signal.SIGTERM)
    output, _ = server.communicate(timeout=120)
    assert server.returncode == 0, output
    stopped_with = outcomes(system.folder)
    assert all(all(made) for made in stopped_with.values()), "an attempt was left without an outcome"
    server = system.serve()
    output, _ = server.communicate(timeout=240)
    assert server.returncode == 0, output
    found = outcomes(system.folder)
    assert {suffix: made[-1] for suffix, made in found.items()} == {
        "01": "confirmed",
        "02": "delivered",
        "04": "confirmed",
        "05": "confirmed",
        "12": "confirmed",
        "14": "confirmed",
    }
    assert all(len(made) == 1 for made in found.values()), found


def test_a_killed_voice_process_costs_nobody_his_tries(system: System) -> None:
    """Its calls get an outcome at once, a new process registers, and everybody is reached."""
    start_calling(system, ["01", "02", "12"])
    server = system.serve()
    wait_for("an answer", lambda: system.count("answered") >= 1)
    (voice,) = (
        child for child in psutil.Process(server.pid).children() if "ocm_cti.voice.process" in " ".join(child.cmdline())
    )
    voice.kill()
    output, _ = server.communicate(timeout=240)
    assert server.returncode == 0, output
    found = outcomes(system.folder)
    assert {suffix: made[-1] for suffix, made in found.items()} == {
        "01": "confirmed",
        "02": "delivered",
        "12": "confirmed",
    }
    assert any("line_fault" in made for made in found.values()), "nothing was up when the process died"


def test_two_servers_can_not_work_on_one_folder(system: System) -> None:
    start_calling(system, ["07"])
    server = system.serve()
    wait_for("a call", lambda: system.count("make_call") >= 1)
    second = ocm("serve", "-c", str(system.config), "--once", "--no-table")
    assert second.returncode == 2 and "another ocm server" in second.stderr
    assert second.stderr.count("\n") == 1
    server.send_signal(signal.SIGKILL)
    server.wait(30)
