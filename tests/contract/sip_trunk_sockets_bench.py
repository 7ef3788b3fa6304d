"""The gateway over a SIP trunk against a real Asterisk as the operator, with the real voice process, in real time.

The operator's dialplan plays the people. He is lost by being stopped (SIGSTOP) and comes back by SIGCONT: what was sent
meanwhile reaches him then, as over a network that was cut.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from asterisk_bench import listed
from asterisk_process import PrivateAsterisk
from gateway_bench import Sees, Watcher
from twisted.internet.defer import Deferred
from twisted.internet.process import reapAllProcesses
from twisted.internet.selectreactor import SelectReactor

from ocm_cti.gateways.interface import LinkState
from ocm_cti.gateways.sip_trunk import SipTrunkGateway
from ocm_cti.gateways.sip_trunk_settings import SipTrunkSettings
from ocm_cti.voice.client import VoiceClient

HOST = "127.0.0.1"
USER, PASSWORD = "4957000000", "trunk secret"
#: Which port of ours a call is of, for the test to find it at the operator.
PORT_HEADER = "X-Port"

PJSIP = f"""
[global](+)
endpoint_identifier_order = auth_username,username

[{USER}]
type = auth
auth_type = userpass
username = {USER}
password = {PASSWORD}
realm = operator

[{USER}]
type = aor
max_contacts = 2
remove_existing = yes

[{USER}]
type = endpoint
context = operator
disallow = all
allow = alaw,ulaw
auth = {USER}
aors = {USER}
identify_by = auth_username,username
direct_media = no
rtp_symmetric = yes
media_address = {HOST}
bind_rtp_to_media_address = yes
dtmf_mode = rfc4733
"""

#: People by the last two digits of their number; a transfer goes to the context ``operators``, where 202 is not known.
DIALPLAN = f"""
[operator]
exten => _+X!,1,Goto(operator,${{EXTEN:1}},1)
exten => _XXXXXXXXX0[17],1,Set(CHANNEL(accountcode)=${{PJSIP_HEADER(read,{PORT_HEADER})}})
 same => n,Set(__TRANSFER_CONTEXT=operators)
 same => n,Dial(Local/${{EXTEN:-2}}@person/n)
exten => _XXXXXXXXX06,1,Hangup(17)
exten => _XXXXXXXXX08,1,Hangup(21)
exten => _XXXXXXXXX09,1,Hangup(1)
exten => _XXXXXXXXX13,1,Hangup(34)

[person]
exten => 01,1,Ringing()
 same => n,Wait(0.3)
 same => n,Answer()
 same => n,Wait(600)
exten => 07,1,Ringing()
 same => n,Wait(600)

[operators]
exten => 200,1,Ringing()
 same => n,Wait(1)
 same => n,Answer()
 same => n,Wait(600)
exten => 201,1,Ringing()
 same => n,Wait(600)
"""


class _Voice(VoiceClient):
    """Counts the calls, and marks each with the port that it is of."""

    bench: SipTrunkSocketsBench

    def call(
        self,
        trunk: str,
        digits: str,
        *,
        caller_id: str = "",
        asserted: str = "",
        headers: Sequence[tuple[str, str]] = (),
    ) -> Deferred[str]:
        port = self.bench.asked()
        marked = (*headers, (PORT_HEADER, port))
        return super().call(trunk, digits, caller_id=caller_id, asserted=asserted, headers=marked)


class SipTrunkSocketsBench:
    """The reactor runs only inside ``until`` and ``pass_s``. ``changed`` are keys of the gateway's table."""

    sees = Sees(dials_by_link=False, announces=False, supervised=False, clears_after_voice=False)

    answers = "+74951234501"
    busy = "+74951234506"
    never_answers = "+74951234507"
    rejects = "+74951234508"
    does_not_exist = "+74951234509"
    congested = "+74951234513"
    operator = "200"
    operator_absent = "201"
    operator_unwilling = "202"
    announcement = "1"

    def __init__(self, asterisk: PrivateAsterisk, **changed: Any) -> None:
        self._asterisk = asterisk
        table = {
            "kind": "sip",
            "host": HOST,
            "port": asterisk.sip_port,
            "user": USER,
            "password": PASSWORD,
            "local_host": HOST,
            "channels": 3,
            "calls_burst": 20,
            "options_ping_s": 1.0,
            "options_wait_s": 0.8,
            "rest_after_fault_s": 0.3,
            "congestion_rest_s": 0.3,
            **changed,
        }
        self._settings = SipTrunkSettings.from_table(
            "operator", {key: value for key, value in table.items() if value is not None}
        )
        self._folder = tempfile.TemporaryDirectory()
        self.prompt = Path(self._folder.name) / "prompt.alaw"
        self.prompt.write_bytes(b"\xd5" * 8000)
        self.reactor: Any = SelectReactor()
        self.watcher = Watcher()
        self.gateway: SipTrunkGateway
        self.voices: list[VoiceClient] = []
        self.calls_asked = 0
        self._marked: set[Any] = set()

    def start(self) -> None:
        self.reactor.startRunning(installSignalHandlers=False)
        self._admin = self._asterisk.as_admin()
        self.gateway = SipTrunkGateway(self._settings, self.reactor, self._make_voice)
        self.gateway.start(self.watcher)
        self.until(lambda: list(self.gateway.idle_ports) == list(self.gateway.ports), "all ports idle")

    def _make_voice(self, observer: Any, number: int) -> VoiceClient:
        made = _Voice(
            self.reactor, observer, bind_host=HOST, restart_delay_s=0.1, extra=self._settings.voice_options(number)
        )
        made.bench = self
        self.voices.append(made)
        return made

    def asked(self) -> str:
        """A call is being asked for; the port that it is of."""
        self.calls_asked += 1
        for name, port in self.gateway._ports.items():
            if port.call is not None and port.call not in self._marked:
                self._marked.add(port.call)
                return name
        raise AssertionError("a call of no port")

    def close(self) -> None:
        """Stop; nothing may be left."""
        self.mend_link()
        gone: list[object] = []
        self.gateway.stop().addBoth(gone.append)
        self.until(lambda: gone, "the gateway has stopped")
        assert gone[0] is None, gone
        assert self.gateway.health.state is LinkState.DOWN
        self.until(lambda: not self.reactor.getDelayedCalls(), "no timer is left", 40.0)
        self.all_hang_up()
        self.until(lambda: self.calls_up == 0, "the operator has no call left")
        self._admin.close()
        self.reactor.stop()
        self.reactor.iterate(0)
        self._folder.cleanup()

    def until(self, condition: Callable[[], object], what: str, patience_s: float = 60.0) -> None:
        deadline_s = time.monotonic() + patience_s
        while not condition():
            assert time.monotonic() < deadline_s, f"never: {what}"
            self.reactor.iterate(0.01)
            reapAllProcesses()  # what SIGCHLD does for a reactor that runs by itself

    def pass_s(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end_s, "time passes")

    def _channel(self, port: str) -> str:
        """Our call as the operator has it."""
        rows = listed(self._admin)
        return next(
            row["Channel"] for row in rows if row["AccountCode"] == port and row["Channel"].startswith("PJSIP/")
        )

    def far_hangs_up(self, port: str) -> None:
        self._admin.ask("Hangup", Channel=self._channel(port), Cause="16")

    def far_presses(self, port: str, keys: str) -> None:
        for key in keys:
            self._admin.ask("PlayDTMF", Channel=self._channel(port), Digit=key, Duration="100")
            self.pass_s(0.3)

    def all_hang_up(self) -> None:
        for row in listed(self._admin):
            with suppress(RuntimeError):  # it may go with another one
                self._admin.ask("Hangup", Channel=row["Uniqueid"], Cause="16")

    def break_link(self) -> None:
        os.kill(self._asterisk.process.pid, signal.SIGSTOP)

    def mend_link(self) -> None:
        os.kill(self._asterisk.process.pid, signal.SIGCONT)

    def kill_voice(self) -> None:
        pid = self.voices[0].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    @property
    def calls_up(self) -> int:
        return len({row["Linkedid"] for row in listed(self._admin)})
