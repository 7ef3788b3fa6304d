"""``ocm serve``: the server in the foreground, with the live table when there is a terminal."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from twisted.internet.defer import inlineCallbacks
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from ocm_cti import config as configuration
from ocm_cti.clock import steady
from ocm_cti.commands.live import LiveTable
from ocm_cti.commands.output import open_console, open_log
from ocm_cti.config import Config
from ocm_cti.domain.numbers import mask
from ocm_cti.office.accounts import FIRST_PASSWORD_FILE, FIRST_USER
from ocm_cti.service import FolderLock, PanelAddress, Service
from ocm_cti.store import campaigns

#: ``--once``: how often it is looked whether a campaign is still running.
DONE_POLL_S = 0.5
#: Every outcome is written by then; what is left (links, child processes) is not worth waiting longer for.
STOP_LIMIT_S = 30.0


def run(config_path: Path, *, once: bool, table: bool, drain_s: float, panel: PanelAddress | None = None) -> int:
    config = configuration.load(config_path)
    lock = FolderLock.take(config.data)
    try:
        console = open_console()
        console.print(
            f"ocm serve: data and log in {config.data}; gateways: {', '.join(config.gateways)}; start a list from "
            f"another terminal: ocm start LIST; Ctrl-C ends (calls that are up may go on for {drain_s:.0f} s)",
            soft_wrap=True,
        )
        return run_service(config, console, once=once, drain_s=drain_s, table=table, panel=panel)
    finally:
        lock.release()


def run_service(
    config: Config,
    console: Console,
    *,
    once: bool,
    drain_s: float,
    table: bool = True,
    panel: PanelAddress | None = None,
) -> int:
    """Run until a signal, or with ``once`` until no campaign is running; the caller holds the FolderLock."""
    from twisted.internet import reactor as chosen

    reactor: Any = steady(chosen)
    with open_log(config.data, echo=not table):
        session = _Session(config, console, reactor, once, drain_s, table, panel)
        reactor.callWhenRunning(session.begin)
        reactor.run()  # with its signal handlers: without SIGCHLD no end of a child would be seen
    return session.code


class _Session:
    """One run of the reactor around one Service."""

    def __init__(
        self,
        config: Config,
        console: Console,
        reactor: Any,
        once: bool,
        drain_s: float,
        table: bool,
        panel: PanelAddress | None,
    ) -> None:
        self.code = 0
        self._config = config
        self._console = console
        self._reactor = reactor
        self._once = once
        self._drain_s = drain_s
        self._with_table = table
        self._panel = panel
        self._log = Logger()
        self._service: Service | None = None
        self._table: LiveTable | None = None
        self._watch = LoopingCall(self._end_when_done)
        self._ending = False

    @inlineCallbacks
    def begin(self) -> Any:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.signalled)  # in place of the reactor's, which cut calls off
        try:
            self._service = Service(self._config, self._reactor, panel=self._panel)
            yield self._service.start()
        except Exception as error:
            self._log.failure("the server could not be started")
            self._console.print(f"ocm: {error}", style="red", highlight=False)
            self.code = 2
            yield self._end(0.0)
            return
        if self._ending:
            return
        self._introduce_panel(self._service)
        if self._service.dialer.recovered:
            self._say(
                f"{self._service.dialer.recovered} calls were up when the server ended last; the PBX is asked about "
                "each, and what can't be settled is reported as unknown and not called again",
            )
        if self._with_table:
            show: Callable[[str], str] = str if self._config.show_numbers else mask
            self._table = LiveTable(self._service.control, self._console, self._reactor, show)
            self._table.start()
        if self._once:
            self._watch.start(DONE_POLL_S).addErrback(lambda failure: self._log.failure("watch failed", failure))

    def _introduce_panel(self, service: Service) -> None:
        if service.panel_off_why:
            self._say(service.panel_off_why)
        if service.panel is None:
            return
        self._log.info("the panel is at {url}", url=service.panel.url)
        self._console.print(f"panel: {service.panel.url}", highlight=False, soft_wrap=True)
        if service.first_password is not None:  # for the terminal only: the log is kept
            self._console.print(
                f"panel: log in as {FIRST_USER} with the password {service.first_password} (it also stands in "
                f"{self._config.data / FIRST_PASSWORD_FILE}); it must be changed at the first login",
                style="bold",
                highlight=False,
                soft_wrap=True,
            )

    def _say(self, words: str) -> None:
        self._log.info("{words}", words=words)
        self._console.print(words, style="yellow", soft_wrap=True)

    def signalled(self, number: int, frame: object) -> None:
        """Ctrl-C or SIGTERM: the first lets calls end, the second hangs them up."""
        self._reactor.callFromThread(self._asked_to_end)

    def _asked_to_end(self) -> None:
        calls = self._service.dialer.calls_up if self._service is not None else 0
        if self._ending:
            self._say(f"hanging up {calls} calls")
        elif calls:
            self._say(f"stopping: {calls} calls go on, at most {self._drain_s:.0f} s; Ctrl-C again hangs up now")
        self._end(self._drain_s)

    @inlineCallbacks
    def _end_when_done(self) -> Any:
        if self._service is None or self._ending:
            return
        try:
            running = yield self._service.store.read(lambda conn: list(campaigns.running(conn)))
        except Exception:
            self._log.failure("it can't be seen now whether a campaign is running")
            return
        if not running and not self._service.dialer.calls_up:
            self._reactor.callLater(0, self._end, 0.0)

    @inlineCallbacks
    def _end(self, drain_s: float) -> Any:
        if self._ending:
            if self._service is not None:
                self._service.dialer.hang_up_all()
            return
        self._ending = True
        if self._watch.running:
            self._watch.stop()
        try:
            if self._service is not None:
                yield self._service.dialer.stop(drain_s)
                if self._table is not None:
                    yield self._table.stop()
                yield self._service.stop().addTimeout(STOP_LIMIT_S, self._reactor)
        except Exception:
            self._log.failure("the server did not stop cleanly")
            self.code = self.code or 1
        if not self._once:
            self._say("stopped")
        self._reactor.stop()
