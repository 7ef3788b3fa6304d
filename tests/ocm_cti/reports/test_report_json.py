"""JSON: keys that stay, values that programs can count with."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from report_made import T0, answer, attempt, campaign, person, write_report

from ocm_cti.reports.about import About
from ocm_cti.reports.json_file import JsonReport


def written(folder: Path, *rows: Any, **more: Any) -> Any:
    write_report(folder, *rows, formats=["json"], **more)
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def test_the_whole(tmp_path: Path) -> None:
    told = written(
        tmp_path,
        [campaign(ended_at=T0 + timedelta(hours=1))],
        [person(recordings="5-reply.wav", cost=Decimal("1.10"), currency="EUR"), person(outcome=None, why="due")],
        [attempt(billed_s=20, cost=Decimal("1.10"), currency="EUR", trunks="01")],
        [answer("why", "2"), answer("reply", None, "5-reply.wav")],
    )
    assert list(told) == [
        *(
            "format",
            "version",
            "made_at",
            "people",
            "attempts",
            "answers",
            "total",
            "different_people",
            "different_reached",
            "lists",
            "campaigns",
            "questions",
        ),
        *("not_reached", "hours", "tries", "ports", "trunks"),
    ]
    assert (told["format"], told["version"], told["made_at"]) == ("ocm-report", 1, "2026-11-23T09:00:00.000Z")
    anna, other = told["people"]
    assert (anna["outcome"], anna["cost"], anna["recordings"]) == ("confirmed", "1.10", ["recordings/5-reply.wav"])
    assert (other["outcome"], other["why"], anna["answered_at"]) == (None, "due", "2026-11-23T09:00:09.000Z")
    assert told["attempts"][0]["trunks"] == "01"
    assert [(row["meaning"], row["file"]) for row in told["answers"]] == [
        ("quality", None),
        ("", "recordings/5-reply.wav"),
    ]
    assert told["total"]["billed"] == {"seconds": 20, "costs": {"EUR": "1.10"}}
    assert (told["total"]["people"], told["total"]["open"], told["total"]["reached_share"]) == (2, 1, 0.5)
    assert told["campaigns"][0]["totals"]["people"] == told["lists"][0]["totals"]["people"] == 2
    why = next(each for each in told["questions"] if each["step"] == "why")
    assert why["answers"][1] == {"value": "2", "meaning": "quality", "people": 1, "share": 1.0}
    assert told["not_reached"] == [{"is_open": True, "reason": "due", "people": 1}]
    assert told["tries"] == [{"tries": 1, "people": 1}] and len(told["hours"]) == 24


def test_keys_and_codes_have_no_language(tmp_path: Path) -> None:
    english = written(tmp_path, [campaign()], [person()], [attempt()], [answer("why", "1")])
    assert written(tmp_path, [campaign()], [person()], [attempt()], [answer("why", "1")], language="ru") == english


def test_nobody(tmp_path: Path) -> None:
    told = written(tmp_path, [])
    assert told["people"] == told["attempts"] == told["answers"] == told["campaigns"] == []


@pytest.mark.parametrize("name", ["\x00\x1b[0m", '"},{"', "Ім'я\u2028"])
def test_any_name(tmp_path: Path, name: str) -> None:
    assert written(tmp_path, [campaign()], [person(name=name)])["people"][0]["name"] == name


def test_rows_out_of_order_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="people were written"), JsonReport(tmp_path / "r.json", About([], T0)) as file:
        file.add_attempt(attempt())
        file.add_person(person())
    assert list(tmp_path.iterdir()) == []
