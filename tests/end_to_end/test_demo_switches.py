"""The main job through other switches than the Panasonic: the same people, the same outcomes, keys and replies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from demo_folder import EXPECTED, Demo, likeness, prompt, samples
from peers import require
from whole_system import FIXTURES, account, ocm

from ocm_cti.commands.demo import FOLDERS
from ocm_cti.domain.scenarios import parse, required_fragments
from ocm_cti.speech.prompts import cache_key, cache_path

pytestmark = [pytest.mark.end_to_end]

SWITCHES = [pytest.param(name, marks=pytest.mark.xdist_group(f"demo {name}")) for name in ("asterisk", "sip")]


@pytest.fixture(scope="module", params=SWITCHES)
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One run of the demo through the switch, for all tests."""
    require("asterisk")
    switch = str(request.param)
    folder = tmp_path_factory.mktemp(switch) / "data"
    done = ocm("demo", "--once", "--no-panel", "--switch", switch, "--data", str(folder), "--fixtures", str(FIXTURES))
    assert done.returncode == 0, done.stdout + done.stderr
    yield Demo.read(folder, done.stdout)


def own_account(demo: Demo) -> Path:
    """The folder of the far side."""
    (folder,) = (demo.folder / name for name in FOLDERS.values() if (demo.folder / name).is_dir())
    return folder


def test_every_person_has_the_outcome_that_his_callee_plays(demo: Demo) -> None:
    assert demo.outcomes() == EXPECTED


def test_the_ledger_agrees_with_the_network(demo: Demo) -> None:
    """Calls per number that arrived at the far side = attempts that were sent."""
    arrived = Counter(call["number"][-7:] for call in account(own_account(demo)) if call["event"] == "make_call")
    assert arrived == Counter(str(row["number"])[-7:] for row in demo.attempts)


def test_the_pin_is_taken_and_not_shown(demo: Demo) -> None:
    assert set(demo.people["Тихонов Андрей"]["keys"]) == {"x"} and len(demo.people["Тихонов Андрей"]["keys"]) >= 8
    assert demo.people["Громов Алексей"]["keys"] == "xxxx"


def test_the_callee_heard_his_own_message(demo: Demo) -> None:
    """Every sentence is in what the far side recorded, and another person's amount is not."""
    scenario = parse((FIXTURES / "scenarios" / "debt.toml").read_text(encoding="utf-8"))
    mine = required_fragments(scenario, {"name": "Сидоров Павел", "debt": "980,5", "due": "30.11.2026"}, "ru")
    theirs = required_fragments(scenario, {"name": "Орлов Денис", "debt": "1 000 000,00", "due": "15.12.2026"}, "ru")
    (path,) = (own_account(demo) / "heard").glob("*1234502.wav")
    recorded = samples(path)

    def alike(fragment: object) -> float:
        audio = cache_path(demo.folder / "prompts", cache_key(fragment, "ru", None, FIXTURES / "audio"))  # type: ignore[arg-type]
        return likeness(prompt(audio), recorded)

    assert min(alike(fragment) for fragment in mine[:4]) > 0.9
    foreign = set(theirs) - set(mine)
    assert foreign and max(alike(fragment) for fragment in foreign) < 0.8


def test_the_reply_on_disk_is_what_the_callee_said(demo: Demo) -> None:
    reply = samples(demo.folder / "recordings" / demo.people["Фёдорова Ольга Сергеевна"]["reply recording"])
    (path,) = (own_account(demo) / "said").glob("*1234505.wav")
    said = samples(path)
    loud = np.flatnonzero(np.abs(said) > 1000)
    speech = said[loud[0] : loud[-1] + 1]
    assert len(speech) > 8000
    assert likeness(speech[800:-800], reply) > 0.9


def test_the_log_hides_numbers(demo: Demo) -> None:
    log = (demo.folder / "ocm.log").read_text(encoding="utf-8")
    for row in demo.attempts:
        assert str(row["number"]).lstrip("+") not in log, row["number"]
