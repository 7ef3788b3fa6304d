"""Lists that share one gateway, each with more people than lines: over the time in which all of them have somebody
who is due, each has the lines of its share, but at least one; to one line."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from fire_world import FEATURES, World

from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings
from ocm_cti.store import lists, upserts

#: People of a list; each is called once.
PEOPLE = 60
#: Shorter, and one long call would be more than the share.
SATURATED_S = 60.0
MOST_OFF = 1.0


class SharedWorld(World):
    """As a World with nothing from outside: the switch and the voice have their moods, the server lives."""

    def __init__(self, seed: int, folder: Path, template: Path, without: Collection[str] = ()) -> None:
        self.held_s: dict[str, float] = {}  # list -> seconds of lines that it held while all were saturated
        self.saturated_s = 0.0
        super().__init__(seed, folder, template, {*FEATURES, *without} - {"shares"})

    def fill(self) -> None:
        self.gateways = {"g": [str(100 + port) for port in range(self.more.randint(4, 8))]}
        for place, name in enumerate(("a", "b", "c")[: self.more.randint(2, 3)]):
            people = [
                Person(number, number, ((number, ""),), {})
                for number in (f"+7495{place}{one:06}" for one in range(PEOPLE))
            ]
            self.settings[name] = ListSettings.from_table(
                {
                    "language": "en",
                    "share": self.more.choice((0.5, 1.0, 2.0, 3.0)),
                    "ring_timeout_s": 5.0,
                    "tries_per_person": 1,
                    "breaker_calls": 0,
                }
            )
            self.held_s[name] = 0.0
            self.office.run_now(
                lambda conn, name=name, people=people: upserts.upsert(  # type: ignore[misc]
                    conn, lists.find_or_create(conn, name, self.now()), people
                )
            )
            self.clock.callLater(0.0, self.start, name)

    def step(self) -> None:
        held = self.ledger.lines_held(self.now())
        began_s = self.clock.seconds()
        super().step()
        passed_s = self.clock.seconds() - began_s
        # Whose few last people are due again now and then has not got its lines while it had nobody.
        enough = len(self.gateways["g"])
        if len(held) == len(self.settings) and all(due >= enough for due, _ in held.values()):
            self.saturated_s += passed_s
            for name, (_, lines) in held.items():
                self.held_s[name] += lines * passed_s

    def settle_down(self) -> None:
        super().settle_down()
        if self.saturated_s < SATURATED_S:
            return
        lines = {name: seconds / self.saturated_s for name, seconds in self.held_s.items()}
        shares = {name: settings.share for name, settings in self.settings.items()}
        fair = fair_lines(sum(lines.values()), shares)
        for name, held in lines.items():
            its = fair[name]
            self.note(f"{name}: share {shares[name]}, {held:.2f} lines of {its:.2f}, over {self.saturated_s:.0f} s")
            if abs(held - its) > MOST_OFF:
                self.broken(f"{name} had {held:.2f} lines over {self.saturated_s:.0f} s, its share is {its:.2f}")


def fair_lines(lines: float, shares: Mapping[str, float]) -> dict[str, float]:
    """By their shares, but one line at least: whoever has less by his share takes it from the others."""
    least: set[str] = set()
    while True:
        left = lines - len(least)
        of = sum(share for name, share in shares.items() if name not in least)
        fair = {name: 1.0 if name in least else left * share / of for name, share in shares.items()}
        too_few = {name for name, held in fair.items() if held < 1.0}
        if not too_few:
            return fair
        least |= too_few
