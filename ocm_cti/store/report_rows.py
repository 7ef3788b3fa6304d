"""Rows of a report, as the ledger tells them: a campaign, a person in it, an attempt, an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.settings import ListSettings

#: Outcomes of people who have been reached: the message arrived.
REACHED = frozenset({Outcome.CONFIRMED.value, Outcome.DELIVERED.value})
#: ``PersonRow.why`` of somebody who is done because his numbers stand on a stop list.
ON_STOP_LIST = "stop_list"


@dataclass(frozen=True)
class CampaignRow:
    """One run of a list with all that was frozen at its start; ``own_scenarios`` are texts by name.

    ``held`` says why nobody of it is called now whoever is due (``paused: …``; ``window``, by the list's own clock) and
    until when; None: nothing keeps it. ``test``: only testers were called.
    """

    campaign_id: int
    list_name: str
    state: str
    paused_why: str
    started_at: datetime
    ended_at: datetime | None
    scenario: str = ""
    own_scenarios: Mapping[str, str] = field(default_factory=dict)
    settings: ListSettings = field(default_factory=ListSettings)
    held: tuple[datetime | None, str] | None = None
    test: bool = False


@dataclass(frozen=True)
class PersonRow:
    """One person of one campaign.

    ``number`` is the one on which the outcome came about, else the last one called, else the next one to call.
    ``outcome`` is None while the person is not done; ``why`` then says what he waits for ("" while he is called), and
    ``next_call_at`` until when (None: nobody can say). ``attempts`` counts all, ``not_counted`` those among them that
    were faults of the line or of ours, ``times_answered`` those that somebody answered. ``heard_s`` of ``of_s``
    seconds, ``keys`` and the causes are those of the attempt that gave the outcome. ``billed_s``, ``cost`` and
    ``currency`` add up what the switch recorded of all his attempts; None where it recorded nothing (of different
    currencies: no cost). ``reached_after_start_s`` and ``reached_after_first_s`` run from the start of the campaign and
    from his first call to the answer of the one that reached him; None for who was not. ``key`` is what the list knows
    him by; ``scenario`` the name of his own, "" for the list's.
    """

    campaign_id: int
    list_name: str
    name: str
    number: str
    outcome: str | None
    attempts: int
    not_counted: int
    last_attempt_at: datetime | None
    answered_at: datetime | None
    keys: str
    heard_s: float
    of_s: float
    recordings: str
    answers: str
    cause: str
    native_cause: str
    why: str
    billed_s: int | None = None
    cost: Decimal | None = None
    currency: str = ""
    key: str = ""
    first_attempt_at: datetime | None = None
    next_call_at: datetime | None = None
    times_answered: int = 0
    reached_after_start_s: float | None = None
    reached_after_first_s: float | None = None
    scenario: str = ""

    @property
    def is_reached(self) -> bool:
        return self.outcome in REACHED

    @property
    def tries(self) -> int:
        """Attempts that count."""
        return self.attempts - self.not_counted


@dataclass(frozen=True)
class AttemptRow:
    """One try. ``certain`` is False where only a timer says that somebody answered; times are None for what was not.

    ``billed_s``, ``cost``, ``currency``: what the switch recorded of it, also after a transfer; None: nothing.
    ``trunks`` are the outside lines that its records name. ``talked_s`` from the answer to the end, ``rang_s`` from
    dialling to the answer or the end, as we saw it.
    """

    campaign_id: int
    list_name: str
    name: str
    attempt_no: int
    number: str
    gateway: str
    port: str
    state: str
    outcome: str | None
    counted: bool
    claimed_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    ended_by: str
    certain: bool | None
    keys: str
    heard_s: float
    of_s: float
    recordings: str
    answers: str
    cause: str
    native_cause: str
    billed_s: int | None = None
    cost: Decimal | None = None
    currency: str = ""
    trunks: str = ""
    rang_s: float | None = None
    talked_s: float | None = None
    key: str = ""
    attempt_id: int = 0


@dataclass(frozen=True)
class AnswerRow:
    """What somebody answered at ``step`` (``value``), or left there as a reply (``recording``, a file name).

    The other of the two is None. ``scenario`` is the name of his own, "" for the list's: it tells what ``step`` asks.
    ``at`` is the end of the call. ``is_last``: nothing later of the same person stands under this step.
    """

    campaign_id: int
    list_name: str
    name: str
    key: str
    number: str
    attempt_id: int
    at: datetime | None
    scenario: str
    step: str
    value: str | None
    recording: str | None
    is_last: bool = True


@dataclass(frozen=True)
class DifferentPeople:
    """Of several campaigns: so many ``people``, each counted once, and how many of them any of these reached."""

    people: int
    reached: int


@dataclass(frozen=True)
class CampaignCounts:
    """A campaign and how many of its people are where; ``outcomes`` counts those who are done.

    ``begins_at``: nobody is called before this moment, which is still to come; None: that is over.
    """

    campaign: CampaignRow
    people: int
    waiting: int
    calling: int
    done: int
    outcomes: Mapping[str, int]
    begins_at: datetime | None = None

    @property
    def reached(self) -> int:
        return sum(self.outcomes.get(outcome, 0) for outcome in REACHED)
