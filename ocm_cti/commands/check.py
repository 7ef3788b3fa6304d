"""``ocm check``: everything that must be right before a list is called, tried for real, without calling anybody."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text
from twisted.internet.defer import inlineCallbacks
from twisted.internet.task import deferLater

from ocm_cti import bulletin
from ocm_cti import config as configuration
from ocm_cti.clock import steady
from ocm_cti.commands.output import open_console, open_log
from ocm_cti.config import Config, ListConfig
from ocm_cti.domain.call_records import CallRecord
from ocm_cti.domain.fragments import Part, Spoken
from ocm_cti.domain.sources import Source
from ocm_cti.gateways.interface import Gateway, Health, LinkState
from ocm_cti.gateways.panasonic_settings import PanasonicSettings
from ocm_cti.gateways.smdr import SmdrLine
from ocm_cti.imports.database import read_select, try_write_back
from ocm_cti.imports.errors import ImportFailed
from ocm_cti.imports.people import people
from ocm_cti.service import FolderLock, Service
from ocm_cti.starting import only_speakable
from ocm_cti.store.errors import StoreError
from ocm_cti.store.transactions import Store

POLL_S = 0.25
#: A connection that is refused is tried again for so long; the PBX may just be starting.
PATIENCE_S = 3.0


def run(config_path: Path, wait_s: float) -> int:
    """Prints one line a check; 0 when all are right, 2 otherwise."""
    console = open_console()
    config = configuration.load(config_path)
    if FolderLock.is_held(config.data):
        return _Check(config, console, wait_s).beside_the_server()
    lock = FolderLock.take(config.data)
    try:
        return _Check(config, console, wait_s).run()
    finally:
        lock.release()


class _Check:
    """One run of the reactor; the service is built but its dialer is never started, so nothing is claimed."""

    def __init__(self, config: Config, console: Console, wait_s: float) -> None:
        self._config = config
        self._console = console
        self._wait_s = wait_s
        self._wrong = 0

    def run(self) -> int:
        from twisted.internet import reactor as chosen

        reactor: Any = steady(chosen)
        self._files()
        with open_log(self._config.data):
            reactor.callWhenRunning(self._session, reactor)
            reactor.run()
        return 2 if self._wrong else 0

    def beside_the_server(self) -> int:
        """A server works on the data folder and has the lines to the switches: it is asked how they are."""
        self._files()
        try:
            self._line(True, "database", Store.open(self._config.database).shown)
        except StoreError as error:
            self._line(False, "database", str(error))
        world = bulletin.read(self._config.data)
        words = (
            "at work, it has the lines; as it sees them:" if world.serving else "it is ending; as it sees the lines:"
        )
        self._line(True, "server", words)
        for name in self._config.gateways:
            gateway = world.gateways.get(name)
            if gateway is None:
                self._line(False, f"gateway {name}", "the server does not know it: begin it again after a change")
            else:
                ready = f"up, {gateway.idle} calls could begin now"
                self._line(gateway.up, f"gateway {name}", ready if gateway.up else gateway.reason)
        return 2 if self._wrong else 0

    def _files(self) -> None:
        self._line(True, "configuration", str(self._config.path))
        for name, settings in self._config.lists.items():
            wanted = dict.fromkeys(name for file in settings.files for name in file.scenario.recordings)
            missing = [name for name in wanted if not (self._config.audio / name).is_file()]
            words = f"no recording {', '.join(missing)} in {self._config.audio}" if missing else ""
            self._line(not missing, f"list {name}", words or f"scenario {settings.scenario_path}")
            if settings.source is not None:
                self._source(name, settings, settings.source)

    def _source(self, name: str, settings: ListConfig, source: Source) -> None:
        """Asked as a start would ask it; its table is not written to."""
        try:
            table = read_select(source)
            reading = only_speakable(people(table, settings.settings.region), settings)
        except ImportFailed as error:
            self._line(False, f"source of {name}", str(error))
            return
        refused = f", {len(reading.refused)} can't be called: ocm import --list {name} --from-database --dry-run"
        words = f"{len(table.rows)} rows{refused if reading.refused else ''}"
        self._line(bool(reading.accepted), f"source of {name}", words)
        if source.write_back:
            self._write_back(name, source, next((person.key for person in reading.accepted), "0"))

    def _write_back(self, name: str, source: Source, key: str) -> None:
        try:
            tried = try_write_back(source, key)
        except ImportFailed as error:
            self._line(False, f"write-back of {name}", str(error))
        else:
            words = "the database would take it" if tried else "this kind of database can't be asked without writing"
            self._line(True, f"write-back of {name}", words)

    def _line(self, right: bool, what: str, words: str) -> None:
        self._wrong += not right
        mark = Text("ok    " if right else "WRONG ", style="green" if right else "bold red")
        self._console.print(mark + Text(f"{what}: {words}", style=""), soft_wrap=True)

    @inlineCallbacks
    def _session(self, reactor: Any) -> Any:
        service = None
        try:
            service = Service(self._config, reactor)
            self._line(True, "database", service.store.shown)
            service.speech.start()
            yield self._speech(service)
            for gateway in service.gateways:
                gateway.start(_Watcher())
            for gateway in service.gateways:
                yield self._gateway(reactor, gateway)
            for line in service.smdr_lines:
                line.start()  # what the PBX has to tell is kept, as a running server would
            for line in service.smdr_lines:
                yield self._smdr(reactor, line)
        except Exception as error:
            self._line(False, "server", str(error))
        finally:
            if service is not None:
                yield service.stop()
            reactor.stop()

    @inlineCallbacks
    def _speech(self, service: Service) -> Any:
        languages = sorted({entry.settings.language for entry in self._config.lists.values()} or {"ru"})
        for language in languages:
            try:
                yield service.prompts.prepare([Spoken((Part("number", "123"),), language)], language)
            except Exception as error:
                self._line(False, f"speech ({language})", str(error))
            else:
                self._line(True, f"speech ({language})", self._config.speech.voices.get(language, "default voice"))

    @inlineCallbacks
    def _gateway(self, reactor: Any, gateway: Gateway) -> Any:
        waited = 0.0
        while waited < self._wait_s and gateway.health.state is not LinkState.REFUSED:
            idle = set(gateway.idle_ports)
            told = [port for port in gateway.ports if port in idle or _is_final(gateway.port_reason(port))]
            if len(told) == len(gateway.ports) or (waited >= PATIENCE_S and "refused" in gateway.health.reason):
                break
            yield deferLater(reactor, POLL_S, lambda: None)
            waited += POLL_S
        up = gateway.health.state is LinkState.UP
        words = gateway.health.reason or f"link {gateway.health.state.value}"
        checks: Callable[[], Any] | None = getattr(gateway, "checks", None)
        if gateway.health.state is LinkState.REFUSED and checks is None:
            words += "; is another CTI client connected? As a rule the PBX takes one only"
        self._line(up, f"gateway {gateway.name}", words)
        if not up:
            return
        idle = set(gateway.idle_ports)
        if checks is None:
            for port in gateway.ports:
                words = "ready" if port in idle else self._not_registered(gateway, port)
                self._line(port in idle, f"extension {port}", words)
            return
        # Ports of a trunk are all alike; what is behind them is looked at by the gateway itself.
        busy = next((gateway.port_reason(port) for port in gateway.ports if port not in idle), "")
        self._line(not busy, "ports", f"{len(idle)} of {len(gateway.ports)} ready{busy and f'; {busy}'}")
        for right, what, found in (yield checks()):
            self._line(right, what, found)

    def _not_registered(self, gateway: Gateway, port: str) -> str:
        reason = gateway.port_reason(port)
        settings = self._config.gateways[gateway.name]
        if not isinstance(settings, PanasonicSettings) or not reason.endswith("not yet"):
            return reason
        where = f"{settings.sip_host}:{settings.sip_port} (UDP; sip_host, sip_port)"
        return f"not registered by SIP: no answer from {where} in {self._wait_s:g} s"

    @inlineCallbacks
    def _smdr(self, reactor: Any, line: SmdrLine) -> Any:
        waited = 0.0
        while waited < self._wait_s and line.health.state not in (LinkState.UP, LinkState.REFUSED):
            if waited >= PATIENCE_S and line.health.state is LinkState.DOWN:
                break
            yield deferLater(reactor, POLL_S, lambda: None)
            waited += POLL_S
        up = line.health.state is LinkState.UP
        unread = f", {line.unread} of them can't be read (ocm calls --which unread)" if line.unread else ""
        words = f"ready{unread}" if up else line.health.reason or f"link {line.health.state.value}"
        self._line(up and not unread, f"call records {line.gateway}", words)


def _is_final(reason: str) -> bool:
    """A SIP status in the reason of a port (``403 Forbidden``): waiting longer will not make it ready."""
    return re.search(r"\b[456]\d\d \w", reason) is not None


class _Watcher:
    """Nobody is called here, so what the gateways say between the looks is of no interest."""

    def port_freed(self, gateway: Gateway, port: str) -> None:
        pass

    def health_changed(self, gateway: Gateway, health: Health) -> None:
        pass

    def call_recorded(self, gateway: Gateway, record: CallRecord) -> None:
        pass
