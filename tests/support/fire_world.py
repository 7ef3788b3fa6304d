"""A random world for the ledger: lists that share people, a switch with moods, deaths, jumps of the clock, a bad disk.

Everything follows from the seed. What goes wrong is ``Broken`` with what and when; ``without`` leaves features out.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sqlite3
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fire_checks import Ledger, check_calls, check_end
from fire_server import FULL, LOCKED, PLACES, Broken, Killed, Life
from fire_switch import Seen, Switch
from sqlalchemy import Connection
from twisted.internet.task import Clock

from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings
from ocm_cti.store import campaign_start, campaigns, lists, stop_lists, upserts
from ocm_cti.store.campaigns import CampaignRefused
from ocm_cti.store.transactions import Store

START = datetime(2026, 11, 23, 8, 58, tzinfo=UTC)
#: What can be left out, to see which of it a fault needs.
FEATURES = (
    "deaths", "jumps", "disk", "links", "commands", "caps", "windows", "sharing", "zones", "emergency", "hang_up",
    "instead", "shares",
)  # fmt: skip
STORM_S = 400.0
#: Past a call's claim, on its way to the switch: what is decided meanwhile does not catch it any more.
GRACE_S = 5.0
#: From `stop --hang-up` to the end of the last call: a look of the dialer, two slow commits, the switch's own time.
HUNG_UP_S = 15.0
#: In some worlds a message takes so much longer: whoever listens to it is still there when all is to be hung up.
LONG_TALK = 40.0
#: So often somebody of an emergency may be found due while nothing goes on, before we say that he is kept waiting.
MOST_OVERDUE = 3
#: Where people live whose list is of UTC.
ZONES = ("Asia/Yekaterinburg", "Asia/Tokyo", "America/New_York")
MOST_STEPS = 20_000
#: So often nothing happens in the calm, ten minutes each, before we say that nothing will.
MOST_IDLE = 400
SCENARIO = """
name = "n"
language = "en"
[[step]]
name = "message"
type = "say"
message = "The water is off today."
[[step]]
name = "agree"
type = "confirm"
message = "Press one."
key = "1"
tries = 1
timeout_s = 2
"""


class World:
    """Made, played by ``run``, and thrown away; ``template`` is a database of this version."""

    def __init__(self, seed: int, folder: Path, template: Path, without: Collection[str] = ()) -> None:
        self.seed, self.folder, self.without = seed, folder, frozenset(without)
        self.path = folder / "ocm.db"
        shutil.copy(template, self.path)
        (folder / "second.alaw").write_bytes(b"\xd5" * 8000)
        self.rng = random.Random(seed)
        self.more = random.Random(f"{seed} more")  # of later plays: what was drawn before them stays what it was
        self.clock = Clock()
        self.jumped = timedelta()
        self.jumped_s = -1e9
        self.switch = Switch(self.clock, random.Random(f"{seed} switch"))
        self.switch.at_call = self.check_call
        if self.has("hang_up") and self.more.random() < 0.15:
            self.switch.talk = LONG_TALK
        self.fault: Broken | None = None
        self.log: list[str] = []
        self.gateways = {
            name: [str(100 + port) for port in range(self.rng.randint(1, 3))]
            for name in ("g", "h")[: self.rng.randint(1, 2)]
        }
        self.ledger = Ledger(self.path)
        self.office = Store(self.path, None)  # the commands: another process
        self.stopped: dict[str, float] = {}  # number -> when it was put on a stop list
        self.halted: dict[int, float] = {}  # campaign -> since when nobody more of it is to be called
        self.hung_up: dict[int, float] = {}  # campaign -> since when its calls are to end
        self.trouble_s = 0.0  # when something last went wrong, or well again, under the server
        self.emergencies: set[int] = set()  # campaigns for which neither hours nor caps hold
        self.overdue = 0
        self.zones: dict[tuple[str, str], str] = {}  # (list, number) -> where its owner lives; the others: UTC
        self.settings: dict[str, ListSettings] = {}
        self.hours: dict[str, list[tuple[int, int]]] = {}
        self.deaths = self.rng.randint(1, 4) if self.has("deaths") else 0
        self.life: Life | None = None
        self.stood_still = 0, 0  # attempts so far; how often nothing has happened since the last of them
        self.fill()

    def has(self, feature: str) -> bool:
        return feature not in self.without

    # --- what there is at the beginning ---

    def fill(self) -> None:
        rng = self.rng
        numbers = [f"+7495{number:07}" for number in range(rng.randint(3, 9))]
        for name in ("a", "b", "c")[: rng.randint(1, 3)]:
            people = []
            free = list(numbers) if self.has("sharing") else [f"{number}{name}" for number in numbers]
            rng.shuffle(free)
            while free and len(people) < 6:
                own = [free.pop() for _ in range(min(len(free), rng.choice((1, 1, 2, 3))))]
                priority = rng.choice((None, None, 1, 9))
                zone = self.more.choice(ZONES) if self.has("zones") and self.more.random() < 0.3 else ""
                self.zones.update({(name, one): zone for one in own if zone})
                people.append(
                    Person(
                        own[0], f"{name}{len(people)}", tuple((one, "") for one in own), priority=priority, zone=zone
                    )
                )
            self.settings[name] = self.draw_settings(name)
            self.office.run_now(
                lambda conn, name=name, people=people: upserts.upsert(  # type: ignore[misc]
                    conn, lists.find_or_create(conn, name, self.now()), people
                )
            )
            start = self.emergency if self.has("emergency") and self.more.random() < 0.25 else self.start
            self.clock.callLater(rng.choice((0.0, 0.0, 5.0)), start, name)

    def draw_settings(self, name: str) -> ListSettings:
        rng = self.rng
        table: dict[str, Any] = {
            "language": "en",
            "zone": "UTC",
            "priority": rng.choice((1, 5)),
            "ring_timeout_s": rng.choice((3.0, 10.0)),
            "tries_per_person": rng.randint(1, 4),
            "tries_per_number": rng.randint(1, 3),
            "next_number_first": rng.random() < 0.5,
            "line_fault_delay_s": rng.choice((1.0, 10.0)),
            "tries_after_fault": rng.randint(1, 3),
            "breaker_calls": rng.choice((0, 3, 20)),
            "retry": {
                outcome.value: {"tries": rng.randint(1, 3), "delay_s": rng.choice((0.0, 5.0, 60.0))}
                for outcome in (Outcome.BUSY, Outcome.NO_ANSWER, Outcome.CUT_SHORT, Outcome.UNREACHABLE)
            },
        }
        if self.has("caps") and rng.random() < 0.4:
            table["caps"] = {"day": rng.randint(1, 2)}
        if self.has("windows") and rng.random() < 0.4:
            hours = rng.choice(([(9 * 60, 9 * 60 + 2), (12 * 60, 20 * 60)], [(8 * 60, 9 * 60 + 1)]))
            self.hours[name] = hours
            table["windows"] = {
                "mon-sun": ", ".join(f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in hours)
            }
        return ListSettings.from_table(table)

    # --- time ---

    def now(self) -> datetime:
        return START + timedelta(seconds=float(self.clock.seconds())) + self.jumped

    def note(self, what: str) -> None:
        self.log.append(f"{self.clock.seconds():9.2f} {self.now():%d. %H:%M:%S} {what}")

    def broken(self, what: str) -> None:
        if self.fault is None:
            self.fault = Broken(what)
            self.note(f"BROKEN {what}")

    # --- what others do ---

    def command(self, what: str, job: Any) -> Any:
        try:
            told = self.office.run_now(job)
        except CampaignRefused as refusal:
            self.note(f"{what}: refused: {refusal}")
            return None
        self.note(f"{what}: {told}")
        return told

    def list_id(self, conn: Connection, name: str) -> int:
        found = lists.find(conn, name)
        assert found is not None
        return found

    def start(self, name: str, **more: Any) -> None:
        self.command(
            f"start {name} {more}",
            lambda conn: campaign_start.start(
                conn, self.list_id(conn, name), self.now(), SCENARIO, self.settings[name], **more
            ),
        )

    def emergency(self, name: str) -> None:
        campaign_id = self.command(
            f"emergency {name}",
            lambda conn: campaign_start.start(
                conn, self.list_id(conn, name), self.now(), SCENARIO, self.settings[name], override_why="the dam"
            ),
        )
        if campaign_id is not None:
            self.emergencies.add(campaign_id)

    def instead(self, name: str) -> None:
        """An emergency in place of what goes on: what `ocm start --instead --emergency` does."""
        before = self.ledger.running(name)

        def job(conn: Connection) -> int:
            campaigns.end_open(conn, self.list_id(conn, name), self.now())
            return campaign_start.start(
                conn, self.list_id(conn, name), self.now(), SCENARIO, self.settings[name],
                override_why="the dam", beside_ending=True,
            )  # fmt: skip

        campaign_id = self.command(f"instead {name}", job)
        if campaign_id is not None:
            self.emergencies.add(campaign_id)
            self.halted.update(dict.fromkeys(before, self.clock.seconds()))

    def hang_up(self, name: str) -> None:
        before = self.ledger.running(name)
        told = self.command(
            f"hang up {name}",
            lambda conn: campaigns.stop(conn, self.list_id(conn, name), self.now(), hang_up=True),
        )
        if told is not None:
            self.halted.update(dict.fromkeys(before, self.clock.seconds()))
            self.hung_up.update(dict.fromkeys(before, self.clock.seconds()))

    def pause(self, name: str) -> None:
        campaign_id = self.command(f"pause {name}", lambda conn: campaigns.pause(conn, self.list_id(conn, name)))
        if campaign_id is not None:
            self.halted[campaign_id] = self.clock.seconds()

    def resume(self, name: str) -> None:
        campaign_id = self.command(
            f"resume {name}", lambda conn: campaigns.resume(conn, self.list_id(conn, name), self.now())
        )
        self.halted.pop(campaign_id, None)

    def stop(self, name: str) -> None:
        before = self.ledger.running(name)
        if (
            self.command(f"stop {name}", lambda conn: campaigns.stop(conn, self.list_id(conn, name), self.now()))
            is not None
        ):
            self.halted.update(dict.fromkeys(before, self.clock.seconds()))

    def stop_list(self, number: str) -> None:
        self.command(f"stop list {number}", lambda conn: stop_lists.add(conn, "s", [number], "", self.now()))
        self.stopped.setdefault(number, self.clock.seconds())

    def follow_up(self, name: str) -> None:
        self.start(name, only_after=(Outcome.BUSY, Outcome.NO_ANSWER, Outcome.UNKNOWN, Outcome.STOPPED))

    def jump(self, by_s: float) -> None:
        self.jumped += timedelta(seconds=by_s)
        self.jumped_s = self.clock.seconds()
        self.note(f"the clock jumps by {by_s:.0f} s")

    def disk(self, fault: str) -> None:
        self.trouble_s = self.clock.seconds()
        if self.life is not None:
            self.life.store.fault = "" if self.switch.calm else fault
            self.note(f"disk: {fault or 'well'}")

    def link(self, name: str, up: bool) -> None:
        self.trouble_s = self.clock.seconds()
        if self.life is not None and self.life.alive:
            gateway = next(each for each in self.life.gateways if each.name == name)
            if gateway.observer is not None:
                self.note(f"link of {name}: {up}")
                gateway.link(up)

    def bring_weather(self) -> None:
        """Everything that happens from outside, at random moments of the storm."""
        rng, later = self.rng, self.clock.callLater

        def at() -> float:
            return rng.random() ** 3 * STORM_S

        names = sorted(self.settings)
        for _ in range(rng.randint(0, 3) if self.has("jumps") else 0):
            later(at(), self.jump, rng.choice((-3600.0, 3600.0, -1.0, 90.0, -600.0, 86_400.0)))
        for _ in range(rng.randint(0, 2) if self.has("disk") else 0):
            begins_s = at()
            later(begins_s, self.disk, rng.choice((LOCKED, FULL, "disk I/O error")))
            later(begins_s + rng.choice((0.5, 5.0, 20.0)), self.disk, "")
        for _ in range(rng.randint(0, 2) if self.has("links") else 0):
            begins_s, name = at(), rng.choice(sorted(self.gateways))
            later(begins_s, self.link, name, False)
            later(begins_s + rng.choice((0.5, 10.0)), self.link, name, True)
        for _ in range(rng.randint(0, 5) if self.has("commands") else 0):
            name = rng.choice(names)
            what = rng.choice(("pause", "resume", "stop", "follow_up", "start", "stop_list"))
            if what == "stop_list":
                later(at(), self.stop_list, f"+7495{rng.randint(0, 6):07}")
            else:
                later(at(), getattr(self, what), name)
        for _ in range(rng.randint(0, 1) if self.has("deaths") else 0):
            later(at(), self.kill)
        if self.switch.talk > 1:
            later(self.more.uniform(5.0, 60.0), self.hang_up, self.more.choice(names))
        for what in ("hang_up", "instead"):
            for _ in range(self.more.randint(0, 2) if self.has(what) and self.more.random() < 0.6 else 0):
                later(self.more.random() ** 2 * STORM_S / 6, getattr(self, what), self.more.choice(names))

    # --- lives ---

    def kill(self) -> None:
        if self.life is not None and self.life.alive:
            self.life.die()

    def draw_fuse(self) -> tuple[str, int] | None:
        """Where the next server dies; None: it does not."""
        if not self.deaths or self.switch.calm:
            return None
        self.deaths -= 1
        place = self.rng.choice(PLACES)
        return place, self.rng.randint(1, 60 if "commit" in place else 10)

    def new_life(self) -> None:
        self.trouble_s = self.clock.seconds()
        fuse = self.draw_fuse()
        before = self.ledger.everything()
        self.note(f"a server starts, to die at {fuse}")
        self.life = Life(
            self.folder, self.clock, self.now, self.switch, self.gateways,
            random.Random(self.rng.random()), fuse, self.broken,
        )  # fmt: skip
        if self.ledger.everything() != before and self.life.counts["after commit"] == 0:
            self.broken("opening the ledger changed it")

    def bury(self) -> None:
        assert self.life is not None
        self.note(f"the server died, {self.life.counts}")
        self.life.store.abandon()
        self.life = None
        self.clock.callLater(self.rng.choice((0.0, 1.0, 30.0)), self.new_life)

    # --- the run ---

    def run(self) -> None:
        """Raises Broken."""
        self.bring_weather()
        self.clock.callLater(STORM_S, self.calm)
        self.clock.callLater(0, self.new_life)
        steps = 0
        try:
            while self.fault is None and not self.over():
                steps += 1
                if steps > MOST_STEPS:
                    self.broken(f"it never ends: {self.ledger.open_tasks()}")
                    break
                self.step()
            if self.fault is None:
                assert self.life is not None
                self.settle_down()
                check_calls(self)
                check_end(self)
        except Broken as fault:
            self.fault = self.fault or fault
        finally:
            if self.life is not None:
                self.life.alive = False
                self.life.clock.forget()
                self.life.store.abandon()
            self.office.close()
            self.ledger.close()
        if self.fault is not None:
            raise self.fault

    def settle_down(self) -> None:
        """What is left of the last call's reports may come; nothing new must."""
        for _ in range(20):
            self.advance(0.5)

    def step(self) -> None:
        now_s = self.clock.seconds()
        due_s = min(call.getTime() for call in self.clock.getDelayedCalls())
        self.advance(max(0.0, due_s - now_s))
        self.check_hung_up()
        if self.life is not None and self.life.idle and (self.switch.calm or not self.switch.up):
            self.skip(self.life)

    def skip(self, life: Life) -> None:
        """Nothing goes on: to just before the next moment when somebody is due, or something happens from outside."""
        if self.switch.calm:
            for name in self.ledger.paused():
                self.resume(name)
            self.check_emergencies()
            attempts, idle = self.stood_still
            made = self.ledger.attempts()
            self.stood_still = made, idle + 1 if made == attempts else 0
            if idle > MOST_IDLE:
                self.broken(f"nothing happens any more: {self.ledger.open_tasks()}")
        own = set(life.clock.calls)
        waits = [call.getTime() - self.clock.seconds() for call in self.clock.getDelayedCalls() if call not in own]
        due_at = self.ledger.next_due_at()
        if due_at is not None:
            due_s = (due_at - self.now()) / timedelta(seconds=1)
            # Since long, and not called: it is the hour, a cap, a pause that he waits for.
            waits.append(due_s if due_s > -2.0 else 600.0)
        if waits and min(waits) > 1.0:
            self.advance(min(waits) - 0.5)

    def advance(self, seconds: float) -> None:
        with contextlib.suppress(Killed):
            self.clock.advance(seconds)
        if self.life is not None and not self.life.alive:
            self.bury()

    def calm(self) -> None:
        self.note("calm")
        self.switch.calm = True
        if self.life is not None:
            self.life.fuse = None
            self.life.store.fault = ""
        for name in self.gateways:
            self.link(name, True)

    def over(self) -> bool:
        return self.switch.calm and self.life is not None and self.life.idle and not self.ledger.open_campaigns()

    # --- checks at each call ---

    def check_call(self, seen: Seen) -> None:
        self.note(f"call {seen.attempt_id} to {seen.number} on {seen.gateway} {seen.port}: {seen.kind}")
        row = self.ledger.attempt(seen.attempt_id)
        if row is None or row["state"] != "placing":
            self.broken(f"attempt {seen.attempt_id} was sent before it was saved: {row and dict(row)}")
            return
        if row["number"] != seen.number or row["port"] != seen.port or row["gateway"] != seen.gateway:
            self.broken(f"attempt {seen.attempt_id} is another call than the ledger says: {dict(row)}")
        if any(each.attempt_id == seen.attempt_id for each in self.switch.seen):
            self.broken(f"attempt {seen.attempt_id} was sent twice")
        his = set(json.loads(row["numbers"]))
        for other in self.switch.up:
            if his & self.ledger.numbers(other.attempt_id):
                self.broken(f"{seen.number} is in two calls: attempts {other.attempt_id} and {seen.attempt_id}")
        now_s = self.clock.seconds()
        if now_s - self.stopped.get(seen.number, now_s) > GRACE_S:
            self.broken(f"{seen.number} is called and stands on a stop list")
        if now_s - self.halted.get(row["campaign_id"], now_s) > GRACE_S:
            self.broken(f"campaign {row['campaign_id']} calls and is paused or stopped")
        hours = None if row["campaign_id"] in self.emergencies else self.hours.get(row["list_name"])
        zone = self.zones.get((row["list_name"], seen.number), "UTC")
        if hours and now_s - self.jumped_s > GRACE_S and not self.is_open(hours, zone):
            self.broken(f"{seen.number} in {zone} is called at {seen.wall_at:%H:%M:%S} UTC, outside of {hours}")

    def is_open(self, hours: list[tuple[int, int]], zone: str) -> bool:
        """Now, or as long ago as a call takes to its switch; by the clock where he lives."""
        moments = [at.astimezone(ZoneInfo(zone)) for at in (self.now(), self.now() - timedelta(seconds=GRACE_S))]
        return any(begin <= at.hour * 60 + at.minute < end for at in moments for begin, end in hours)

    # --- checks now and then ---

    def check_hung_up(self) -> None:
        """Calls of a campaign that was stopped with --hang-up end, soon after it or after what was in the way."""
        if not self.hung_up or self.life is None or not self.life.alive or self.life.store.fault:
            return
        if not all(gateway.link_up for gateway in self.life.gateways):
            return
        now_s = self.clock.seconds()
        for seen in self.switch.up:
            row = self.ledger.attempt(seen.attempt_id)
            since_s = None if row is None else self.hung_up.get(row["campaign_id"])
            if since_s is not None and now_s - max(since_s, self.trouble_s) > HUNG_UP_S:
                self.broken(f"attempt {seen.attempt_id} is up, and was to be hung up {now_s - since_s:.0f} s ago")

    def check_emergencies(self) -> None:
        """Nobody of an emergency waits for an hour or a cap: asked while nothing goes on and all is well."""
        waits = self.ledger.emergencies_waiting()
        if any(why == "cap" for _, why in waits):
            self.broken("somebody of an emergency waits for a cap")
        overdue = any(self.now() - due_at > timedelta(seconds=30) for due_at, _ in waits)
        self.overdue = self.overdue + 1 if overdue else 0
        if self.overdue > MOST_OVERDUE:
            self.broken(f"somebody of an emergency is not called, though lines are free: {waits}")


def make_template(folder: Path) -> Path:
    """A migrated database in one file, to be copied."""
    path = folder / "template.db"
    Store.open(path).close()
    with sqlite3.connect(path) as base:
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base.close()
    return path
