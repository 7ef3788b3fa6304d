"""What the simulated PBX prints, against lines typed from the manual's columns; its dialogue at a telnet."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from twisted.internet.testing import StringTransport

from ocm_cti.simulator.effects import CallAccount
from ocm_cti.simulator.faults import Settings
from ocm_cti.simulator.smdr_lines import line_of, page_head
from ocm_cti.simulator.smdr_server import NEGOTIATION, SmdrServer

_StringTransport: Any = StringTransport
ENDED_S = datetime(2026, 11, 22, 13, 4, 59, tzinfo=UTC).timestamp()
CALL = CallAccount(
    serial=1,
    call_id=b"\x01",
    extension="301",
    trunk=7,
    dialled="984951234501",
    direction="out",
    started_s=ENDED_S - 80,
    answered_s=ENDED_S - 65,
    ended_s=ENDED_S,
    answered=True,
)


class Terminal:
    """A person at a telnet to the PBX."""

    def __init__(self, server: SmdrServer) -> None:
        self.wire: Any = _StringTransport()
        self.protocol = cast(Any, server.buildProtocol(None))
        self.protocol.makeConnection(self.wire)

    def types(self, text: str) -> str:
        self.protocol.dataReceived(text.encode("latin-1"))
        return self.read()

    def read(self) -> str:
        text = bytes(self.wire.value()).decode("latin-1")
        self.wire.clear()
        return text

    def log_in(self) -> str:
        self.read()
        assert self.types("SMDR\r") == "Enter Password:"
        return self.types("PCCSMDR\r")

    def leave(self) -> None:
        self.protocol.connectionLost(None)


def server(**settings: Any) -> SmdrServer:
    return SmdrServer(Settings(smdr_page_lines=0, **settings), lambda text: None)


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("A", "22/11/26 01:04PM   301 07 984951234501              0'15 00:01'05"),
        ("B", "22/11/26 01:04PM   301 07 984951234501         00:01'05 00001.30EUR"),
        ("C", "22/11/26 01:04PM   301 0007 984951234501" + " " * 39 + "0'15 00:01'05 00001.30EUR"),
    ],
)
def test_a_line_of_each_pattern(pattern: str, line: str) -> None:
    assert line_of(CALL, Settings(smdr_pattern=pattern)) == line


@pytest.mark.parametrize(
    ("settings", "change", "expected"),
    [
        ({"smdr_date_order": "mm/dd/yy"}, {}, "11/22/26 01:04PM "),
        ({"smdr_date_order": "yy/mm/dd", "smdr_clock": "24"}, {}, "26/11/22 13:04   "),
        ({"utc_offset_h": 3.0}, {}, "22/11/26 04:04PM "),
        ({"smdr_access_code": False}, {}, " 84951234501 "),
        ({"smdr_secret_digits": 4}, {}, " 98495123. "),
        ({}, {"direction": "in", "dialled": "4951234567"}, " <I>4951234567 "),
        ({}, {"direction": "internal", "dialled": "1235", "trunk": None}, "   301    EXT1235 "),
        ({}, {"trunk": 123}, "   301 00 98"),
        ({}, {"condition": "tr"}, "00:01'05            TR"),
        ({}, {"answered": False, "answered_s": None}, "1'20 00:00'00"),
        ({}, {"extension": "1200"}, "PM  1200 07"),
        ({}, {"dialled": "9" * 60}, " " + "9" * 25 + " 0'15"),
    ],
)
def test_what_the_settings_change(settings: dict[str, Any], change: dict[str, Any], expected: str) -> None:
    assert expected in line_of(replace(CALL, **change), Settings(**settings))


def test_the_dialogue() -> None:
    terminal = Terminal(server())
    assert terminal.read() == "-"
    assert terminal.types("help\r\n").endswith("leave\r\n-")
    assert terminal.types("\r") == "-"
    assert terminal.types("smdr\r\n") == "Enter Password:"
    assert terminal.types("pccsmdr\n") == "\r\n"
    assert terminal.types("q\r") == "Goodbye.\r\n"
    assert terminal.wire.disconnecting


@pytest.mark.parametrize(
    ("how", "answer"),
    [
        ("prompt", "\r\n-"),
        ("password", "\r\nEnter Password:"),
        ("words", "\r\nPassword incorrect\r\n-"),
        ("close", ""),
    ],
)
def test_a_wrong_password(how: str, answer: str) -> None:
    pbx = server(smdr_wrong_password=how)
    terminal = Terminal(pbx)
    terminal.types("SMDR\r")
    terminal.read()
    assert terminal.types("wrong\r") == answer
    assert terminal.wire.disconnecting is (how == "close")
    pbx.call_ended(CALL)
    assert terminal.read() == ""
    assert len(pbx.kept) == 1


def test_telnet_options_banner_and_echo() -> None:
    terminal = Terminal(server(smdr_telnet=True, smdr_banner="KX-NS1000", smdr_echo=True))
    assert terminal.read() == NEGOTIATION.decode("latin-1") + "KX-NS1000\r\n-"
    assert terminal.types("\xff\xfe\x01SM\xff\xfc\x18DR\r\n") == "SMDR\r\nEnter Password:"
    assert terminal.types("\xff\xf1PCCSMDR\r\n") == "*******\r\n\r\n"


def test_records_wait_for_a_reader_and_go_to_all_of_them() -> None:
    pbx = server()
    pbx.call_ended(CALL)
    pbx.call_ended(replace(CALL, extension="302"))
    first = Terminal(pbx)
    text = first.log_in()
    assert [line.split()[2] for line in text.splitlines() if line] == ["301", "302"]
    assert pbx.kept == []
    second = Terminal(pbx)
    second.log_in()
    pbx.call_ended(replace(CALL, extension="303"))
    assert " 303 " in first.read()
    assert " 303 " in second.read()
    first.leave()
    second.leave()
    pbx.call_ended(CALL)
    assert len(pbx.kept) == 1


def test_records_outlast_a_reset() -> None:
    pbx = server()
    terminal = Terminal(pbx)
    terminal.log_in()
    pbx.close()
    assert terminal.wire.disconnecting
    terminal.leave()
    pbx.call_ended(CALL)
    assert " 301 " in Terminal(pbx).log_in()


def test_what_was_read_last_may_be_sent_again() -> None:
    pbx = server(smdr_sent_again=2)
    terminal = Terminal(pbx)
    terminal.log_in()
    for extension in ("301", "302", "303"):
        pbx.call_ended(replace(CALL, extension=extension))
    terminal.leave()
    pbx.call_ended(replace(CALL, extension="304"))
    text = Terminal(pbx).log_in()
    assert [line.split()[2] for line in text.splitlines() if line] == ["302", "303", "304"]


def test_pages_have_heads() -> None:
    pbx = SmdrServer(Settings(smdr_page_lines=4, smdr_form_feed=True, smdr_new_line="lf"), lambda text: None)
    terminal = Terminal(pbx)
    terminal.log_in()
    for _ in range(3):
        pbx.call_ended(CALL)
    line = line_of(CALL, pbx.settings)
    title, rule = page_head(pbx.settings)
    assert terminal.read() == "\n".join([title, rule, line, line, f"\f{title}", rule, line, ""])


def test_unanswered_calls_may_be_left_out() -> None:
    pbx = server(smdr_unanswered=False)
    pbx.call_ended(replace(CALL, answered=False, answered_s=None))
    pbx.call_ended(replace(CALL, answered=False, answered_s=None, direction="in", condition="na"))
    (line,) = pbx.kept
    assert line.endswith(" NA")


def test_without_login_records_come_at_once() -> None:
    pbx = server(smdr_login=False)
    pbx.call_ended(CALL)
    assert " 301 " in Terminal(pbx).read()


def test_endless_input_is_bounded() -> None:
    terminal = Terminal(server())
    terminal.read()
    assert terminal.types("x" * 1_000_000) == ""
    assert len(terminal.protocol._typed) <= 200
    assert terminal.types("\r") == "-"
