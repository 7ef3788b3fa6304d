"""A channel in AsyncAGI without an Asterisk: what is asked is kept, what is answered is up to the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.logger import Logger

from ocm_cti.gateways.agi_settings import AgiSettings
from ocm_cti.gateways.agi_sound import AgiAround, AgiSound
from ocm_cti.gateways.settings import Table
from protocols.ami.link import ActionRefused, LinkLost
from protocols.ami.messages import Event, Response

CHANNEL = "ocm-1"


def settings(**given: object) -> AgiSettings:
    return AgiSettings.read(Table("gateways.office", given, AgiSettings.rows()))


def event(name: str, **headers: str) -> Event:
    return Event([("Event", name), ("Uniqueid", CHANNEL), *headers.items()])


class FakeChannel:
    """``ask`` for AgiAround. Actions are answered at once unless ``holds`` or told otherwise."""

    def __init__(self) -> None:
        self.actions: list[tuple[str, dict[str, str]]] = []
        self.refusals: dict[str, str] = {}  # action -> its message
        self.variables: dict[str, str] = {}
        self.is_up = True
        self.holds = False
        self.held: list[Deferred[Response]] = []

    def ask(self, action: str, *headers: tuple[str, str]) -> Deferred[Response]:
        answer: Deferred[Response] = Deferred()
        if not self.is_up:
            answer.errback(LinkLost("no link", sent=False))
            return answer
        self.actions.append((action, dict(headers)))
        if self.holds:
            self.held.append(answer)
        elif action in self.refusals:
            answer.errback(ActionRefused(action, self.refusals[action]))
        else:
            value = self.variables.get(dict(headers).get("Variable", ""), "")
            return succeed(Response([("Response", "Success"), ("Value", value)]))
        return answer

    def release(self, error: Exception | None = None) -> None:
        held, self.held = self.held, []
        for answer in held:
            if error is not None:
                answer.errback(error)
            else:
                answer.callback(Response([("Response", "Success")]))

    @property
    def commands(self) -> list[str]:
        return [headers["Command"] for action, headers in self.actions if action == "AGI"]

    def named(self, action: str) -> list[dict[str, str]]:
        return [headers for name, headers in self.actions if name == action]

    def done(self, line: str, number: int = -1) -> Event:
        """AsyncAGIExec of one of the commands, the last one as a rule."""
        command_id = self.named("AGI")[number]["CommandID"]
        return event("AsyncAGIExec", CommandId=command_id, Result=quote(line + "\n"))


class SoundDesk:
    """One sound on a test's clock; its files are real."""

    def __init__(self, folder: Path, **given: object) -> None:
        self.clock: Any = Clock()
        self.channel = FakeChannel()
        self.folder = folder
        self.around = AgiAround(
            ask=self.channel.ask,
            clock=self.clock,
            log=Logger(),
            settings=settings(**given),
            recordings=folder / "recordings",
            event=lambda _: None,
        )
        self.sound = AgiSound(self.around, CHANNEL)

    def prompt(self, length_ms: int = 1000, name: str = "one") -> Path:
        path = self.folder / f"{name}.alaw"
        path.write_bytes(b"\x55" * (length_ms * 8))
        return path

    def done(self, line: str, number: int = -1) -> None:
        self.sound.agi_executed(self.channel.done(line, number))

    def restart(self) -> None:
        """As after a command that failed."""
        self.sound.agi_ended(event("AsyncAGIEnd"))
        self.sound.agi_started(event("AsyncAGIStart"))

    def lose_link(self) -> None:
        self.channel.is_up = False
        self.channel.release(LinkLost("lost", sent=True))
        self.sound.link_lost()

    def regain_link(self) -> None:
        self.channel.is_up = True
        self.sound.link_back()

    def close(self) -> None:
        self.sound.over("the test is over")
        assert self.clock.getDelayedCalls() == []


def fired(deferred: Any) -> list[Any]:
    """What it fires with, an exception for a failure; filled when it does."""
    told: list[Any] = []
    deferred.addCallbacks(told.append, lambda failure: told.append(failure.value))
    return told
