"""Composition root: the one place that builds every part of a server and wires them together."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from twisted.internet.defer import Deferred, gatherResults, inlineCallbacks, maybeDeferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from ocm_cti.bulletin import Bulletin
from ocm_cti.call_book import CallBook
from ocm_cti.clock import utc_now
from ocm_cti.config import Config
from ocm_cti.control import Control
from ocm_cti.dialer import Dialer
from ocm_cti.domain.call_matching import Matching
from ocm_cti.domain.fragments import Fragment
from ocm_cti.gateways.asterisk import AsteriskGateway
from ocm_cti.gateways.asterisk_settings import AsteriskSettings
from ocm_cti.gateways.interface import Gateway
from ocm_cti.gateways.kinds import GatewaySettings
from ocm_cti.gateways.panasonic import PanasonicGateway
from ocm_cti.gateways.panasonic_settings import PanasonicSettings
from ocm_cti.gateways.sip_trunk import SipTrunkGateway
from ocm_cti.gateways.sip_trunk_settings import SipTrunkSettings
from ocm_cti.gateways.smdr import SmdrLine
from ocm_cti.guarded_http import GuardedPost
from ocm_cti.lookahead import LookAhead
from ocm_cti.office import Office
from ocm_cti.office.floor import LiveFloor
from ocm_cti.speech.client import SpeechClient
from ocm_cti.store.transactions import Store
from ocm_cti.timetable import Timetable
from ocm_cti.voice.client import VoiceClient, VoiceObserver
from ocm_cti.webhooks import Deliverer
from ocm_cti.write_back import WriteBack
from web.serving import Panel, PanelPortTaken


class DataFolderUnusable(Exception):
    """The data folder can't be written."""


class DataFolderBusy(Exception):
    """Another server works on this data folder; two would call the same people."""


class PortTaken(Exception):
    """An address that a gateway is to listen on is not to be had."""


@dataclass(frozen=True)
class PanelAddress:
    """Where the panel listens. ``must`` False: nobody has asked for this port; taken, the server works without."""

    host: str = "127.0.0.1"
    tcp_port: int = 8080
    must: bool = False


@dataclass
class FolderLock:
    """Held for as long as a server works on a data folder; the operating system frees it when the process dies."""

    lock: FileLock

    @classmethod
    def take(cls, data: Path) -> FolderLock:
        """Raises DataFolderBusy at once when another process holds it."""
        lock = FileLock(data / "ocm.lock")
        try:
            data.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout:
            raise DataFolderBusy(
                f"{data}: another ocm server is at work on this folder; stop it first, or name another folder"
            ) from None
        except OSError as error:
            raise DataFolderUnusable(f"{data}: can't be used as the data folder: {error.strerror or error}") from None
        return cls(lock)

    @classmethod
    def is_held(cls, data: Path) -> bool:
        """Whether a server works on the folder at this moment."""
        try:
            cls.take(data).release()
        except DataFolderBusy:
            return True
        return False

    def release(self) -> None:
        self.lock.release()


class SpeechPrompts:
    """``dialer.Prompts`` over the speech process: every fragment to a file, one rendering per distinct fragment."""

    def __init__(self, speech: SpeechClient, voices: Mapping[str, str]) -> None:
        self._speech = speech
        self._voices = voices

    def prepare(self, fragments: Iterable[Fragment], language: str) -> Deferred[dict[Fragment, Path]]:
        wanted = list(dict.fromkeys(fragments))
        voice = self._voices.get(language)
        rendered = gatherResults(
            [self._speech.render(fragment, language, voice) for fragment in wanted], consumeErrors=True
        )
        return rendered.addCallbacks(lambda paths: dict(zip(wanted, paths, strict=True)), _first_error)


def _gateway(settings: GatewaySettings, reactor: Any, config: Config) -> Gateway:
    """The gateway that these settings are for."""
    if isinstance(settings, PanasonicSettings):
        return _panasonic(settings, reactor)
    if isinstance(settings, AsteriskSettings):
        return AsteriskGateway(settings, reactor, config.recordings, config.node)
    if isinstance(settings, SipTrunkSettings):
        return _sip_trunk(settings, reactor)
    raise TypeError(f"{settings!r} is of no known kind")


def _panasonic(settings: PanasonicSettings, reactor: Any) -> PanasonicGateway:
    """A gateway with a voice process of its own."""
    host = _sip_address(settings, [settings.local_sip_port])

    def voice(observer: VoiceObserver) -> VoiceClient:
        return VoiceClient(
            reactor, observer, bind_host=host, sip_port=settings.local_sip_port, extra=settings.voice_options()
        )

    return PanasonicGateway(settings, reactor, voice)


def _sip_trunk(settings: SipTrunkSettings, reactor: Any) -> SipTrunkGateway:
    """A gateway with as many voice processes as it is set to have."""
    host = _sip_address(settings, [settings.voice_port(number) for number in range(settings.voice_processes)])

    def voice(observer: VoiceObserver, number: int) -> VoiceClient:
        return VoiceClient(
            reactor,
            observer,
            bind_host=host,
            sip_port=settings.voice_port(number),
            extra=settings.voice_options(number),
        )

    return SipTrunkGateway(settings, reactor, voice)


def _sip_address(settings: PanasonicSettings | SipTrunkSettings, udp_ports: Iterable[int]) -> str:
    """Our address on the way to the switch. PortTaken when there is none, or one of the ports can't be opened."""
    where = settings.local_host or "our address"
    try:
        host = settings.voice_host()
        for udp_port in udp_ports:
            where = f"{settings.local_host or host}:{udp_port} (UDP, local_sip_port)"
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind((host, udp_port))
    except socket.gaierror as error:
        raise PortTaken(f"gateway {settings.name}: the switch's host has no address: {error.strerror}") from None
    except OSError as error:
        raise PortTaken(
            f"gateway {settings.name}: {where} can't be opened for SIP: {error.strerror or error}"
        ) from None
    return host


def _first_error(failure: Any) -> Any:
    """gatherResults wraps what went wrong in a FirstError; the reader wants the thing itself."""
    return failure.value.subFailure if hasattr(failure.value, "subFailure") else failure


class Service:
    """One server: store, speech, gateways with their voice processes, dialer, control.

    ``start`` fires when the ledger has been read and the links are being opened; ``stop`` when nothing is left behind.
    The caller holds the FolderLock. ``panel`` None: without it.
    """

    def __init__(
        self,
        config: Config,
        reactor: Any,
        now: Callable[[], datetime] = utc_now,
        panel: PanelAddress | None = None,
    ) -> None:
        self.config = config
        self._log = Logger()
        for folder in (config.data, config.prompts, config.recordings):
            folder.mkdir(parents=True, exist_ok=True)
        self.store = Store.open(config.database, reactor)
        self.speech = SpeechClient(
            reactor,
            config.prompts,
            audio_dir=config.audio,
            workers=config.speech.workers,
            cache_mb=config.speech.cache_mb,
        )
        self.prompts = SpeechPrompts(self.speech, config.speech.voices)

        self.gateways = [_gateway(settings, reactor, config) for settings in config.gateways.values()]
        self.call_book = CallBook(
            self.store,
            reactor,
            now,
            {name: settings.digits for name, settings in config.gateways.items()},
            {
                name: Matching(window_s=settings.smdr.match_window_s)
                for name, settings in config.gateways.items()
                if settings.smdr is not None
            },
        )
        self.smdr_lines = [
            SmdrLine(name, settings.smdr, reactor, self.call_book)
            for name, settings in config.gateways.items()
            if settings.smdr is not None
        ]
        self.dialer = Dialer(
            self.store,
            self.gateways,
            self.prompts,
            config.recordings,
            reactor,
            now,
            config.node,
            show_numbers=config.show_numbers,
            call_book=self.call_book,
        )
        self.control = Control(self.dialer, self.store, self.gateways, now, self.smdr_lines)
        self.lookahead = LookAhead(self.store, self.prompts, reactor, now, self.dialer.wake)
        in_thread = partial(deferToThreadPool, reactor, reactor.getThreadPool())
        self.timetable = Timetable(self.store, config.path, reactor, now, self.dialer.wake, in_thread)
        sources = {name: entry.source for name, entry in config.lists.items() if entry.source is not None}
        to_write = {name: source for name, source in sources.items() if source.write_back}
        self.write_back = WriteBack(self.store, to_write, reactor, now, in_thread)
        post = GuardedPost(reactor, config.webhooks_to)
        self.webhooks = Deliverer(self.store, post, reactor, now)
        self.bulletin = Bulletin(config.data, self.dialer.world, reactor)
        floor = LiveFloor(self.control, self.dialer.wake, reactor, now)
        self.office = Office(config, self.store, floor, now)
        self.panel: Panel | None = None
        self.panel_off_why = ""
        self.first_password: str | None = None
        if panel is not None:
            self._open_panel(panel, reactor)

    def _open_panel(self, address: PanelAddress, reactor: Any) -> None:
        """Before anything else is begun: a port that is taken is told before a link is opened."""
        panel = Panel(self.office, reactor)
        try:
            panel.listen(address.host, address.tcp_port)
        except PanelPortTaken as error:
            if address.must:
                raise
            self.panel_off_why = f"{error}; calls go on without the panel (another address: --panel HOST:PORT)"
            return
        self.panel = panel
        self.first_password = self.office.accounts.first_password()

    @inlineCallbacks
    def start(self) -> Any:
        self._log.info("ocm server {node} on {data}", node=self.config.node, data=str(self.config.data))
        self.store.be_node(self.config.node)
        self.speech.start()
        self.lookahead.start()
        yield self.dialer.start()
        self.bulletin.start()
        self.timetable.start()
        self.write_back.start()
        self.webhooks.start()
        self.call_book.start()
        for line in self.smdr_lines:
            line.start()

    @inlineCallbacks
    def stop(self, drain_s: float = 0.0) -> Any:
        """Let calls end for ``drain_s``, hang up the rest, write their outcomes, then close everything.

        Whatever of it breaks: what comes behind it is ended all the same.
        """
        draining = self.dialer.stop(
            drain_s
        )  # at once: a source or a voice that is slow must not have more people called
        for part, stop in self._parts(draining):
            try:
                yield maybeDeferred(stop)
            except Exception:
                self._log.failure("{part} could not be ended in order", part=part)

    def _parts(self, draining: Deferred[None]) -> Iterator[tuple[str, Callable[[], Any]]]:
        """What is to be ended, in order."""
        yield "the bulletin", self.bulletin.stop
        yield "what is being made for the panel", self.office.close
        if self.panel is not None:
            yield "the panel", self.panel.stop
        yield "the timetable", self.timetable.stop
        yield "the preparation of messages", self.lookahead.stop
        yield "the dialer", lambda: draining
        yield "the lines of call records", lambda: gatherResults([one.stop() for one in self.smdr_lines])
        yield "the gateways", lambda: gatherResults([one.stop() for one in self.gateways], consumeErrors=True)
        yield "the writing back", self.write_back.stop
        yield "the webhooks", self.webhooks.stop
        yield "speech", self.speech.stop
        yield "the call book", self.call_book.stop
        yield "the store", self.store.close
