"""The live table: what every port is doing, how far each campaign is, what came of the calls so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from ocm_cti.attempt import LineState
from ocm_cti.clock import Clock
from ocm_cti.control import CampaignProgress, Control, Snapshot
from ocm_cti.gateways.interface import LinkState

REFRESH_S = 0.25
#: Without a terminal (a log, a pipe) a line is printed this often instead.
PLAIN_EVERY_S = 5.0

#: outcome -> colour; the word itself is always shown beside it.
OUTCOME_STYLES = {
    "confirmed": "green",
    "delivered": "cyan",
    "cut_short": "yellow",
    "machine": "yellow",
    "busy": "yellow",
    "no_answer": "yellow",
    "rejected": "red",
    "invalid_number": "red",
    "unreachable": "red",
    "line_fault": "magenta",
    "stopped": "magenta",
    "unknown": "magenta",
}

_LINE_STYLES = {
    LineState.OUT_OF_SERVICE: "red",
    LineState.IDLE: "dim",
    LineState.TALKING: "bold green",
}


class LiveTable:
    """Draws ``control``'s snapshots until stopped; on something that is no terminal it prints a line now and then."""

    def __init__(
        self,
        control: Control,
        console: Console,
        clock: Clock,
        show_number: Callable[[str], str],
    ) -> None:
        self._control = control
        self._console = console
        self._show = show_number
        self._log = Logger()
        self._live = Live(console=console, auto_refresh=False, transient=False) if console.is_terminal else None
        self._loop = LoopingCall(self._tick)
        self._loop.clock = clock  # type: ignore[assignment]  # Twisted's interface, ours is a part of it
        self._plain_at: datetime | None = None
        self._stopped: Deferred[Any] | None = None

    def start(self) -> None:
        if self._live is not None:
            self._live.start()
        self._stopped = self._loop.start(REFRESH_S).addErrback(
            lambda failure: self._log.failure("the live table failed", failure)
        )

    @inlineCallbacks
    def stop(self) -> Any:
        """Draw the last state and leave it on the screen."""
        if self._loop.running:
            self._loop.stop()
            yield self._stopped
            yield self._tick()
        if self._live is not None:
            self._live.stop()

    def _tick(self) -> Deferred[None]:
        drawing = self._control.refresh().addCallback(self._draw)
        return drawing.addErrback(lambda failure: self._log.failure("the live table could not be drawn", failure))

    def _draw(self, snapshot: Snapshot) -> None:
        if self._live is not None:
            self._live.update(render(snapshot, self._show), refresh=True)
        elif self._plain_at is None or snapshot.taken_at - self._plain_at >= timedelta(seconds=PLAIN_EVERY_S):
            self._plain_at = snapshot.taken_at
            self._console.print(plain(snapshot), highlight=False, soft_wrap=True)


def render(snapshot: Snapshot, show_number: Callable[[str], str]) -> RenderableType:
    """The whole picture of one snapshot."""
    lines = Table(box=None, padding=(0, 1), show_header=False)
    for line in snapshot.lines:
        style = _LINE_STYLES.get(line.state, "")
        since_s = int((snapshot.taken_at - line.since_at).total_seconds())
        who = Text(f"→ {show_number(line.number)}  {line.name}" if line.number else line.reason, style=style)
        lines.add_row(
            Text(f"ROBOTRUNK {line.port}", style=style),
            Text(line.state.value, style=style),
            Text(f"{since_s:>3} s" if line.number else ""),
            who,
        )
    parts: list[RenderableType] = []
    for name, health in snapshot.health.items():
        style = "green" if health.state is LinkState.UP else "red"
        parts.append(Text(f"{name}: link {health.state.value} {health.reason}".rstrip(), style=style))
    parts.append(lines)
    parts.extend(_campaign(campaign) for campaign in snapshot.campaigns)
    if not any(campaign.running for campaign in snapshot.campaigns):
        parts.append(Text("nobody is due; start a list with: ocm start LIST; Ctrl-C ends", style="dim"))
    return Group(*parts)


def _campaign(campaign: CampaignProgress) -> RenderableType:
    row = Table.grid(padding=(0, 1))
    row.add_row(
        Text(campaign.name, style="bold"),
        ProgressBar(total=max(campaign.total, 1), completed=campaign.done, width=30),
        Text(f"{campaign.done} of {campaign.total} people, {campaign.calling} being called"),
        Text(campaign.waits, style="dim"),
    )
    return Group(row, outcome_bars(campaign.outcomes)) if campaign.outcomes else row


def outcome_bars(counts: Mapping[str, int]) -> RenderableType:
    """One bar an outcome, longest first; the count stands beside it."""
    table = Table.grid(padding=(0, 1))
    most = max(counts.values(), default=1)
    for name, count in sorted(counts.items(), key=lambda item: -item[1]):
        width = max(1, round(24 * count / most))
        table.add_row(f"  {name}", Text("█" * width, style=OUTCOME_STYLES.get(name, "")), str(count))
    return table


def plain(snapshot: Snapshot) -> str:
    """One line for logs: links that are not up, calls up, every campaign's progress."""
    down = [
        f"{name} {health.state.value} {health.reason}"
        for name, health in snapshot.health.items()
        if health.state is not LinkState.UP
    ]
    up = sum(1 for line in snapshot.lines if line.number)
    campaigns = [
        f"{campaign.name} {campaign.done}/{campaign.total} "
        + " ".join(f"{name}={count}" for name, count in sorted(campaign.outcomes.items()))
        for campaign in snapshot.campaigns
    ]
    return f"{snapshot.taken_at.astimezone():%H:%M:%S} calls up {up}; " + "; ".join([*campaigns, *down])
