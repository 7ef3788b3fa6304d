"""The simulator's people as a dialplan: every kind of them becomes what Asterisk does for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocm_cti.commands.demo_callees import FAILURES, dialplan
from ocm_cti.simulator.callees import Directory
from ocm_cti.simulator.faults import FAILURE_REASONS


def applications(plan: str, extension: str) -> list[str]:
    """What is done at ``extension``, one application after another."""
    lines = iter(plan.splitlines())
    found = [line for line in lines if line.startswith(f"exten => {extension},1,")]
    done = [found[0].split(",", 2)[2]] if found else []
    after = plan.split(found[0] + "\n", 1)[1] if found else ""
    for line in after.splitlines():
        if not line.startswith(" same => n"):
            break
        done.append(line.split(",", 1)[1])
    return done


def plan_of(tmp_path: Path, text: str) -> str:
    other = '[[callee]]\nsuffix = ""\n'
    return dialplan(Directory.parse(other + text, "test", tmp_path).callees, tmp_path)


def test_somebody_who_confirms(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        '[[callee]]\nsuffix = "7"\nanswer_after_s = 1.5\nsteps = ["listen", "press 1", "press_own_last4", "hang_up"]\n',
    )
    done = applications(plan, "callee7")
    assert done[:4] == ["Ringing()", "Ringing()", "Wait(1.5)", "Answer()"]
    assert done[4].startswith(f"MixMonitor(,r({tmp_path}/heard/")
    assert done[5:9] == [
        "WaitForNoise(60,1,60)",
        "WaitForSilence(1200,1,60)",
        "SendDTMF(1,100,100)",
        "SendDTMF(${NUMBER:-4},100,100)",
    ]
    assert done[9] == "Hangup(16)"
    assert done[10:] == [f"Playback({tmp_path}/speech/silence)", "Goto(${EXTEN},$[${PRIORITY}-1])"]
    assert (tmp_path / "speech" / "silence.alaw").stat().st_size == 60 * 8000


def test_somebody_who_speaks(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, '[[callee]]\nsuffix = "7"\nanswer_after_s = 1\nsteps = ["listen_for 3", "say 2"]\n')
    silent, spoken = (tmp_path / "speech" / f"7-{place}" for place in (0, 1))
    assert applications(plan, "callee7")[5:7] == [f"Playback({silent})", f"Playback({spoken})"]
    assert silent.with_suffix(".alaw").read_bytes() == b"\xd5" * 24000
    heard = spoken.with_suffix(".alaw").read_bytes()
    assert len(heard) == 16000 and heard != b"\xd5" * 16000


def test_somebody_who_never_answers(tmp_path: Path) -> None:
    done = applications(plan_of(tmp_path, ""), "callee")
    assert done[0] == "Ringing()"
    assert done[-1].startswith("Wait(")
    assert "Answer()" not in done


def test_busy_twice_and_then_there(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, '[[callee]]\nsuffix = "7"\nfail = "busy"\nfail_times = 2\nanswer_after_s = 1\n')
    done = applications(plan, "callee7")
    assert done[0] == "NoOp()"  # a busy line does not ring
    assert done[1] == "GotoIf($[${GLOBAL(CALLS_${NUMBER})} > 2]?answers)"
    assert done.index("Hangup(17)") < done.index("Answer()")


@pytest.mark.parametrize("reason", FAILURE_REASONS)
def test_each_failure_has_a_cause(tmp_path: Path, reason: str) -> None:
    done = applications(plan_of(tmp_path, f'[[callee]]\nsuffix = "7"\nfail = "{reason}"\n'), "callee7")
    code, cause = FAILURES[reason]
    assert done[-2:] == [f"TryExec(PJSIPHangup({code}))", f"Hangup({cause})"]


def test_the_longest_suffix_is_looked_for_first(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, '[[callee]]\nsuffix = "7"\n[[callee]]\nsuffix = "4567"\n')
    asked = [line for line in plan.splitlines() if "DIALPLAN_EXISTS" in line]
    assert ["callee${NUMBER:-4}" in asked[0], "callee${NUMBER:-1}" in asked[1]] == [True, True]


def test_every_callee_of_the_demo_is_there(tmp_path: Path) -> None:
    callees = Directory.load().callees
    plan = dialplan(callees, tmp_path)
    for callee in callees:
        assert applications(plan, f"callee{callee.suffix}")
