"""`ocm demo --once` as a user runs it: both lists, every outcome, what was heard and what was said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from demo_folder import EXPECTED, Demo, likeness, prompt, samples
from whole_system import FIXTURES, account, ocm

from ocm_cti.domain.scenarios import parse, required_fragments
from ocm_cti.speech.prompts import cache_key, cache_path


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo") / "data"
    done = ocm("demo", "--once", "--no-panel", "--data", str(folder), "--fixtures", str(FIXTURES))
    assert done.returncode == 0, done.stdout + done.stderr
    yield Demo.read(folder, done.stdout)


pytestmark = [pytest.mark.end_to_end, pytest.mark.xdist_group("main job")]  # one demo for all of them


def test_every_person_has_the_outcome_that_his_callee_plays(demo: Demo) -> None:
    assert demo.outcomes() == EXPECTED


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
