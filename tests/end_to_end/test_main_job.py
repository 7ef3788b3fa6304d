"""`ocm demo --once` as a user runs it: both lists, every outcome, what was heard and what was said."""

from __future__ import annotations

import csv
import wave
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openpyxl import load_workbook
from whole_system import FIXTURES, account, ocm

from ocm_cti.domain.scenarios import parse, required_fragments
from ocm_cti.speech.prompts import cache_key, cache_path
from protocols.rtp.g711 import decode_alaw

#: name -> (outcome, number on which it came about ends with, tries that count)
EXPECTED = {
    "Иванова Мария Петровна": ("confirmed", "4501", 1),
    "Петренко Олег Іванович": ("confirmed", "4501", 1),
    "Сидоров Павел": ("delivered", "4502", 1),
    "Кузнецова Анна": ("cut_short", "4503", 2),
    "Смирнов Илья": ("confirmed", "4504", 1),
    "Фёдорова Ольга Сергеевна": ("confirmed", "4505", 1),
    "Орлов Денис": ("confirmed", "4506", 3),
    "Белова Наталья": ("confirmed", "4501", 2),
    "Волков Артём": ("rejected", "4508", 1),
    "Зайцева Елена": ("confirmed", "4512", 2),
    "Новиков Сергей": ("invalid_number", "4509", 1),
    "Морозова Ирина": ("confirmed", "4512", 1),
    "Павлов Роман": ("unreachable", "4513", 2),
    "Шевченко Тарас": ("confirmed", "4514", 1),
    "Громов Алексей": ("confirmed", "1010", 1),
    "Жукова Светлана": ("confirmed", "2010", 1),
    "Тихонов Андрей": ("confirmed", "1011", 1),
    "Комарова Вера": ("confirmed", "3010", 2),
    "Бондаренко Ігор": ("confirmed", "4010", 1),
    "Соловьёв Максим": ("confirmed", "5010", 1),
    "Виноградова Дарья": ("cut_short", "1002", 1),
}


@dataclass
class Demo:
    folder: Path
    output: str
    people: dict[str, dict[str, str]]
    attempts: list[dict[str, Any]]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo") / "data"
    done = ocm("demo", "--once", "--data", str(folder), "--fixtures", str(FIXTURES))
    assert done.returncode == 0, done.stdout + done.stderr
    with (folder / "report.csv").open(encoding="utf-8-sig", newline="") as file:
        people = {row["name"]: row for row in csv.DictReader(file, delimiter=";")}
    sheet = load_workbook(folder / "report.xlsx")["attempts"]
    header, *rows = sheet.iter_rows(values_only=True)
    yield Demo(folder, done.stdout, people, [dict(zip(header, row, strict=True)) for row in rows])


pytestmark = [pytest.mark.end_to_end, pytest.mark.xdist_group("main job")]  # one demo for all of them


def test_every_person_has_the_outcome_that_his_callee_plays(demo: Demo) -> None:
    found = {
        name: (row["outcome"], row["number"][-4:], int(row["attempts"]) - int(row["not counted"]))
        for name, row in demo.people.items()
    }
    assert found == EXPECTED


def test_rows_that_can_not_be_used_are_listed_with_their_reason(demo: Demo) -> None:
    for row, reason in ((16, "no telephone number"), (17, "спросить"), (18, "row 2"), (19, "много")):
        (line,) = [line for line in demo.output.splitlines() if f"row {row} refused" in line]
        assert reason in line
    assert "row 9 refused" in demo.output


def test_the_ledger_agrees_with_the_switch(demo: Demo) -> None:
    """Calls per number that the PBX saw = attempts that were sent; wrong numbers once, nobody over his tries."""
    sent = Counter(call["number"][-7:] for call in account(demo.folder / "simulator") if call["event"] == "make_call")
    tried = Counter(str(row["number"])[-7:] for row in demo.attempts)
    assert sent == tried


def test_confirmed_staff_gave_the_pin(demo: Demo) -> None:
    """Wrong PINs do not open the message, and no PIN is shown in the report."""
    assert set(demo.people["Тихонов Андрей"]["keys"]) == {"x"} and len(demo.people["Тихонов Андрей"]["keys"]) >= 8
    assert demo.people["Громов Алексей"]["keys"] == "xxxx"


def samples(path: Path) -> Any:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (8000, 2, 1)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(float)


def prompt(path: Path) -> Any:
    return np.frombuffer(decode_alaw(path.read_bytes()), dtype="<i2").astype(float)


def likeness(part: Any, whole: Any) -> float:
    """Normalised cross-correlation of ``part`` at the place in ``whole`` where it fits best: 1 is the same sound."""
    size = 1 << (len(part) + len(whole) - 1).bit_length()
    spectrum = np.fft.rfft(whole, size) * np.conj(np.fft.rfft(part, size))
    best = int(np.argmax(np.fft.irfft(spectrum, size)[: len(whole)]))
    window = whole[best : best + len(part)]
    part = part[: len(window)]
    return float(np.dot(part, window) / (np.linalg.norm(part) * np.linalg.norm(window) + 1e-9))


def heard(demo: Demo, ending: str) -> Path:
    """What the callee of the (only) call to that number heard."""
    (path,) = (demo.folder / "simulator" / "heard").glob(f"*{ending}.wav")
    return path


def test_the_callee_heard_his_own_message(demo: Demo) -> None:
    """Every sentence, his name, his debt and his date among them, is in what the far side recorded."""
    scenario = parse((FIXTURES / "scenarios" / "debt.toml").read_text(encoding="utf-8"))
    variables = {"name": "Сидоров Павел", "debt": "980,5", "due": "30.11.2026"}
    recorded = samples(heard(demo, "1234502"))
    prompts = 0
    for fragment in required_fragments(scenario, variables, "ru")[:4]:
        path = cache_path(demo.folder / "prompts", cache_key(fragment, "ru", None, FIXTURES / "audio"))
        assert likeness(prompt(path), recorded) > 0.95, fragment
        prompts += 1
    assert prompts == 4


def test_the_correlation_can_tell_messages_apart(demo: Demo) -> None:
    """Another person's amount is not in it: the test above can fail."""
    scenario = parse((FIXTURES / "scenarios" / "debt.toml").read_text(encoding="utf-8"))
    other = {"name": "Орлов Денис", "debt": "1 000 000,00", "due": "15.12.2026"}
    mine = {"name": "Сидоров Павел", "debt": "980,5", "due": "30.11.2026"}
    recorded = samples(heard(demo, "1234502"))
    foreign = set(required_fragments(scenario, other, "ru")) - set(required_fragments(scenario, mine, "ru"))
    assert foreign
    for fragment in foreign:
        path = cache_path(demo.folder / "prompts", cache_key(fragment, "ru", None, FIXTURES / "audio"))
        assert likeness(prompt(path), recorded) < 0.8


def test_the_reply_on_disk_is_what_the_callee_said(demo: Demo) -> None:
    reply = samples(demo.folder / "recordings" / demo.people["Фёдорова Ольга Сергеевна"]["reply recording"])
    (said_path,) = (demo.folder / "simulator" / "said").glob("*1234505.wav")
    said = samples(said_path)
    # Only the stretch with sound: the rest of what was "said" is the silence of a whole call.
    loud = np.flatnonzero(np.abs(said) > 1000)
    speech = said[loud[0] : loud[-1] + 1]
    assert len(speech) > 8000
    assert likeness(speech[800:-800], reply) > 0.95


def test_logs_hide_numbers(demo: Demo) -> None:
    log = (demo.folder / "ocm.log").read_text(encoding="utf-8")
    assert "attempt 1" in log
    for row in demo.attempts:
        assert str(row["number"]).lstrip("+") not in log, row["number"]
