"""The switches that the gateway contract is run on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import peers
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from asterisk_bench import DIALPLAN, FAST, MANAGER, AsteriskBench
from asterisk_process import PrivateAsterisk
from gateway_bench import Bench
from panasonic_bench import PanasonicBench
from panasonic_sockets_bench import PanasonicSocketsBench
from panasonic_variants import VARIANTS
from sip_trunk_bench import VARIANTS as TRUNK_VARIANTS
from sip_trunk_bench import SipTrunkBench

#: Over real sockets: what the gateway is told, and which tests (None: those below).
SOCKETS: dict[str, tuple[dict[str, str], frozenset[str] | None]] = {
    "panasonic-sockets": ({}, None),
    "panasonic-sockets-sip": (
        {"originate": "sip", "transfer": "refer"},
        frozenset(
            {
                "test_a_call_that_nobody_takes",
                "test_a_person_is_handed_over",
                "test_an_answered_call_hung_up_by_the_person",
                "test_an_answered_call_hung_up_by_us",
                "test_an_operator_who_can_not_be_had",
                "test_hung_up_before_the_answer",
                "test_the_voice_breaks",
            }
        ),
    ),
}

#: Run over real sockets and in real time as well; the others would only take long.
ALSO_ON_SOCKETS = frozenset(
    {
        "test_a_call_that_nobody_takes",
        "test_a_person_is_handed_over",
        "test_a_prompt_is_stopped",
        "test_all_ports_at_once",
        "test_an_announcement_of_the_switch",
        "test_an_answered_call_hung_up_by_the_person",
        "test_an_answered_call_hung_up_by_us",
        "test_hung_up_before_the_answer",
        "test_keys_come_in_order",
        "test_stop_ends_the_calls",
        "test_the_end_of_the_call_ends_prompt_and_recording",
        "test_the_gateway_gives_up_ringing_itself",
        "test_the_link_breaks_in_an_answered_call",
        "test_the_voice_breaks",
    }
)

#: On a real Asterisk: what the gateway is told, and which tests (None: the whole contract).
ASTERISK: dict[str, tuple[dict[str, Any], frozenset[str] | None]] = {
    "asterisk": ({}, None),
    "asterisk-fastagi": (FAST, ALSO_ON_SOCKETS | {"test_the_link_breaks_before_the_answer"}),
    "asterisk-redirect": ({"transfer": "redirect"}, frozenset({"test_a_person_is_handed_over"})),
}

#: An operator's trunk to a real Asterisk: what the gateway is told, and which tests (None: the whole contract).
TRUNK_SOCKETS: dict[str, tuple[dict[str, Any], frozenset[str] | None]] = {
    "trunk-asterisk": ({}, None),
    "trunk-asterisk-tcp-unregistered": (
        {"transport": "tcp", "registers": False, "options_ping_s": 0, "voice_processes": 2},
        frozenset(
            {
                "test_a_call_that_nobody_takes",
                "test_a_person_is_handed_over",
                "test_all_ports_at_once",
                "test_an_answered_call_hung_up_by_the_person",
                "test_an_answered_call_hung_up_by_us",
                "test_hung_up_before_the_answer",
                "test_keys_come_in_order",
                "test_stop_ends_the_calls",
                "test_the_voice_breaks",
            }
        ),
    ),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "bench" in metafunc.fixturenames:
        kinds = [pytest.param(f"panasonic-{name}") for name in VARIANTS]
        kinds += [pytest.param(f"sip-trunk-{name}") for name in TRUNK_VARIANTS]
        for name, (_, tests) in SOCKETS.items():
            if metafunc.function.__name__ in (ALSO_ON_SOCKETS if tests is None else tests):
                kinds.append(pytest.param(name, marks=pytest.mark.sockets))
        for name, (_, tests) in TRUNK_SOCKETS.items():
            if tests is None or metafunc.function.__name__ in tests:
                kinds.append(pytest.param(name, marks=pytest.mark.sockets))
        for name, (_, tests) in ASTERISK.items():
            if tests is None or metafunc.function.__name__ in tests:
                kinds.append(pytest.param(name, marks=pytest.mark.sockets))
        metafunc.parametrize("bench", kinds, indirect=True)


@pytest.fixture(scope="session")
def people_of_asterisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAsterisk]:
    """A real Asterisk whose dialplan plays the people and the operators of the contract."""
    peers.require("asterisk")
    running = PrivateAsterisk.start(tmp_path_factory.mktemp("people"), extra_dialplan=DIALPLAN, manager=MANAGER)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def trunk_operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAsterisk]:
    """A real Asterisk in an operator's role: an account, and a dialplan that plays the people of the contract."""
    peers.require("asterisk")
    from sip_trunk_sockets_bench import DIALPLAN, PJSIP

    folder = tmp_path_factory.mktemp("operator")
    running = PrivateAsterisk.start(folder, extra_pjsip=PJSIP, extra_dialplan=DIALPLAN)
    yield running
    running.stop()


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A started gateway with all its ports idle; nothing of it may be left afterwards."""
    kind = str(request.param)
    made: Bench
    if kind in ASTERISK:
        made = AsteriskBench(request.getfixturevalue("people_of_asterisk"), **ASTERISK[kind][0])
    elif kind in TRUNK_SOCKETS:
        from sip_trunk_sockets_bench import SipTrunkSocketsBench

        made = SipTrunkSocketsBench(request.getfixturevalue("trunk_operator"), **TRUNK_SOCKETS[kind][0])
    elif kind in SOCKETS:
        made = PanasonicSocketsBench(**SOCKETS[kind][0])
    elif kind.startswith("sip-trunk-"):
        made = SipTrunkBench.of_variant(kind.removeprefix("sip-trunk-"))
    else:
        made = PanasonicBench.of_variant(kind.removeprefix("panasonic-"))
    made.start()
    yield made
    made.close()
