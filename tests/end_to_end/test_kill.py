"""kill −9 of the server in the middle of a campaign, at several moments; the simulated PBX counts the calls."""

from __future__ import annotations

import signal
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from whole_system import System, ocm, wait_for

#: suffix of the number -> the most times that the person's telephone may ring: the budgets of the list.
PEOPLE = {
    "01": 1,
    "02": 1,
    "03": 2,
    "04": 1,
    "06": 3,
    "07": 2,
    "08": 1,
    "09": 1,
    "12": 1,
    "14": 1,
}
NUMBER = "+749512345{suffix}"


def people_file(folder: Path) -> Path:
    path = folder / "people.csv"
    rows = [f"Person {suffix};{NUMBER.format(suffix=suffix)};100,00;30.11.2026" for suffix in PEOPLE]
    path.write_text("ФИО;Телефон;Долг;Срок\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def last_digits(system: System, event: str) -> Counter[str]:
    return Counter(call["number"][-2:] for call in system.calls if call["event"] == event)


def in_flight(system: System) -> set[str]:
    """Whose attempts had no outcome at this moment: only they may end as unknown."""
    return {suffix for suffix, states in ledger(system).items() if any(state != "finished" for state, _ in states)}


def ledger(system: System) -> dict[str, list[tuple[str, str]]]:
    """suffix -> (state, outcome) of every attempt, read past our own code."""
    with sqlite3.connect(system.folder / "data" / "ocm.db") as base:
        rows = base.execute("SELECT number, state, outcome FROM attempt ORDER BY id").fetchall()
    found: dict[str, list[tuple[str, str]]] = {suffix: [] for suffix in PEOPLE}
    for number, state, outcome in rows:
        found[number[-2:]].append((state, outcome))
    return found


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    "moments",
    [
        pytest.param([("make_call", 1)], id="as the first call leaves"),
        pytest.param([("dialed", 3)], id="while telephones ring"),
        pytest.param([("answered", 2)], id="while the message is heard"),
        pytest.param([("make_call", 2), ("ended", 3), ("dialed", 9)], id="three times in a row"),
        pytest.param([("make_call", 1), ("dialed", 1), ("answered", 1)] * 3, id="again and again"),
    ],
)
def test_everybody_gets_exactly_the_calls_due(system: System, moments: list[tuple[str, int]]) -> None:
    """Whatever the moment: all have an outcome, nobody is called more often than his budget, and the ledger knows of
    every call that the switch saw."""
    done = ocm("import", "-c", str(system.config), "--list", "debtors", str(people_file(system.folder)))
    assert done.returncode == 0, done.stdout + done.stderr
    started = ocm("start", "-c", str(system.config), "debtors")
    assert started.returncode == 0, started.stdout + started.stderr

    maybe_unknown: set[str] = set()
    for event, times in moments:
        server = system.serve()
        seen = system.count(event)
        wait_for(
            f"{times} more of {event}",
            lambda event=event, goal=seen + times: system.count(event) >= goal or server.poll() is not None,  # noqa: B023
        )
        server.send_signal(signal.SIGKILL)
        server.wait(30)
        maybe_unknown |= in_flight(system)

    server = system.serve()
    output, _ = server.communicate(timeout=240)
    assert server.returncode == 0, output

    attempts = ledger(system)
    sent, rang = last_digits(system, "make_call"), last_digits(system, "dialed")
    for suffix, budget in PEOPLE.items():
        states = attempts[suffix]
        assert states and all(state == "finished" and outcome for state, outcome in states), (suffix, states)
        assert rang[suffix] <= budget, f"{suffix} rang {rang[suffix]} times: {states}"
        assert sent[suffix] <= len(states), f"{suffix}: the switch saw {sent[suffix]} calls, the ledger {states}"
        # Nothing is redialled after an outcome that nobody could settle.
        assert "unknown" not in [outcome for _, outcome in states[:-1]], (suffix, states)
    # Who was not in a call at a kill must have the outcome that his callee plays.
    unsettled = {suffix for suffix, states in attempts.items() if states[-1][1] == "unknown"}
    assert unsettled <= maybe_unknown, (unsettled, maybe_unknown)
    expected = {"01": "confirmed", "02": "delivered", "04": "confirmed", "06": "confirmed", "07": "no_answer"}
    expected |= {"08": "rejected", "09": "invalid_number", "12": "confirmed", "14": "confirmed"}
    for suffix, outcome in expected.items():
        if suffix not in unsettled:
            assert attempts[suffix][-1][1] == outcome, (suffix, attempts[suffix])
