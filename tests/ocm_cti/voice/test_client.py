"""The parent's side over a process that is played by the test: every call ends once, nothing is left behind."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ProcessTerminated
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import Clock
from twisted.protocols import amp
from twisted.python.failure import Failure

from ocm_cti.voice import commands
from ocm_cti.voice.child import PING_ANSWER_S, PING_EVERY_S, VoiceProcessLost
from ocm_cti.voice.client import (
    RESTART_MAX_S,
    SETTLED_S,
    STOP_S,
    CallOver,
    DialFailed,
    PlayReport,
    RecordReport,
    ReferRefused,
    VoiceClient,
)


class FakeProcess(amp.AMP):
    """A voice process in memory: its AMP end, and the process transport of the parent."""

    pid = 1234

    def __init__(self, parent: ProcessProtocol, clock: Clock) -> None:
        super().__init__()
        self.parent = parent
        self.clock = clock
        self.asked: list[tuple[Any, ...]] = []
        self.plays: list[Deferred[Any]] = []
        self.signals: list[str] = []
        self.over = False
        self.stuck = False
        self.ends_by_itself = True

    # the parent's process transport

    def write(self, octets: bytes) -> None:
        # Not within the call, as with a real pipe.
        self.clock.callLater(0, self._arrived, octets)

    def _arrived(self, octets: bytes) -> None:
        if not self.stuck and not self.over:
            self.dataReceived(octets)

    def closeStdin(self) -> None:
        self.asked.append(("stdin closed",))
        if self.ends_by_itself:
            self.die(0)

    def loseConnection(self) -> None:
        pass

    def signalProcess(self, name: str) -> None:
        self.signals.append(name)
        self.die(None, signal.SIGKILL)

    def die(self, code: int | None, number: int | None = None) -> None:
        self.over = True
        reason = ProcessTerminated(code, number) if code or number else ConnectionDone()
        self.connectionLost(Failure(ConnectionDone()))
        self.parent.processEnded(Failure(reason))

    # our end of the streams

    class _Out:
        def __init__(self, process: FakeProcess) -> None:
            self._process = process

        def write(self, octets: bytes) -> None:
            self._process.clock.callLater(0, self._arrived, octets)

        def _arrived(self, octets: bytes) -> None:
            if not self._process.over:
                self._process.parent.outReceived(octets)

        def getPeer(self) -> str:
            return "parent"

        getHost = getPeer

        def loseConnection(self) -> None:
            pass

    def tell(self, command: type[amp.Command], **arguments: Any) -> None:
        self.callRemote(command, **arguments)

    def ring(self, key: str) -> None:
        self.tell(commands.Incoming, call=key, extension="301", caller="0")

    @commands.Register.responder
    def _register(self, **arguments: Any) -> dict[str, Any]:
        self.asked.append(("register", arguments["extension"], arguments["expires_s"]))
        return {}

    @commands.Dial.responder
    def _dial(self, extension: str, digits: str) -> dict[str, Any]:
        if extension != "301":
            raise commands.DialFailed("not registered")
        self.asked.append(("dial", extension, digits))
        return {"call": f"d{digits}"}

    @commands.Refer.responder
    def _refer(self, call: str, digits: str) -> Deferred[Any]:
        self.asked.append(("refer", call, digits))
        self.plays.append(Deferred())
        return self.plays[-1]

    @commands.Answer.responder
    def _answer(self, call: str) -> dict[str, Any]:
        self.asked.append(("answer", call))
        return {}

    @commands.Refuse.responder
    def _refuse(self, call: str, code: int) -> dict[str, Any]:
        raise commands.CallOver("gone")

    @commands.HangUp.responder
    def _hang_up(self, call: str) -> dict[str, Any]:
        self.asked.append(("hang up", call))
        return {}

    @commands.Play.responder
    def _play(self, call: str, paths: list[str]) -> Deferred[Any]:
        self.asked.append(("play", call, *paths))
        self.plays.append(Deferred())
        return self.plays[-1]

    @commands.Record.responder
    def _record(self, **arguments: Any) -> dict[str, Any]:
        self.asked.append(("record", arguments["call"], arguments["path"]))
        return {"length_ms": 5, "why": "key"}

    @commands.Ping.responder
    def _ping(self) -> dict[str, Any]:
        self.asked.append(("ping",))
        return {"cpu_ms": 1500}

    @commands.Shutdown.responder
    def _shutdown(self) -> dict[str, Any]:
        self.asked.append(("shutdown",))
        return {}


class Reactor(Clock):
    """Time, and processes in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.processes: list[FakeProcess] = []
        self.refusal: OSError | None = None
        self.commands: list[Sequence[str]] = []

    def spawnProcess(self, protocol: ProcessProtocol, executable: str, args: Sequence[str], env: Any) -> Any:
        if self.refusal:
            raise self.refusal
        self.commands.append(args)
        process = FakeProcess(protocol, self)
        self.processes.append(process)
        process.makeConnection(FakeProcess._Out(process))
        protocol.makeConnection(process)
        return process

    def flow(self) -> None:
        """Let everything in the pipes arrive."""
        for _ in range(5):
            self.advance(0)


class Observer:
    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.fail_at: str | None = None

    def __getattr__(self, name: str) -> Any:
        def tell(*arguments: Any) -> None:
            self.told.append((name, *arguments))
            if name == self.fail_at:
                raise RuntimeError("the observer is broken")

        return tell


class Case:
    def __init__(self) -> None:
        self.reactor, self.observer = Reactor(), Observer()
        self.client = VoiceClient(self.reactor, self.observer, restart_delay_s=1.0)
        self.client.start()
        self.tell(commands.Ready, sip_port=5070)

    @property
    def process(self) -> FakeProcess:
        return self.reactor.processes[-1]

    def tell(self, command: type[amp.Command], **arguments: Any) -> None:
        self.process.tell(command, **arguments)
        self.reactor.flow()

    def ring(self, key: str) -> None:
        self.process.ring(key)
        self.reactor.flow()

    def ask(self, deferred: Deferred[Any]) -> list[Any]:
        """The list that its answer will be in, or is already."""
        found = outcome(deferred)
        self.reactor.flow()
        return found

    def told(self) -> list[tuple[Any, ...]]:
        found, self.observer.told = self.observer.told, []
        return found

    def stop(self) -> list[Any]:
        """Stop, and check that nothing is left."""
        done: list[Any] = []
        self.client.stop().addCallback(done.append)
        self.reactor.flow()
        assert self.reactor.getDelayedCalls() == []
        assert done == [None]
        return done


def outcome(deferred: Deferred[Any]) -> list[Any]:
    found: list[Any] = []
    deferred.addCallbacks(found.append, lambda failure: found.append(failure.value))
    return found


def test_what_is_asked_reaches_the_process_and_its_answer_us() -> None:
    case = Case()
    assert case.client.ready
    assert case.client.sip_port == 5070
    assert case.ask(case.client.register("301", "pw301", "127.0.0.1", 5060)) == [None]
    case.ring("k")
    assert case.told() == [("process_ready",), ("incoming", "1.k", "301", "0")]
    assert case.ask(case.client.answer("1.k")) == [None]
    played = case.ask(case.client.play("1.k", [Path("/a.alaw"), Path("/b.alaw")]))
    assert played == []
    case.process.plays[0].callback({"heard_ms": 1, "of_ms": 2, "finished": False})
    case.reactor.flow()
    assert played == [PlayReport(1, 2, False)]
    assert case.ask(case.client.record("1.k", Path("/r.wav"))) == [RecordReport(Path("/r.wav"), 5, "key")]
    assert case.process.asked == [
        ("register", "301", 120),
        ("answer", "k"),
        ("play", "k", "/a.alaw", "/b.alaw"),
        ("record", "k", "/r.wav"),
    ]
    case.tell(commands.Established, call="k")
    case.tell(commands.Digit, call="k", digit="1")
    case.tell(commands.Ended, call="k", by="them", reason="BYE")
    case.tell(commands.Ended, call="k", by="them", reason="BYE")
    assert case.told() == [("established", "1.k"), ("digit", "1.k", "1"), ("ended", "1.k", "them", "BYE", None)]
    assert case.ask(case.client.cpu_s()) == [1.5]
    case.stop()


def test_a_call_that_we_dial() -> None:
    """Its name is known before anything is told of it; a refusal is its end."""
    case = Case()
    case.told()
    dialled = outcome(case.client.dial("301", "95"))
    case.reactor.flow()
    assert dialled == ["1.d95"]
    case.tell(commands.Ringing, call="d95", code=180)
    case.tell(commands.Established, call="d95")
    case.tell(commands.Ended, call="d95", by="them", reason="BYE")
    assert case.ask(case.client.dial("301", "96")) == ["1.d96"]
    case.tell(commands.Refused, call="d96", code=486, reason="Busy Here")
    case.tell(commands.Refused, call="d96", code=486, reason="Busy Here")
    case.tell(commands.Ended, call="d96", by="us", reason="")
    case.tell(commands.Ringing, call="d96", code=180)
    assert case.told() == [
        ("ringing", "1.d95", 180),
        ("established", "1.d95"),
        ("ended", "1.d95", "them", "BYE", None),
        ("refused", "1.d96", 486, "Busy Here", None, None),
    ]
    (failed,) = case.ask(case.client.dial("302", "95"))
    assert isinstance(failed, DialFailed) and str(failed) == "not registered"
    assert isinstance(case.ask(case.client.refer("1.d96", "201"))[0], CallOver)
    case.stop()


def test_a_process_that_dies_while_it_dials_or_transfers() -> None:
    """What it was asked is not known to have come to nothing; a call that it had is told as ended."""
    case = Case()
    case.ask(case.client.dial("301", "95"))
    case.told()
    referring = case.ask(case.client.refer("1.d95", "201"))
    dialling = outcome(case.client.dial("301", "96"))
    case.process.die(1)
    assert [type(found[0]) for found in (referring, dialling)] == [VoiceProcessLost, VoiceProcessLost]
    assert [told[:3] for told in case.told()] == [("ended", "1.d95", "fault"), ("process_lost", "exit code 1")]
    assert isinstance(case.ask(case.client.dial("301", "97"))[0], VoiceProcessLost)
    case.stop()


@pytest.mark.parametrize(("code", "reason"), [(200, ""), (486, "Busy Here"), (0, "no registration")])
def test_what_becomes_of_a_transfer(code: int, reason: str) -> None:
    case = Case()
    case.ring("k")
    found = case.ask(case.client.refer("1.k", "201"))
    assert (case.process.asked, found) == ([("refer", "k", "201")], [])
    case.process.plays[0].callback({"code": code, "reason": reason})
    case.reactor.flow()
    (result,) = found
    if code == 200:
        assert result is None
    else:
        assert isinstance(result, ReferRefused) and (result.code, result.reason) == (code, reason)
    case.stop()


def test_a_call_that_is_over_is_answered_here() -> None:
    case = Case()
    (error,) = case.ask(case.client.play("1.k", []))
    assert isinstance(error, CallOver)
    assert case.ask(case.client.hang_up("1.k")) == [None]
    assert case.ask(case.client.stop_playing("1.k")) == [None]
    assert case.process.asked == []
    case.ring("k")
    assert case.ask(case.client.refuse("1.k")) == [None]  # the child says it is over: that is what was wanted
    case.stop()


def test_a_process_that_dies_ends_its_calls_once_and_is_started_again() -> None:
    case = Case()
    case.ring("k")
    case.ring("l")
    case.tell(commands.Ended, call="l", by="us", reason="")
    case.told()
    played = case.ask(case.client.play("1.k", []))
    case.process.parent.errReceived(b"Traceback\nMemory")
    case.process.parent.errReceived(b"Error: out of it\n")
    case.process.die(1)
    assert isinstance(played[0], VoiceProcessLost)
    assert case.told() == [
        ("ended", "1.k", "fault", "exit code 1: MemoryError: out of it", None),
        ("process_lost", "exit code 1: MemoryError: out of it"),
    ]
    assert isinstance(case.ask(case.client.register("301", "", "", 1))[0], VoiceProcessLost)
    assert (case.client.pid, case.client.sip_port) == (None, 0)
    case.reactor.advance(1.0)
    case.tell(commands.Ready, sip_port=5071)
    case.ring("k")  # the same key in another life is another call
    case.tell(commands.Ended, call="k", by="them", reason="")
    assert case.told() == [("process_ready",), ("incoming", "2.k", "301", "0"), ("ended", "2.k", "them", "", None)]
    case.stop()


def test_a_system_that_starts_no_process_is_asked_again() -> None:
    case = Case()
    case.told()
    case.reactor.refusal = OSError("no memory")
    case.process.die(None, signal.SIGKILL)
    assert case.told() == [("process_lost", "killed by signal 9")]
    case.reactor.advance(1.0)
    case.reactor.advance(0)
    ((name, reason),) = case.told()
    assert name == "process_lost"
    assert "no memory" in reason
    case.reactor.refusal = None
    case.reactor.advance(2.0)
    case.tell(commands.Ready, sip_port=1)
    assert case.told() == [("process_ready",)]
    case.stop()


def test_stop_lets_the_process_finish() -> None:
    case = Case()
    case.ring("k")
    case.told()
    case.stop()
    assert case.process.asked == [("shutdown",), ("stdin closed",)]
    assert case.told() == [("ended", "1.k", "fault", "exit code None", None)]  # this process did not hang it up itself
    case.client.start()
    assert len(case.reactor.processes) == 2
    case.stop()


@pytest.mark.parametrize("stage", ["stuck", "slow to leave"])
def test_stop_kills_a_process_that_does_not_go(stage: str) -> None:
    case = Case()
    case.process.stuck = stage == "stuck"
    case.process.ends_by_itself = False
    first, second = case.ask(case.client.stop()), case.ask(case.client.stop())
    case.reactor.advance(STOP_S - 0.1)
    assert first == []
    case.reactor.advance(0.1)
    assert (first, second, case.process.signals) == ([None], [None], ["KILL"])
    assert case.reactor.getDelayedCalls() == []


def test_stop_while_waiting_to_start_again_or_not_started() -> None:
    case = Case()
    case.process.die(1)
    case.stop()
    case.stop()
    case.reactor.refusal = OSError("no")
    case.client.start()
    stopped = case.ask(case.client.stop())
    assert stopped == [None]
    assert case.reactor.getDelayedCalls() == []


def test_a_stuck_process_is_killed_and_a_live_one_left_alone() -> None:
    case = Case()
    for _ in range(10):
        case.reactor.advance(PING_EVERY_S)
        case.reactor.flow()
    assert case.process.asked == [("ping",)] * 10
    case.told()
    case.process.stuck = True
    case.reactor.advance(PING_EVERY_S)
    case.reactor.advance(PING_ANSWER_S)
    assert case.process.signals == ["KILL"]
    assert case.told() == [("process_lost", "no answer for 20 s")]
    case.stop()


def test_an_observer_that_fails_does_not_cost_the_others_their_reports() -> None:
    case = Case()
    case.ring("k")
    case.ring("l")
    case.told()
    case.observer.fail_at = "ended"
    case.process.die(1)
    assert [told[:2] for told in case.told()] == [("ended", "1.k"), ("ended", "1.l"), ("process_lost", "exit code 1")]
    case.stop()


def test_garbage_on_stdout_costs_the_process_nothing_else_than_itself() -> None:
    case = Case()
    case.ring("k")
    case.told()
    case.process.parent.outReceived(b"\xff\xffprinted by somebody")
    case.process.die(0)
    assert [told[0] for told in case.told()] == ["ended", "process_lost"]
    case.stop()


PORT_TAKEN = "SIP port 127.0.0.1:5060 can't be opened: [Errno 98] Address already in use"


def delay_s(case: Case) -> float:
    """Until the next start, which is then made."""
    timer: Any
    (timer,) = case.reactor.getDelayedCalls()
    found: float = timer.getTime() - case.reactor.seconds()
    case.reactor.advance(found)
    return found


def test_a_process_that_dies_at_once_again_and_again_is_started_less_and_less_often() -> None:
    case = Case()
    delays = []
    for _ in range(8):
        case.process.die(2)
        delays.append(delay_s(case))
    assert delays == pytest.approx([1, 2, 4, 8, 16, RESTART_MAX_S, RESTART_MAX_S, RESTART_MAX_S])
    case.tell(commands.Ready, sip_port=1)
    case.process.die(2)
    assert delay_s(case) == pytest.approx(RESTART_MAX_S)  # ready, but not for long
    case.tell(commands.Ready, sip_port=1)
    for _ in range(int(SETTLED_S / PING_EVERY_S) + 1):
        case.reactor.advance(PING_EVERY_S)
        case.reactor.flow()
    case.process.die(2)
    assert delay_s(case) == pytest.approx(1)
    assert case.client.lost_reason == "exit code 2"
    case.stop()


def test_the_reason_of_a_loss_is_known_until_the_process_is_ready_again() -> None:
    case = Case()
    assert case.client.lost_reason == ""
    case.told()
    case.process.parent.errReceived(b"something before\n" + PORT_TAKEN.encode())
    case.process.die(2)
    assert case.told() == [("process_lost", f"exit code 2: {PORT_TAKEN}")]
    assert case.client.lost_reason == f"exit code 2: {PORT_TAKEN}"
    (error,) = case.ask(case.client.register("301", "", "", 1))
    assert isinstance(error, VoiceProcessLost) and PORT_TAKEN in str(error)
    case.reactor.advance(1.0)
    case.tell(commands.Ready, sip_port=1)
    assert case.client.lost_reason == ""
    case.process.parent.errReceived(b"free(): invalid pointer\n")
    case.process.die(None, signal.SIGABRT)
    assert case.client.lost_reason == "killed by signal 6: free(): invalid pointer"
    case.stop()
