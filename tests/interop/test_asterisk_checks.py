"""What ``ocm check`` finds at a real Asterisk: all right as ``ocm asterisk-config`` prints it, each lack named."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import peers
import pytest
from asterisk_process import PrivateAsterisk

sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))

from asterisk_bench import DIALPLAN, FAST, MANAGER, AsteriskBench

#: Users that lack something: name -> (read, write).
LACKING = {
    "deaf": ("", "call,agi,originate,reporting"),
    "no-agi": ("call,dtmf", "call,agi,originate,reporting"),
    "no-keys": ("call,agi", "call,agi,originate,reporting"),
    "no-originate": ("call,agi,dtmf", "call,agi,reporting"),
    "no-agi-actions": ("call,agi,dtmf", "call,originate,reporting"),
    "too-much": ("all", "all"),
}
USERS = "".join(
    f"[{name}]\nsecret = ocm-secret\nread = {read}\nwrite = {write}\n" for name, (read, write) in LACKING.items()
)
CONTEXTS = """
[no-loop]
exten => s,1,AGI(agi:async)
 same => n,Hangup()
[no-agi]
exten => s,1,Hangup()
[none]
exten => other,1,Hangup()
"""


@pytest.fixture(scope="module")
def switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAsterisk]:
    peers.require("asterisk")
    running = PrivateAsterisk.start(
        tmp_path_factory.mktemp("checked"), extra_dialplan=DIALPLAN + CONTEXTS, manager=MANAGER + USERS
    )
    yield running
    running.stop()


def found(switch: PrivateAsterisk, **changed: Any) -> list[tuple[bool, str, str]]:
    bench = AsteriskBench(switch, **changed)
    bench.start()
    results: list[Any] = []
    bench.gateway.checks().addBoth(results.append)
    bench.until(lambda: results, "checked", 40.0)
    lines = results[0]
    assert isinstance(lines, list), lines
    bench.until(lambda: bench.calls_up == 0, "nothing of the check is left", 5.0)
    bench.close()
    return lines


def wrong(lines: list[tuple[bool, str, str]]) -> list[str]:
    return [f"{what}: {words}" for right, what, words in lines if not right]


@pytest.mark.parametrize(
    ("changed", "application"),
    [({}, "AGI(agi:async)"), (FAST, f"AGI(agi://127.0.0.1:{FAST['fastagi_port']})")],
    ids=["asyncagi", "fastagi"],  # a port is another one in each worker
)
def test_as_it_is_printed_it_is_right(switch: PrivateAsterisk, changed: dict[str, Any], application: str) -> None:
    lines = found(switch, **changed)
    assert wrong(lines) == []
    told = {what: words for _, what, words in lines}
    assert told["version"].startswith("Asterisk ")
    assert application in told["call to ourselves"]
    assert {"keys", "prompts"} <= told.keys()
    assert not any("which we don't need" in words for words in told.values())


@pytest.mark.parametrize(
    ("user", "says"),
    [
        ("deaf", "read = call"),
        ("no-agi", "read = agi"),
        ("no-keys", "read = dtmf"),
        ("no-originate", "write = originate"),
        ("no-agi-actions", "write = agi"),
    ],
)
def test_a_right_that_is_missing_is_named(switch: PrivateAsterisk, user: str, says: str) -> None:
    lines = wrong(found(switch, username=user))
    assert len(lines) == 1, lines
    assert says in lines[0] and "ocm asterisk-config" in lines[0]


def test_more_rights_than_needed_are_said(switch: PrivateAsterisk) -> None:
    lines = found(switch, username="too-much")
    assert wrong(lines) == []
    assert any("which we don't need" in words for _, _, words in lines)


@pytest.mark.parametrize(
    ("context", "says"),
    [
        ("no-loop", "AGISTATUS"),
        ("no-agi", "does not come to AGI(agi:async)"),
        ("none", "extension s is not in the dialplan"),
        ("nowhere", "Did not find context nowhere"),
    ],
)
def test_a_context_that_will_not_do(switch: PrivateAsterisk, context: str, says: str) -> None:
    lines = wrong(found(switch, context=context))
    assert len(lines) == 1, lines
    assert says in lines[0] and "ocm asterisk-config" in lines[0]


@pytest.mark.parametrize(
    ("channel", "right", "says"),
    [
        ("PJSIP/{number}@trunk", True, "trunk is at PJSIP/trunk/sip:"),
        ("PJSIP/trunk/sip:{number}@127.0.0.1", True, "trunk is at PJSIP/trunk/sip:"),
        ("PJSIP/{number}@nowhere", False, "pjsip show endpoint nowhere"),
        ("Local/{number}@people", True, "context people"),
        ("Local/{number}@nowhere/n", False, "context nowhere"),
        ("DAHDI/g1/{number}", True, "can't be looked at without calling"),
    ],
)
def test_what_is_behind_the_channel(switch: PrivateAsterisk, channel: str, right: bool, says: str) -> None:
    lines = found(switch, channel=channel)
    line = next(line for line in lines if line[1].startswith("channel "))
    assert line[0] is right
    assert says in line[2]


def test_a_folder_that_asterisk_does_not_see_is_named(switch: PrivateAsterisk) -> None:
    lines = wrong(found(switch, asterisk_folder="/nowhere/prompts"))
    assert len(lines) == 1, lines
    assert lines[0].startswith("prompts: ") and "/nowhere/prompts" in lines[0]


def test_a_folder_that_we_can_t_write_is_named(switch: PrivateAsterisk, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    lines = wrong(found(switch, shared_folder=str(tmp_path / "file" / "shared")))
    assert any(line.startswith("prompts and replies: shared_folder: ") for line in lines), lines
