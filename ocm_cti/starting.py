"""Starting a campaign of a configured list: what the command, the clock and the panel all do the same way."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from ocm_cti.config import Config, ListConfig
from ocm_cti.domain.fragments import VariableMissing
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.people import Person
from ocm_cti.domain.scenarios import required_fragments
from ocm_cti.imports.columns import map_columns
from ocm_cti.imports.database import read_select
from ocm_cti.imports.people import People, Refusal, people
from ocm_cti.imports.spool import Spool
from ocm_cti.imports.tables import Table
from ocm_cti.places import zone_of
from ocm_cti.speech import words
from ocm_cti.store import audit, campaign_start, campaigns, lists, subscribers, tasks
from ocm_cti.store.campaigns import CampaignRefused
from ocm_cti.store.transactions import Connection
from ocm_cti.store.upserts import upsert

#: So many people are named in an error of one line.
PEOPLE_NAMED = 3
#: A sum of more digits than these, 100 million and more, is an account or a telephone number in the wrong column.
ODD_DIGITS = 8


@dataclass(frozen=True)
class How:
    """``begins_at`` None: at once. ``only_after``: a follow-up of these outcomes. ``test``: only the list's testers.

    ``override_why``: an emergency; neither hours nor caps hold, and the audit says who wanted it and why. ``groups``:
    only who is in one of them. ``instead``: the campaign of the list that is open is ended in the same moment.
    """

    who: str
    also_invalid: bool = False
    begins_at: datetime | None = None
    only_after: Sequence[Outcome] | None = None
    test: bool = False
    override_why: str = ""
    groups: Sequence[str] = ()
    instead: bool = False


@dataclass(frozen=True)
class Started:
    """``refused``: rows of the list's source that can't be called; ``remarks`` of those that can. ``instead_of``: how
    many waited in the campaign that was ended for this one; None: there was none.
    """

    campaign_id: int
    counts: tasks.Counts
    refused: int = 0
    instead_of: int | None = None
    remarks: Sequence[Refusal] = ()


def start(
    conn: Connection, config: Config, list_name: str, how: How, now: datetime, fetched: Table | None = None
) -> Started:
    """Freeze the list's scenario and settings and make its tasks. Raises CampaignRefused with nothing written.

    ``fetched``: what ``fetch`` gave. Where the list's source is to be asked before each run, it becomes the list: who
    is not in it any more is not called.
    """
    settings = config.lists.get(list_name)
    if settings is None:
        known = ", ".join(config.lists) or "none"
        raise CampaignRefused(
            f"{config.path}: no [lists.{list_name}] with the scenario of this list (there are: {known})"
        )
    for file in settings.files:
        missing = [name for name in file.scenario.recordings if not (config.audio / name).is_file()]
        if missing:
            raise CampaignRefused(f"{file.path}: no recording {', '.join(missing)} in {config.audio}")
    list_id = lists.find(conn, list_name)
    refused, remarks = 0, []
    if settings.source is not None and settings.source.before_each_run:
        if fetched is None:
            raise CampaignRefused("the list's source has not been asked; nothing was started")
        list_id = lists.find_or_create(conn, list_name, now)
        said = lists.mapping(conn, list_name)
        reading = only_speakable(people(fetched, settings.settings.region, said), settings)
        columns = map_columns(fetched.header, said)
        upserted = upsert(conn, list_id, reading.accepted, columns.untold, ids=columns.key is not None)
        refused = len(reading.refused) + len(upserted.refused)
        of_keys = zip(reading.rows, reading.accepted, strict=True) if upserted.remarks else ()
        remarks = [
            *reading.remarks,
            *(Refusal(row, upserted.remarks[one.key]) for row, one in of_keys if one.key in upserted.remarks),
        ]
        subscribers.delete(conn, list_id, subscribers.missing(conn, list_id, upserted.keys)[1])
    if list_id is None:
        raise CampaignRefused(f"there is no list {list_name}; import one: ocm import --list {list_name} FILE")
    frozen = settings.settings
    if how.test and not frozen.testers:
        raise CampaignRefused(
            f'{config.path}: a test calls the testers of the list, and it has none: testers = ["+7…"] '
            f"in [lists.{list_name}]"
        )
    instead_of = campaigns.end_open(conn, list_id, now) if how.instead else None
    if instead_of is not None:
        audit.write(conn, audit.Entry(now, how.who, "campaign.instead", list_name, {"not called any more": instead_of}))
    _check_speakable(list_name, subscribers.people(conn, list_id), settings)
    campaign_id = campaign_start.start(
        conn,
        list_id,
        now,
        settings.scenario_text,
        frozen,
        also_invalid=how.also_invalid,
        begins_at=how.begins_at,
        only_after=how.only_after,
        zone_of=zone_of if frozen.zone_of_number and frozen.zone else lambda number: "",
        testers=frozen.testers if how.test else (),
        override_why=how.override_why,
        prepare=True,
        groups=how.groups,
        beside_ending=how.instead,
        own_scenarios={name: file.text for name, file in settings.own.items()},
    )
    counts = tasks.counts(conn, campaign_id)
    if how.override_why:
        details = {"campaign": campaign_id, "why": how.override_why, "people": counts.total}
        audit.write(conn, audit.Entry(now, how.who, "campaign.override", list_name, details))
    return Started(campaign_id, counts, refused, instead_of, remarks)


def fetch(config: Config, list_name: str) -> Table | None:
    """Ask the list's source, if it is to be asked before each run; None: it isn't, or there is none.

    Blocks, and raises ImportFailed: then nothing may be started, for the list of last time is not that of today.
    """
    settings = config.lists.get(list_name)
    if settings is None or settings.source is None or not settings.source.before_each_run:
        return None
    return read_select(settings.source)


def only_speakable(reading: People, settings: ListConfig) -> People:
    """Whom the scenario can't be said to is refused now, with row and reason, not found out at three in the morning."""
    accepted: Spool[Person] = Spool()
    rows: list[int] = []
    refused = list(reading.refused)
    for person, row in zip(reading.accepted, reading.rows, strict=True):
        reason = unspeakable(person, settings)
        if reason is None:
            accepted.append(person)
            rows.append(row)
        else:
            refused.append(Refusal(row, reason))
    remarks = [*reading.remarks, *_odd_sums(accepted, rows, settings)]
    return People(
        accepted,
        sorted(refused, key=lambda refusal: refusal.row),
        sorted(remarks, key=lambda remark: remark.row),
        rows,
    )


def _odd_sums(accepted: Collection[Person], rows: Sequence[int], settings: ListConfig) -> list[Refusal]:
    """Sums of money that can be said and that hardly anybody means: one remark for each column, at its first row."""
    money = {name for file in settings.files for name, one in file.scenario.declared.items() if one.kind == "money"}
    remarks = []
    for name in sorted(money):
        odd = [
            (row, person.variables[name])
            for row, person in zip(rows, accepted, strict=True)
            if name in person.variables and _is_odd(person.variables[name])
        ]
        if odd:
            which = ", ".join(f"{row}: {value}" for row, value in odd[:PEOPLE_NAMED])
            more = " …" if len(odd) > PEOPLE_NAMED else ""
            words = (
                f"{{{name}}} is below nought or very large in {len(odd)} rows ({which}{more}); it is said as it stands"
            )
            remarks.append(Refusal(odd[0][0], words))
    return remarks


def _is_odd(written: str) -> bool:
    """By its signs alone, in whatever way it is written: a minus in front, or more digits than a debt has."""
    text = written.strip()
    whole = re.sub(r"[.,]\d{1,2}\D*\Z", "", text)
    return text[:1] in ("-", "−", "–") or sum(sign.isdecimal() for sign in whole) > ODD_DIGITS


def unspeakable(person: Person, settings: ListConfig) -> str | None:
    """Why the list's scenario, or his own, can't be said to him; None when it can."""
    file = settings.scenario_of(person.scenario)
    if file is None:
        known = ", ".join(settings.own) or "none"
        return f"there is no scenario {person.scenario!r} under [lists.NAME.scenarios] (there are: {known})"
    said = [(file.scenario, file.scenario.language if person.scenario else settings.settings.language)]
    if settings.settings.machine:
        machine = settings.own[settings.settings.machine].scenario
        said.append((machine, machine.language))
    try:
        for scenario, language in said:
            for fragment in required_fragments(scenario, person.variables, language):
                words.check(fragment)
    except (VariableMissing, words.UnspeakableValue) as error:
        return str(error)
    return None


def _check_speakable(list_name: str, subscribed: Sequence[Person], settings: ListConfig) -> None:
    """The scenario may be newer than the import: nobody may be found to be without a message when he is due."""
    wrong = [
        f"{person.name or person.key}: {reason}"
        for person in subscribed
        if (reason := unspeakable(person, settings)) is not None
    ]
    if wrong:
        more = f" and {len(wrong) - PEOPLE_NAMED} more" if len(wrong) > PEOPLE_NAMED else ""
        raise CampaignRefused(
            f"{list_name}: the scenario can't be said to {'; '.join(wrong[:PEOPLE_NAMED])}{more}; "
            "nothing was started; mend the list and import it again"
        )
