"""What the live table shows, as text: the words a technician looks for."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

from rich.console import Console

from ocm_cti.attempt import LineState
from ocm_cti.commands.live import plain, render
from ocm_cti.control import CampaignProgress, Snapshot
from ocm_cti.dialer import Line
from ocm_cti.gateways.interface import Health, LinkState

NOW = datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)


def snapshot(state: LinkState = LinkState.UP, reason: str = "") -> Snapshot:
    return Snapshot(
        taken_at=NOW,
        lines=(
            Line("office", "301", LineState.TALKING, "+74951234501", "Иванов И. И.", NOW - timedelta(seconds=7)),
            Line("office", "302", LineState.IDLE, "", "", NOW),
        ),
        campaigns=(CampaignProgress(1, "debtors", 10, 4, 1, {"confirmed": 3, "busy": 1}),),
        health={"office": Health(state, NOW, reason)},
    )


def drawn(shot: Snapshot) -> str:
    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    console.print(render(shot, lambda number: number[:5] + "…"))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_line_shows_port_number_and_name() -> None:
    """ROBOTRUNK 301 → +7495… Name, with how long it has been so."""
    (row,) = [line for line in drawn(snapshot()).splitlines() if "301" in line]
    assert "ROBOTRUNK 301" in row and "talking" in row and "7 s" in row and "→ +7495…  Иванов И. И." in row


def test_an_idle_line_shows_nobody() -> None:
    (row,) = [line for line in drawn(snapshot()).splitlines() if "302" in line]
    assert "idle" in row and "→" not in row


def test_progress_and_outcomes_are_counted() -> None:
    text = drawn(snapshot())
    assert "4 of 10 people, 1 being called" in text
    bars = {line.split()[0]: line.split()[1:] for line in text.splitlines() if "█" in line}
    assert bars["confirmed"][-1] == "3" and bars["busy"][-1] == "1"
    assert len(bars["confirmed"][0]) > len(bars["busy"][0])


def test_a_broken_link_says_why() -> None:
    """Also in the one-line form that goes to a log."""
    shot = snapshot(LinkState.DOWN, "connection refused")
    assert "office: link down connection refused" in drawn(shot)
    assert "office down connection refused" in plain(shot)
    assert "debtors 4/10 busy=1 confirmed=3" in plain(shot) and "calls up 1" in plain(shot)


def test_no_campaign_tells_how_to_start_one() -> None:
    shot = snapshot()
    assert "ocm start" in drawn(Snapshot(shot.taken_at, shot.lines, (), shot.health))
