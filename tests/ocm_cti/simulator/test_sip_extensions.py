"""SIP extensions that dial, are called, hold and transfer by themselves; all in memory, with their audio."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from simulator_bench import HOST, Bench, Network, made_benches

from ocm_cti.simulator import audio
from ocm_cti.simulator.config import ExtensionConfig
from ocm_cti.simulator.effects import Extension
from ocm_cti.simulator.fault_table import LoseRegistration, Restart
from protocols.rtp.link import MediaPort, Ticker
from protocols.sip import sdp
from protocols.sip.client_transaction import ClientTransaction
from protocols.sip.events import (
    Answered,
    Ended,
    Event,
    Incoming,
    Malformed,
    Reanswered,
    Refused,
    Registered,
    RegistrationFailed,
    Ringing,
)
from protocols.sip.link import SIPLink
from protocols.sip.registration import Account
from protocols.sip.user_agent import UserAgent

LOUD = audio.speech(3.0, "telephone")
PBX = (HOST, 5060)


class Telephone:
    """Somebody's SIP telephone: registers, dials, answers when told, and keeps what it hears."""

    def __init__(self, network: Network, number: str, password: str = "") -> None:
        self.network = network
        self.number = number
        self.events: list[Event] = []
        self.heard = bytearray()
        self.keys: list[str] = []
        self.incoming: Incoming | None = None
        self.call = ""
        self.referred: list[int] = []  # the answers to its REFERs
        self.ports: list[MediaPort] = []
        self._ticker = Ticker(network)
        self._numbers = iter(range(10**6))
        self.account = Account(number, password or f"pw{number}", *PBX)
        self.sip = SIPLink(self._agent, network, self._told)
        self.listening = network.listenUDP(0, self.sip)

    def _agent(self, host: str, port: int) -> UserAgent:
        return UserAgent(host, port, token=lambda: f"phone{self.number}x{next(self._numbers)}")

    def _told(self, event: Event) -> None:
        self.events.append(event)
        match event:
            case Incoming():
                self.incoming, self.call = event, event.call
                self.sip.ring(event.call)
            case Ringing(sdp=bytes(answer)) | Answered(sdp=answer) if answer:
                self._connect(sdp.accept(answer))

    def _connect(self, agreed: sdp.Agreed) -> None:
        port = self.ports[-1]
        port.connect(
            agreed.remote_host, agreed.remote_port, payload_type=agreed.pt, telephone_event_pt=agreed.telephone_event_pt
        )

    def _port(self) -> int:
        port = MediaPort(
            self._ticker,
            self.network,
            self.heard.extend,
            self.keys.append,
            wall_clock=lambda: 1e9,
            numbers=random.Random(int(self.number)),
        )
        self.ports.append(port)
        return port.listen(self.network, HOST)

    def register(self) -> None:
        self.sip.register(self.account)

    def dial(self, number: str, *, offer: bytes | None = None, account: Account | None = None) -> None:
        body = sdp.offer(HOST, self._port()) if offer is None else offer
        self.call = self.sip.invite(
            f"sip:{number}@{HOST}:5060",
            from_user=self.number,
            destination=PBX,
            sdp=body,
            credentials=account or self.account,
        )

    def lift(self) -> None:
        assert self.incoming is not None
        answer, agreed = sdp.answer(self.incoming.sdp, HOST, self._port())
        self._connect(agreed)
        self.sip.answer(self.call, answer)

    def say(self, alaw: bytes = LOUD) -> None:
        self.ports[-1].queue(alaw)

    def refer(self, to: str) -> int:
        """Send REFER in the call, as nothing of ours but the product's gateway does; its CSeq."""
        call = self.sip.agent._call(self.call)
        assert call.dialog is not None
        headers = [("Contact", call.contact), ("Refer-To", to)]
        request = call.dialog.request("REFER", headers)
        ClientTransaction(
            call.core, request, call.dialog.next_hop(), self.network.seconds(), self._referred, lambda now: None
        )
        self.sip._flush()
        return request.cseq.sequence

    def _referred(self, response: Any, now: float) -> None:
        self.referred.append(response.code)

    def saw(self, kind: type[Event]) -> bool:
        return any(isinstance(event, kind) for event in self.events)

    def codes(self) -> list[int]:
        """Every answer to what it dialled, the provisional ones too."""
        found: list[int] = []
        for event in self.events:
            match event:
                case Ringing(code=code) | Refused(code=code):
                    found.append(code)
                case Answered():
                    found.append(200)
        return found

    def close(self) -> None:
        for port in self.ports:
            port.close()
        self.listening.stopListening()


class Office(Bench):
    """301 and 302 are telephones, 201 and 202 simulated ones."""

    def __init__(self, directory: Path, *variants: str, **more: Any) -> None:
        phones = (ExtensionConfig("201", kind="phone", answer_after_s=0.5), ExtensionConfig("202", kind="phone"))
        super().__init__(directory, *variants, extensions=("301", "302", *phones), **more)

    def telephone(self, number: str) -> Telephone:
        phone = Telephone(self.network, number)
        self.robots.append(phone)  # type: ignore[arg-type]
        phone.register()
        self.network.run(1, lambda: phone.saw(Registered))
        return phone


@pytest.fixture
def make_office(tmp_path: Path) -> Iterator[Callable[..., Office]]:
    yield from made_benches(tmp_path, Office)


Maker = Callable[..., Office]


def test_who_dials_must_prove_who_he_is(make_office: Maker) -> None:
    office = make_office()
    phone = office.telephone("301")
    for account in (Account("301", "wrong", *PBX), Account("302", "pw302", *PBX), Account("999", "", *PBX)):
        phone.dial("984951234501", account=account)
        office.network.run(1)
    assert phone.codes() == [403, 403, 403]
    assert office.journal() == []


def test_an_extension_dials_outside_and_hears_ringback_as_its_own(make_office: Maker) -> None:
    office = make_office()
    phone = office.telephone("301")
    phone.dial("984951234501")
    office.network.run(3, lambda: phone.saw(Answered))
    assert phone.codes() == [180, 200]
    assert not audio.is_sound(bytes(phone.heard))  # it makes its own ringback
    phone.say()
    office.network.run(10, lambda: phone.keys != [])
    assert phone.keys == ["1"]
    phone.sip.hang_up(phone.call)
    office.network.run(1)
    assert office.journal() == ["make_call", "dialed", "answered", "ended"]


def test_ringback_may_come_as_early_audio(make_office: Maker) -> None:
    office = make_office("early_media=183")
    phone = office.telephone("301")
    phone.dial("984951234501")
    office.network.run(1, lambda: phone.saw(Ringing))
    office.network.run(0.5)
    assert phone.codes() == [183]
    assert audio.is_sound(bytes(phone.heard))
    office.network.run(2, lambda: phone.saw(Answered))
    phone.heard.clear()
    office.network.run(1)
    assert not audio.is_sound(bytes(phone.heard))  # he listens


def test_on_a_line_without_signalling_it_is_answered_at_once(make_office: Maker) -> None:
    office = make_office("trunk_kind=lco")
    phone = office.telephone("301")
    phone.dial("984951234507")  # never answered
    office.network.run(1)
    assert phone.codes() == [200]
    phone.heard.clear()
    office.network.run(5)
    assert audio.is_sound(bytes(phone.heard))  # ringback is all that tells


@pytest.mark.parametrize(
    ("number", "code"), [("984951234506", 486), ("984951234509", 404), ("777", 404), ("302", 480), ("84", 404)]
)
def test_what_fails_is_refused_in_the_words_of_sip(make_office: Maker, number: str, code: int) -> None:
    office = make_office()
    phone = office.telephone("301")
    phone.dial(number)
    office.network.run(5, lambda: phone.saw(Refused))
    assert phone.codes()[-1] == code
    assert office.simulator.pbx.switch.calls == ()


def test_an_offer_that_nobody_speaks_is_refused(make_office: Maker) -> None:
    office = make_office()
    phone = office.telephone("301")
    phone.dial("201", offer=b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n")
    office.network.run(1)
    assert phone.codes() == [488]


def test_a_call_given_up_before_the_answer_is_over(make_office: Maker) -> None:
    office = make_office()
    phone = office.telephone("301")
    phone.dial("984951234507")
    office.network.run(2, lambda: phone.saw(Ringing))
    phone.sip.hang_up(phone.call)
    office.network.run(1)
    assert office.simulator.pbx.switch.calls == ()
    assert office.journal()[-1] == "ended"


def test_two_extensions_talk_and_either_may_hang_up(make_office: Maker) -> None:
    office = make_office()
    one, two = office.telephone("301"), office.telephone("302")
    one.dial("302")
    office.network.run(2, lambda: two.saw(Incoming))
    assert two.incoming is not None and "301" in two.incoming.from_uri
    two.lift()
    office.network.run(1, lambda: one.saw(Answered))
    one.say()
    office.network.run(1)
    assert audio.is_sound(bytes(two.heard)) and not audio.is_sound(bytes(one.heard))
    two.say()
    one.ports[-1].send_digits("42")
    office.network.run(1)
    assert audio.is_sound(bytes(one.heard))
    assert two.keys == ["4", "2"]
    two.sip.hang_up(two.call)
    office.network.run(1)
    assert one.saw(Ended)
    assert office.simulator.pbx.switch.calls == ()


def test_who_is_held_by_the_other_telephone_hears_music(make_office: Maker) -> None:
    office = make_office()
    one, two = office.telephone("301"), office.telephone("302")
    one.dial("302")
    office.network.run(2, lambda: two.saw(Incoming))
    two.lift()
    office.network.run(1)
    port = one.ports[-1].port
    one.sip.reoffer(one.call, sdp.offer(HOST, port, 1, 2, direction="sendonly"))
    office.network.run(1, lambda: one.saw(Reanswered))
    two.heard.clear()
    one.heard.clear()
    office.network.run(1)
    assert audio.is_sound(bytes(two.heard))
    assert one.heard == b""
    one.sip.reoffer(one.call, sdp.offer(HOST, port, 1, 3))
    office.network.run(1)
    two.heard.clear()
    one.say()
    office.network.run(0.5)
    assert LOUD[800:1600] in bytes(two.heard)


def test_a_desk_telephone_answers_by_its_person(make_office: Maker) -> None:
    office = make_office()
    phone = office.telephone("301")
    phone.dial("201")
    office.network.run(2, lambda: phone.saw(Answered))
    assert phone.codes() == [180, 200]


def test_a_desk_telephone_may_wait_for_the_computer(make_office: Maker) -> None:
    office = make_office()
    phone = office.telephone("301")
    phone.dial("202")
    office.network.run(5)
    assert phone.codes() == [180]
    (call,) = office.simulator.pbx.switch.calls
    office.simulator.pbx.switch.answer(call.call_id, Extension("202"))
    office.simulator.pbx.carry_out()
    office.network.run(1)
    assert phone.codes() == [180, 200]


def test_somebody_outside_calls_an_extension(make_office: Maker) -> None:
    office = make_office()
    phone = office.telephone("302")
    serial = office.simulator.call_in("4951234502", "302")
    office.network.run(1, lambda: phone.saw(Incoming))
    assert phone.incoming is not None and "4951234502" in phone.incoming.from_uri
    phone.lift()
    phone.say()
    office.network.run(2)
    phone.sip.hang_up(phone.call)
    office.network.run(1)
    assert office.lines()[-1]["call"] == serial
    heard = next((office.directory / "heard").iterdir())
    assert heard.stat().st_size > 20_000


def test_refer_hands_the_person_over(make_office: Maker) -> None:
    office = make_office()
    one, two = office.telephone("301"), office.telephone("302")
    one.dial("984951234502")
    office.network.run(3, lambda: one.saw(Answered))
    one.refer("<sip:302@127.0.0.1>")
    office.network.run(2, lambda: two.saw(Incoming))
    assert one.referred == [202]
    two.lift()
    office.network.run(1, lambda: one.saw(Ended))
    assert one.saw(Ended)
    two.say()
    office.network.run(1)
    (call,) = office.simulator.pbx.switch.calls
    assert [state for _, state in call.states()] == ["connected", "connected"]
    two.sip.hang_up(two.call)
    office.network.run(1)
    assert office.simulator.pbx.switch.calls == ()


def test_refer_to_somebody_who_is_not_there_gives_the_person_back(make_office: Maker) -> None:
    office = make_office()
    phone = office.telephone("301")
    phone.dial("984951234502")
    office.network.run(3, lambda: phone.saw(Answered))
    phone.refer("<sip:302@127.0.0.1>")
    office.network.run(3)
    assert phone.referred == [202]
    assert not phone.saw(Ended)
    phone.say()
    office.network.run(1)
    phone.sip.hang_up(phone.call)
    office.network.run(1)
    (heard,) = (office.directory / "heard").iterdir()
    assert audio.is_sound(audio.read_wav(heard))


@pytest.mark.parametrize(
    ("refer_to", "code"),
    [
        ("<sip:302@127.0.0.1?Replaces=1%3Bto-tag%3D2%3Bfrom-tag%3D3>", 501),
        ("<sip:127.0.0.1>", 400),
        ("<mailto:302@127.0.0.1>", 400),
    ],
)
def test_a_refer_that_makes_no_sense_is_refused(make_office: Maker, refer_to: str, code: int) -> None:
    office = make_office()
    phone = office.telephone("301")
    phone.dial("201")
    office.network.run(3, lambda: phone.saw(Answered))
    phone.refer(refer_to)
    office.network.run(1)
    assert phone.referred == [code]


def test_a_lost_registration_is_found_at_the_next_call(make_office: Maker) -> None:
    office = make_office()
    one, two = office.telephone("301"), office.telephone("302")
    office.simulator.inject(LoseRegistration(extension="302"))
    office.network.run(0.1)
    one.dial("302")
    office.network.run(2, lambda: one.saw(Refused))
    assert one.codes() == [480]
    two.register()
    office.network.run(1)
    assert set(office.simulator.sip.registrations) == {"301", "302"}


def test_a_restart_loses_calls_and_registrations_without_a_word(make_office: Maker) -> None:
    office = make_office()
    phone = office.telephone("301")
    phone.dial("984951234502")
    office.network.run(3, lambda: phone.saw(Answered))
    office.simulator.inject(Restart(down_s=3.0))
    office.network.run(2)
    assert not phone.saw(Ended)
    assert office.lines()[-1]["by"] == "restart"
    phone.register()
    office.network.run(0.5)
    assert len([event for event in phone.events if isinstance(event, Registered)]) == 1
    office.network.run(8, lambda: "301" in office.simulator.sip.registrations)
    assert not phone.saw(RegistrationFailed)
    phone.sip.hang_up(phone.call)  # the PBX knows nothing of it
    office.network.run(1)
    phone.dial("201")
    office.network.run(3)
    assert phone.codes()[-1] == 200
    assert not phone.saw(Malformed)
