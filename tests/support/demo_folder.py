"""What a run of the demo leaves: what became of each person, what his telephone heard."""

from __future__ import annotations

import csv
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from openpyxl import load_workbook

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

    @classmethod
    def read(cls, folder: Path, output: str) -> Demo:
        """The reports in the demo's data folder, and what it printed."""
        with (folder / "report.csv").open(encoding="utf-8-sig", newline="") as file:
            people = {row["name"]: row for row in csv.DictReader(file, delimiter=";")}
        sheet = load_workbook(folder / "report.xlsx")["attempts"]
        header, *rows = sheet.iter_rows(values_only=True)
        return cls(folder, output, people, [dict(zip(header, row, strict=True)) for row in rows])

    def outcomes(self) -> dict[str, tuple[str, str, int]]:
        """As in EXPECTED."""
        return {
            name: (row["outcome"], row["number"][-4:], int(row["attempts"]) - int(row["not counted"]))
            for name, row in self.people.items()
        }


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
