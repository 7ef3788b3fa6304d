"""The start of a campaign: scenario and settings are frozen, everybody of the list gets a task."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.retries import first_number
from ocm_cti.domain.settings import ListSettings
from ocm_cti.store import subscribers
from ocm_cti.store.campaigns import DONE, PAUSED, RUNNING, CampaignRefused, finish_if_done
from ocm_cti.store.schema import campaign, prepared_list, subscriber, subscriber_number, task


def start(
    conn: Connection,
    list_id: int,
    now: datetime,
    scenario: str,
    settings: ListSettings,
    *,
    also_invalid: bool = False,
    begins_at: datetime | None = None,
    only_after: Collection[Outcome] | None = None,
    own_scenarios: Mapping[str, str] | None = None,
    zone_of: Callable[[str], str] = lambda number: "",
    testers: Sequence[str] = (),
    override_why: str = "",
    prepare: bool = False,
    groups: Collection[str] = (),
    beside_ending: bool = False,
) -> int:
    """Freeze scenario and settings, make a task for each person; gives the campaign's id.

    A person none of whose numbers exists gets his outcome at once; with ``also_invalid`` what was learned of that is
    forgotten before. Nobody is called before ``begins_at`` (aware). Raises CampaignRefused while another campaign of
    the list is running (its people would be called twice) and for an empty list. ``beside_ending``: not while one only
    brings the calls that are up to their end; who is in such a call is called when it is over.

    ``only_after``: a follow-up, of those only who ended so in the list's last campaign. ``own_scenarios``: by name,
    what people may have instead; CampaignRefused when somebody's own is not among them. ``zone_of`` a number is that of
    a person who has none of his own, "" when it can't be told. ``testers``: a test, which dials these numbers only, to
    say what would be said to those of the list who have them, and where nobody has, to somebody else of it.
    ``override_why``: neither hours nor caps hold, for this reason. ``prepare``: nobody is called before his message is
    made (``readiness``). ``groups``: only who is in one of them; (): everybody.
    """
    conn.execute(select(prepared_list.c.id).where(prepared_list.c.id == list_id).with_for_update())
    going_on = select(campaign.c.id).where(campaign.c.list_id == list_id, campaign.c.state != DONE)
    if beside_ending:
        going_on = going_on.where(campaign.c.state.in_([RUNNING, PAUSED]))
    if conn.execute(going_on).first():
        its = conn.execute(select(prepared_list.c.name).where(prepared_list.c.id == list_id)).scalar_one()
        shown = shlex.quote(its)
        raise CampaignRefused(
            "a campaign of this list is running, or waits for its hour; wait for its end, or end it: "
            f"ocm stop {shown}, or begin this one in its place: ocm start {shown} --instead"
        )
    if also_invalid:
        subscribers.forget_invalid(conn, list_id)
    numbers: dict[int, list[tuple[str, bool]]] = {}
    query = (
        select(subscriber_number.c.subscriber_id, subscriber_number.c.number, subscriber_number.c.invalid)
        .join(subscriber)
        .where(subscriber.c.list_id == list_id)
        .order_by(subscriber_number.c.subscriber_id, subscriber_number.c.place)
    )
    for row in conn.execute(query):
        numbers.setdefault(row.subscriber_id, []).append((row.number, row.invalid))
    whom = select(subscriber).where(subscriber.c.list_id == list_id, ~subscriber.c.gone)
    nobody = "there is nobody on this list; import people first"
    if only_after is not None:
        earlier = conn.execute(
            select(func.max(campaign.c.id)).where(campaign.c.list_id == list_id, ~campaign.c.test)
        ).scalar()
        if earlier is None:
            raise CampaignRefused("this list has not been called yet: there is nothing to follow up")
        outcomes = sorted(outcome.value for outcome in only_after)
        ended_so = select(task.c.subscriber_id).where(task.c.campaign_id == earlier, task.c.outcome.in_(outcomes))
        whom = whom.where(subscriber.c.id.in_(ended_so))
        nobody = f"nobody of the last campaign ended so: {', '.join(outcomes)}"
    people = conn.execute(whom.order_by(subscriber.c.id)).all()
    if groups and people:
        people = [person for person in people if {*person.groups} & {*groups}]
        nobody = f"nobody of them is in the group {', '.join(groups)}"
    if not people:
        raise CampaignRefused(nobody)
    named = {person.scenario for person in people if person.scenario}
    if settings.machine:
        named.add(settings.machine)
    missing = sorted(named - set(own_scenarios or {}))
    if missing:
        raise CampaignRefused(
            f"people have scenarios of their own that the list has not: {', '.join(missing)}; name their files under "
            "[lists.NAME.scenarios]"
        )
    campaign_id = int(
        conn.execute(
            insert(campaign)
            .values(
                list_id=list_id,
                state=RUNNING,
                scenario=scenario,
                own_scenarios={name: text for name, text in (own_scenarios or {}).items() if name in named},
                settings=settings.to_json(),
                started_at=now,
                override_why=override_why,
                test=bool(testers),
            )
            .returning(campaign.c.id)
        ).scalar_one()
    )
    rows = []
    for person, own in _whom(people, numbers, testers):
        first = first_number(len(own), frozenset(place for place, (_, invalid) in enumerate(own) if invalid))
        zone = person.zone or _zone_of(own, zone_of)
        if zone and not settings.knows_zone(zone):
            raise CampaignRefused(f"{person.name or person.key}: there is no time zone {zone!r}; as Asia/Yekaterinburg")
        rows.append(
            {
                "campaign_id": campaign_id,
                "subscriber_id": person.id,
                "name": person.name,
                "variables": person.variables,
                "numbers": [number for number, _ in own],
                "priority": settings.priority if person.priority is None else person.priority,
                "zone": zone,
                "scenario": person.scenario,
                "state": "done" if first is None else "preparing" if prepare else "waiting",
                "due_at": begins_at or now,
                "number_index": first or 0,
                "why": _first_why(first, begins_at, prepare),
                "outcome": None if first is not None else Outcome.INVALID_NUMBER.value,
                "done_at": None if first is not None else now,
            }
        )
    # Whose message is made first is whoever is called first.
    conn.execute(insert(task), sorted(rows, key=lambda row: row["priority"]))
    finish_if_done(conn, campaign_id, now)
    return campaign_id


def _first_why(first: int | None, begins_at: datetime | None, prepare: bool) -> str:
    if first is None:
        return ""
    return "speech" if prepare else "due" if begins_at is None else "start"


_Numbers = list[tuple[str, bool]]  # (E.164, whether it is known not to exist)


def _whom(
    people: Sequence[Row[Any]], numbers: Mapping[int, _Numbers], testers: Sequence[str]
) -> Iterator[tuple[Row[Any], _Numbers]]:
    """Everybody with his numbers; in a test one person for each tester, with the tester's number alone."""
    if not testers:
        for person in people:
            yield person, numbers.get(person.id, [])
        return
    his: dict[str, Row[Any] | None] = {
        number: person for person in reversed(people) for number, _ in numbers.get(person.id, [])
    }
    taken: set[int] = set()
    others = iter(
        [person for person in people if not {number for number, _ in numbers.get(person.id, [])} & {*testers}]
    )
    for tester in dict.fromkeys(testers):
        owner = his.get(tester)
        listener = owner if owner is not None and owner.id not in taken else next(others, None)
        if listener is not None:
            taken.add(listener.id)
            yield listener, [(tester, False)]


def _zone_of(numbers: _Numbers, zone_of: Callable[[str], str]) -> str:
    return next((zone for number, _ in numbers if (zone := zone_of(number))), "")
