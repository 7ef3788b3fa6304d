"""ocm csta decode and encode as a user or a program runs them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import dpkt
import pytest
from click.testing import CliRunner, Result

from ocm_cti.cli import main
from ocm_cti.commands import csta_pcap
from ocm_cti.commands.csta_lines import MAX_LINE
from protocols.csta.association import AARE, AARQ
from protocols.csta.framing import frame

CAPTURES = Path(__file__).parents[3] / "fixtures" / "captures"
STATUS = "A10C020101020200D330030A0102"
STATUS_JSON = {"invoke": {"invokeId": 1, "opcode": 211, "argument": {"systemStatus": "normal"}}}
ANSWER = bytes.fromhex("A20B0201013006020200D30500")


def run(*arguments: str, given: str | bytes = "") -> Result:
    return CliRunner().invoke(main, ["csta", *arguments], input=given)


def test_decode_one() -> None:
    apart = bytes.fromhex(STATUS).hex(" ").split()
    for spelled in ([STATUS], [STATUS.lower()], ["000E" + STATUS], apart):
        result = run("decode", "--json", *spelled)
        assert (result.exit_code, json.loads(result.stdout)) == (0, STATUS_JSON)
        assert result.stdout.count("\n") == 1
    result = run("decode", STATUS)
    assert result.exit_code == 0
    assert "opcode: 211 (systemStatus)" in result.stdout


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        ("zz", "'zz' is neither a file nor hex"),
        ("A1", "cut short"),
        ("3000", "no APDU: tag 30"),
        ("A1000", "odd number"),
    ],
)
@pytest.mark.parametrize("options", [["--json"], []])
def test_one_that_can_not_be_decoded_is_one_line_and_code_2(octets: str, words: str, options: list[str]) -> None:
    result = run("decode", *options, octets)
    assert result.exit_code == 2
    assert words in result.stderr and result.stderr.count("\n") == 1
    assert "Traceback" not in result.output


def test_usage_errors_are_code_2() -> None:
    for arguments in (["decode"], ["encode"], ["encode", "x"], ["decode", "--nonsense"], ["replay"]):
        assert run(*arguments).exit_code == 2


def test_lines_in_lines_out_and_a_bad_one_in_its_place() -> None:
    given = f"{STATUS}\n\nzz\nA1\n64 03 80 01 00\r\n000e {STATUS.lower()}"
    result = run("decode", "--json", "-", given=given)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert answers == [
        STATUS_JSON,
        {"error": "no octets"},
        {"error": "no hex digit: 'z'"},
        {"error": "Invoke: cut short after 1 octets"},
        {"abrt": {"abort-source": 0}},
        STATUS_JSON,
    ]


def test_encode_lines() -> None:
    good = json.dumps(STATUS_JSON)
    bad = json.dumps({"invoke": {"invokeId": 1, "opcode": 211, "argument": {"systemStatus": 1.5}}})
    lines = [
        good,
        "{",
        bad,
        '{"invoke": {"invokeId": NaN}}',
        '{"abrt": {}, "abrt": {}}',
        "[" * 100_000,
        "1" * 5000,
        good,
    ]
    result = run("encode", "-", given="\n".join(lines))
    answers = result.stdout.splitlines()
    assert result.exit_code == 0
    assert answers[0] == answers[-1] == STATUS
    errors = [json.loads(answer)["error"] for answer in answers[1:-1]]
    assert len(errors) == 6
    assert errors[0].startswith("no JSON: ")
    assert errors[1].startswith("invoke.argument.systemStatus: takes a number or one of ")
    assert errors[2] == "no JSON: NaN is no number of JSON"
    assert errors[3] == "no JSON: 'abrt' stands twice in an object"
    assert errors[4] == "no JSON: nested too deep"


def test_a_line_of_any_length_or_octets_is_answered() -> None:
    given = b"A1" * MAX_LINE + b"\n\xff\xfe\x00\n" + STATUS.encode() + b"\n"
    answers = [json.loads(line) for line in run("decode", "--json", "-", given=given).stdout.splitlines()]
    assert ["error" in answer for answer in answers] == [True, True, False]


def test_what_decode_says_encode_takes() -> None:
    session = run("decode", "--json", str(CAPTURES / "our-client.txt")).stdout
    octets = run("encode", "-", given=session).stdout
    assert run("decode", "--json", "-", given=octets).stdout == session
    assert session.count("\n") == octets.count("\n") > 40


def test_trees_of_lines() -> None:
    result = run("decode", "-", given=f"{STATUS}\nzz\n")
    assert result.exit_code == 0
    assert "systemStatus: normal (2)" in result.stdout
    assert '{"error": "no hex digit: \'z\'"}' in result.stdout.splitlines()


# Files


def test_a_recording_as_trees() -> None:
    result = run("decode", str(CAPTURES / "panasonic-constants.txt"))
    assert result.exit_code == 0
    assert "> to switch  invoke escape getSystemData deviceList (id 1)" in result.stdout.splitlines()
    assert "number: '101'" in result.stdout


def test_lines_of_hex_and_raw_octets_in_a_file(tmp_path: Path) -> None:
    text, raw = tmp_path / "lines.txt", tmp_path / "raw.bin"
    text.write_text(f"\ufeff{STATUS}\nA1 0\n", encoding="utf-8")
    raw.write_bytes(frame(bytes.fromhex(STATUS)) + frame(ANSWER))
    answers = [json.loads(line) for line in run("decode", "--json", str(text)).stdout.splitlines()]
    assert answers == [STATUS_JSON, {"error": "an odd number of hex digits (3)"}]
    assert [next(iter(json.loads(line))) for line in run("decode", "--json", str(raw)).stdout.splitlines()] == [
        "invoke",
        "returnResult",
    ]


def test_a_file_without_csta_is_code_2(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Sir,\n")
    for name in ("letter.txt", "."):
        result = run("decode", str(tmp_path / name))
        assert result.exit_code == 2
        assert "Traceback" not in result.output
    assert "no CSTA in it" in run("decode", str(tmp_path / "letter.txt")).stderr


CLIENT, SWITCH = ("10.0.0.5", 40112), ("10.0.0.1", 33333)


def packet(link: str, source: tuple[str, int], destination: tuple[str, int], sequence: int, payload: bytes) -> bytes:
    tcp = dpkt.tcp.TCP(sport=source[1], dport=destination[1], seq=sequence, flags=dpkt.tcp.TH_ACK, data=payload)
    if link == "ip6":
        ends = [socket.inet_pton(socket.AF_INET6, "::" + end[0]) for end in (source, destination)]
        ip = dpkt.ip6.IP6(src=ends[0], dst=ends[1], nxt=6, hlim=64, data=tcp, plen=len(tcp))
    else:
        ends = [socket.inet_aton(end[0]) for end in (source, destination)]
        ip = dpkt.ip.IP(src=ends[0], dst=ends[1], p=6, data=tcp)
        ip.len = len(ip)
    if link == "ethernet":
        return bytes(dpkt.ethernet.Ethernet(src=b"\1" * 6, dst=b"\2" * 6, type=dpkt.ethernet.ETH_TYPE_IP, data=ip))
    if link == "cooked":
        return bytes(dpkt.sll.SLL(ethtype=dpkt.ethernet.ETH_TYPE_IP, data=ip))
    return bytes(ip)


LINKS = {"ethernet": dpkt.pcap.DLT_EN10MB, "cooked": dpkt.pcap.DLT_LINUX_SLL, "ip": dpkt.pcap.DLT_RAW, "ip6": 101}


def write_capture(path: Path, link: str, kind: str) -> None:
    """AARQ, half of an AARE, its other half with a SystemStatus, a packet of no interest."""
    answer = frame(AARE) + frame(bytes.fromhex(STATUS))
    with path.open("wb") as file:
        format_ = dpkt.pcap if kind == "pcap" else dpkt.pcapng
        writer: Any = format_.Writer(file, linktype=LINKS[link])
        writer.writepkt(packet(link, CLIENT, SWITCH, 100, frame(AARQ)), ts=1700000000.0)
        writer.writepkt(packet(link, SWITCH, CLIENT, 900, answer[:20]), ts=1700000000.25)
        writer.writepkt(b"\x00\x01", ts=1700000000.3)
        writer.writepkt(packet(link, SWITCH, CLIENT, 920, answer[20:]), ts=1700000000.5)
        writer.close()


@pytest.mark.parametrize(("link", "kind"), [*((link, "pcap") for link in LINKS), ("ethernet", "pcapng")])
def test_a_packet_capture(tmp_path: Path, link: str, kind: str) -> None:
    path = tmp_path / "pbx.pcap"
    write_capture(path, link, kind)
    result = run("decode", "--json", str(path))
    assert result.exit_code == 0
    assert [next(iter(json.loads(line))) for line in result.stdout.splitlines()] == ["aarq", "aare", "invoke"]
    text = run("decode", str(path)).stdout
    assert "2023-11-14 22:13:20.500Z  < to client  invoke systemStatus (id 1), systemStatus normal" in text
    assert ":40112 > " in text


def test_a_capture_cut_off_in_a_packet_gives_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcap"
    write_capture(path, "ethernet", "pcap")
    path.write_bytes(path.read_bytes()[:-30])
    assert run("decode", "--json", str(path)).stdout.count("\n") == 2  # the AARQ, and that an APDU is not all there


@pytest.mark.parametrize(
    "octets", [b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4" + b"\xff" * 40, b"\n\r\r\n" + b"\x00" * 30]
)
def test_a_broken_capture_is_code_2(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "broken.pcap"
    path.write_bytes(octets)
    result = run("decode", str(path))
    assert result.exit_code == 2
    assert result.stderr.startswith("ocm: ") and result.stderr.count("\n") == 1


def test_without_dpkt_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pbx.pcap"
    write_capture(path, "ethernet", "pcap")
    monkeypatch.setitem(sys.modules, "dpkt", None)
    result = run("decode", str(path))
    assert (result.exit_code, result.stderr) == (2, f"ocm: {csta_pcap.MISSING}\n")


# As a process

OCM = [sys.executable, "-m", "ocm_cti.cli", "csta"]


def test_each_line_is_answered_before_the_next_is_asked() -> None:
    with subprocess.Popen(
        [*OCM, "decode", "--json", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        for octets in (STATUS, "zz", STATUS):
            process.stdin.write(octets + "\n")
            process.stdin.flush()
            assert next(iter(json.loads(process.stdout.readline()))) in ("invoke", "error")
        process.stdin.close()
        assert process.wait(60) == 0


def test_a_reader_that_goes_away_is_no_error() -> None:
    with subprocess.Popen(
        [*OCM, "decode", str(CAPTURES / "our-client.txt")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0
