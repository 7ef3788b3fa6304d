"""``ocm scenario try --call``: the scenario on a real telephone, over one free line of the robot.

The call stands in the ledger like every other, as the only one of a campaign of the list ``test-calls``: begun, claimed
and closed in one transaction, so that nobody is called for it later, whatever happens now.
"""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text
from twisted.internet.defer import inlineCallbacks
from twisted.internet.task import LoopingCall, deferLater

from ocm_cti import config as configuration
from ocm_cti.attempt import Attempt, LineState
from ocm_cti.clock import steady, utc_now
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.output import open_console, open_log
from ocm_cti.commands.scenario_files import scenario_of, text_of
from ocm_cti.commands.scenario_try import Whom, check_speakable, outcome_lines, tell_whom, whom_to_try
from ocm_cti.config import Config
from ocm_cti.domain.call_records import CallRecord
from ocm_cti.domain.numbers import mask
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.people import Person
from ocm_cti.domain.scenarios import Scenario
from ocm_cti.domain.settings import ListSettings
from ocm_cti.gateways.interface import Gateway, Health, LinkState
from ocm_cti.imports.telephones import NotANumber, to_e164
from ocm_cti.service import DataFolderBusy, FolderLock, Service
from ocm_cti.store import attempts, campaign_start, campaigns, lists, tasks
from ocm_cti.store.tasks import Claim
from ocm_cti.store.transactions import Connection
from ocm_cti.store.upserts import upsert

#: The list that test calls stand under in reports.
TEST_LIST = "test-calls"
#: Its one person, whoever is called.
KEY = "test call"
POLL_S = 0.2
#: An extension or feature number, dialled as it is; longer ones are telephone numbers.
_AS_IT_IS = re.compile(r"[0-9*#]{1,6}")


def call(
    config_path: Path,
    path: Path,
    number: str,
    *,
    list_name: str | None,
    person_key: str | None,
    values: tuple[str, ...],
    gateway: str | None,
    wait_s: float,
) -> int:
    """Call, tell how it goes, print what came of it; 0 when the call was placed, 2 when it could not be."""
    config = configuration.load(config_path)
    scenario = scenario_of(path)
    _can_be_said(config, scenario, path)
    whom = whom_to_try(config_path, list_name, person_key, values)
    tell_whom(open_console(), whom, list_name)
    entry = config.lists.get(list_name) if list_name is not None else None
    settings = entry.settings if entry is not None else ListSettings()
    # Whom somebody calls by hand he may call now: no windows, no caps; stop lists hold.
    language = settings.language if entry is not None else scenario.language
    own = ListSettings(
        scenario=path.stem,
        language=language,
        ring_timeout_s=settings.ring_timeout_s,
        caller_id=settings.caller_id,
        tries_per_person=1,
        tries_per_number=1,
    )
    whom = Whom(whom.variables, language, whom.name)
    check_speakable(scenario, whom)
    dialled = _dialled(config, number, settings.region)
    if gateway is not None and gateway not in config.gateways:
        raise CommandError(f"there is no gateway {gateway} (there are: {', '.join(config.gateways)})")
    try:
        lock = FolderLock.take(config.data)
    except DataFolderBusy:
        raise CommandError(
            f"{config.data}: a server is at work here and has the robot's lines; stop it for the test call, or put the "
            "number on a list of its own and start that"
        ) from None
    try:
        return _TestCall(config, scenario, text_of(path), whom, own, dialled, gateway, wait_s).run()
    finally:
        lock.release()


def _dialled(config: Config, number: str, region: str) -> str:
    """Raises CommandError for what is no number, and for one of the robot's own lines."""
    if _AS_IT_IS.fullmatch(number):
        for name, gateway in config.gateways.items():
            if number in getattr(gateway, "extensions", ()):
                raise CommandError(f"--call {number}: is a line of the robot itself (gateway {name}); call a telephone")
        return number
    try:
        return to_e164(number, region)
    except NotANumber as error:
        raise CommandError(f"--call: {error}") from None


def _can_be_said(config: Config, scenario: Scenario, path: Path) -> None:
    missing = [name for name in scenario.recordings if not (config.audio / name).is_file()]
    if missing:
        raise CommandError(f"{path}: no recording {', '.join(missing)} in {config.audio}")


class _TestCall:
    """One run of the reactor; the dialer is never started, so nobody else is called."""

    def __init__(
        self,
        config: Config,
        scenario: Scenario,
        text: str,
        whom: Whom,
        settings: ListSettings,
        number: str,
        gateway: str | None,
        wait_s: float,
    ) -> None:
        self._config = config
        self._scenario = scenario
        self._text = text
        self._whom = whom
        self._settings = settings
        self._number = number
        self._gateway = gateway
        self._wait_s = wait_s
        self._console: Console = open_console()
        self._attempt: Attempt | None = None
        self._given_up = False
        self._shown: LineState | None = None
        self._code = 0

    def run(self) -> int:
        from twisted.internet import reactor as chosen

        reactor: Any = steady(chosen)
        with open_log(self._config.data):
            reactor.callWhenRunning(self._session, reactor)
            reactor.run()
        return self._code

    @inlineCallbacks
    def _session(self, reactor: Any) -> Any:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: reactor.callFromThread(self._give_up))
        service = None
        try:
            service = Service(self._config, reactor)
            left = yield service.store.read(lambda conn: attempts.in_flight(conn, self._config.node))
            if left:
                raise CommandError(
                    f"{len(left)} calls were up when a server ended here; run ocm serve first, which asks the switch "
                    "about them"
                )
            service.speech.start()
            gateways = [one for one in service.gateways if self._gateway in (None, one.name)]
            for gateway in gateways:
                gateway.start(_Nobody())
            gateway, port = yield self._free_line(reactor, gateways)
            yield self._called(reactor, service, gateway, port)
        except Exception as error:
            self._code = 2
            self._console.print(Text(f"ocm: {error}", style="red"), soft_wrap=True)
        finally:
            if service is not None:
                yield service.stop()
            reactor.stop()

    def _give_up(self) -> None:
        self._given_up = True
        self._console.print("hanging up")
        if self._attempt is not None:
            self._attempt.hang_up()

    @inlineCallbacks
    def _free_line(self, reactor: Any, gateways: list[Gateway]) -> Any:
        """The first line that is ready, as (gateway, port). Raises CommandError when there is none in time."""
        waited = 0.0
        while True:
            for gateway in gateways:
                if gateway.idle_ports:
                    return gateway, gateway.idle_ports[0]
            refused = all(gateway.health.state is LinkState.REFUSED for gateway in gateways)
            if waited >= self._wait_s or refused or self._given_up:
                break
            yield deferLater(reactor, POLL_S, lambda: None)
            waited += POLL_S
        told = "; ".join(
            f"gateway {gateway.name}: {gateway.health.reason or gateway.health.state.value}"
            + "".join(f", {port}: {gateway.port_reason(port)}" for port in gateway.ports[:1])
            for gateway in gateways
        )
        raise CommandError(f"no line of the robot is free ({told}); ocm check says more")

    @inlineCallbacks
    def _called(self, reactor: Any, service: Service, gateway: Gateway, port: str) -> Any:
        claim: Claim = yield service.store.run(lambda conn: self._claim(conn, gateway.name, port))
        shown = self._number if self._config.show_numbers or len(self._number) <= 6 else mask(self._number)
        self._console.print(f"{gateway.name} {port} → {shown}: attempt {claim.attempt_id}", soft_wrap=True)
        attempt = self._attempt = Attempt(
            gateway,
            port,
            claim,
            service.store,
            service.prompts.prepare,
            self._config.recordings,
            reactor,
            utc_now,
            lambda _: shown,
            by_hand=True,
        )
        watch = LoopingCall(self._show_state, attempt)
        watch.start(POLL_S)
        try:
            if self._given_up:
                attempt.hang_up()
            yield attempt.run()
        finally:
            watch.stop()
        told: attempts.Told = yield service.store.read(lambda conn: attempts.told(conn, claim.attempt_id))
        self._console.print()
        for what, words in outcome_lines(self._scenario, told):
            self._console.print(Text.assemble((f"{what}: ", "bold"), words), soft_wrap=True)
        if told.outcome == Outcome.LINE_FAULT.value:
            self._code = 2

    def _claim(self, conn: Connection, gateway: str, port: str) -> Claim:
        """Raises CommandError, and then nothing is written, for a number on a stop list."""
        now = utc_now()
        list_id = lists.find_or_create(conn, TEST_LIST, now)
        person = Person(KEY, self._whom.name or KEY, ((self._number, ""),), dict(self._whom.variables))
        upsert(conn, list_id, [person])
        campaign_id = campaign_start.start(conn, list_id, now, self._text, self._settings, also_invalid=True)
        claim = tasks.claim(conn, campaign_id, gateway, port, self._config.node, now)
        if claim is None:
            raise CommandError("this number stands on a stop list (ocm stop-list show): it is not called")
        campaigns.stop(conn, list_id, now)  # whatever comes of it, no retry follows
        return claim

    def _show_state(self, attempt: Attempt) -> None:
        if attempt.line_state is not self._shown:
            self._shown = attempt.line_state
            self._console.print(f"{attempt.since_at.astimezone():%H:%M:%S} {attempt.line_state.value}", style="dim")


class _Nobody:
    """Observes the gateways: nobody else is called here, so what they say between is of no interest."""

    def port_freed(self, gateway: Gateway, port: str) -> None:
        pass

    def health_changed(self, gateway: Gateway, health: Health) -> None:
        pass

    def call_recorded(self, gateway: Gateway, record: CallRecord) -> None:
        pass
