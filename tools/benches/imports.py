"""Import of a long list: CSV in CP-1251 and XLSX, three numbers and six variables a person; and its memory."""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

CONFIG = """\
data = "data"
[gateways.office]
kind = "panasonic"
link = "tcp:127.0.0.1:1"
extensions = "301"
sip_host = "127.0.0.1"
password_pattern = "pw{extension}"
"""
#: ``ocm``, which says at its end how much memory it had at most (KB). Its parent can't: to the kernel a child has had
#: what the parent had when it was made.
MEASURED = """\
import re, sys
from ocm_cti.cli import main
try:
    main()
finally:
    with open("/proc/self/status") as status:
        print(re.search(r"VmHWM:\\s+(\\d+)", status.read())[1], file=sys.stderr)
"""
HEADER = (
    "Код абонента",
    "ФИО",
    "Телефон",
    "Моб. телефон",
    "Рабочий телефон",
    "Долг",
    "Срок",
    "Договор",
    "Адрес",
    "Тариф",
    "Участок",
)
GOAL_S = 10.0


def rows(people: int) -> list[tuple[str, ...]]:
    dice = random.Random(1)
    return [
        (
            str(n), f"Иванов Пётр {n}", f"8 (495) {n // 10000 % 1000:03d}-{n // 100 % 100:02d}-{n % 100:02d}",
            f"+7916{n:07d}", f"8812{n:07d}", f"{dice.randrange(100, 99999)},{n % 100:02d}", "30.11.2026",
            f"Д-{n}", f"ул. Мира, {n % 300}", f"Т{n % 7}", str(n % 40),
        )
        for n in range(people)
    ]  # fmt: skip


def write(path: Path, people: int) -> None:
    if path.suffix == ".csv":
        lines = [";".join(row) for row in [HEADER, *rows(people)]]
        path.write_bytes("\r\n".join(lines).encode("cp1251"))
        return
    import xlsxwriter

    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for place, row in enumerate([HEADER, *rows(people)]):
            sheet.write_row(place, 0, row)


def one(folder: Path, kind: str, people: int) -> tuple[float, float]:
    """Seconds and megabytes of one import, in a process of its own."""
    here = folder / f"{kind}-{people}"
    here.mkdir()
    (here / "ocm.toml").write_text(CONFIG)
    file = here / f"people.{kind}"
    write(file, people)
    command = [sys.executable, "-c", MEASURED, "import", "-c", str(here / "ocm.toml"), "--list", "all", str(file)]
    began = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    took_s = time.perf_counter() - began
    return took_s, int(done.stderr.split()[-1]) / 1024


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    given = parser.parse_args(argv)
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("csv", "xlsx"):
            small_s, small_mb = one(Path(folder), kind, given.people // 10)
            large_s, large_mb = one(Path(folder), kind, given.people)
            print(
                f"{kind}: {given.people // 10:,} people {small_s:.1f} s, {given.people:,} people {large_s:.1f} s "
                f"(goal {GOAL_S:.0f}); highest memory of each {small_mb:.0f} MB, {large_mb:.0f} MB"
            )
            missed |= large_s > GOAL_S
    return 1 if missed else 0
