"""Why somebody who waits is not being called at this moment: one reason, and when it changes. Pure.

Reasons are asked in the order of ``why_not``: the first that holds is what somebody would have to change or wait for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

#: code -> what it means to people; codes of a task's own (``retry_busy`` …) are explained by the second table.
MEANINGS: Mapping[str, str] = {
    "paused": "the campaign is paused; ocm resume LIST goes on",
    "not_serving": "no server is at work; start it: ocm serve",
    "speech": "what will be said to him is being prepared",
    "speech_failed": "what would be said to him could not be prepared yet; it is tried again",
    "window": "it is not the hour for calls",
    "stop_list": "he stands on a stop list and is not going to be called",
    "cap": "he was called as often as he may be lately",
    "gateway_down": "no gateway of this list is up",
    "list_limit": "as many calls of this list are up as it may have",
    "no_port": "all lines are busy",
    "higher_priority": "all lines go to those whose priority is higher",
    "due": "he is about to be called",
    "start": "the campaign begins then",
    "next_number": "his next number is called",
    "being_called": "he is being called by another campaign",
    "line_fault": "the line broke; he is called again",
    "retry": "he is called again",
}


@dataclass(frozen=True)
class WhyNot:
    """``code``: one of MEANINGS, or ``retry_OUTCOME``. ``until_at`` None: no moment is known. ``detail`` may be ""."""

    code: str
    until_at: datetime | None = None
    detail: str = ""

    @property
    def words(self) -> str:
        """For people, without the moment."""
        known = MEANINGS.get(self.code)
        if known is None and self.code.startswith("retry_"):
            known = f"{MEANINGS['retry']} after {self.code.removeprefix('retry_').replace('_', ' ')}"
        words = known or self.code
        return f"{words} ({self.detail})" if self.detail else words


@dataclass(frozen=True)
class GatewayNow:
    """``reason`` says why it is not up; ``idle`` is the number of calls that it could begin at this moment."""

    up: bool
    reason: str = ""
    idle: int = 0


@dataclass(frozen=True)
class World:
    """What the server knows beside the ledger. ``serving`` False: there is none, and nothing else is known.

    ``up``: calls up by campaign. ``urgent``: the first priority under which anybody at all is due; None: nobody is.
    """

    serving: bool = False
    gateways: Mapping[str, GatewayNow] = field(default_factory=dict)
    up: Mapping[int, int] = field(default_factory=dict)
    urgent: int | None = None


@dataclass(frozen=True)
class Case:
    """What is known of one who waits. ``opens_at``: from when on it is his hour again, from ``due_at`` or now on; None:
    it is. ``free_at``: until when a cap holds; None: none does; ``free_opens_at``: his first hour after it, if it ends
    out of them. ``stopped``: all his numbers stand on stop lists.
    """

    campaign_id: int
    preparing: bool
    paused: str | None  # why; None: it is not paused
    due_at: datetime
    why: str
    priority: int
    opens_at: datetime | None = None
    stopped: bool = False
    free_at: datetime | None = None
    free_opens_at: datetime | None = None
    gateways: tuple[str, ...] = ()
    ports: int = 0


def why_not(case: Case, world: World, now: datetime) -> WhyNot:
    """The reason of that person at this moment."""
    if case.paused is None and not world.serving:
        return WhyNot("not_serving")
    return kept_by(case, now) or _no_line(case, world)


def kept_by(case: Case, now: datetime) -> WhyNot | None:
    """As far as the ledger alone can tell; None: he may be called now."""
    if case.paused is not None:
        return WhyNot("paused", detail=case.paused)
    if case.stopped:
        return WhyNot("stop_list")
    if case.preparing:
        return WhyNot("start", case.opens_at or case.due_at) if case.due_at > now else WhyNot(case.why or "speech")
    # A cap is the reason if he could be called sooner without it; one that ends before his hours begin keeps nobody.
    if case.free_at is not None and (case.opens_at is None or case.free_at > case.opens_at):
        return WhyNot("cap", case.free_opens_at or case.free_at)
    if case.opens_at is not None:
        return WhyNot("window", case.opens_at)
    return WhyNot(case.why or "due", case.due_at) if case.due_at > now else None


def _no_line(case: Case, world: World) -> WhyNot:
    his = {name: one for name, one in world.gateways.items() if not case.gateways or name in case.gateways}
    up = {name: one for name, one in his.items() if one.up}
    if not up:
        return WhyNot("gateway_down", detail="; ".join(f"{name}: {one.reason}" for name, one in his.items()))
    if case.ports and world.up.get(case.campaign_id, 0) >= case.ports:
        return WhyNot("list_limit")
    if not any(one.idle for one in up.values()):
        first = world.urgent is not None and world.urgent < case.priority
        return WhyNot("higher_priority" if first else "no_port")
    return WhyNot("due")
