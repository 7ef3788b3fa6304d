"""The ledger under fire: 300 worlds from 300 seeds, and the proof that these find faults. More: tools/fire."""

from __future__ import annotations

import random
from pathlib import Path

import fire
import pytest
from fire_mutants import MUTANTS
from fire_server import PLACES
from fire_world import World, make_template

SEEDS = 300
PORTION = 30


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("fire"))


@pytest.mark.parametrize("first", range(0, SEEDS, PORTION))
def test_nobody_is_called_twice_and_nobody_is_lost(first: int, template: Path) -> None:
    for seed in range(first, first + PORTION):
        if fire.breaks(seed, template) is not None:
            small = fire.shrink(seed, template)
            without = small[0] if small else ()
            fire.play(seed, template, without)  # raises, and says how to repeat it


@pytest.mark.parametrize("name", MUTANTS)
def test_a_fault_of_the_product_is_found(name: str, template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each within the seeds that are always played."""
    MUTANTS[name](monkeypatch)
    found = next((seed for seed in range(SEEDS) if fire.breaks(seed, template) is not None), None)
    assert found is not None


#: A world with retries on two lists that share people, and nothing from outside but the deaths of this test.
PLAIN = (
    "jumps", "disk", "links", "commands", "caps", "windows", "deaths", "zones", "emergency", "hang_up", "instead"
)  # fmt: skip


class Deadly(World):
    """The first server dies at one place, the second where it has come to half of that, the third lives."""

    def __init__(self, place: str, count: int, folder: Path, template: Path) -> None:
        super().__init__(7, folder, template, PLAIN)
        self.fuses = [(place, count), (place, (count + 1) // 2)]
        self.reached = False

    def draw_fuse(self) -> tuple[str, int] | None:
        return self.fuses.pop(0) if self.fuses else None

    def bury(self) -> None:
        self.reached = True
        super().bury()


@pytest.mark.parametrize("place", PLACES)
def test_killed_at_each_of_its_commits_and_sends(place: str, template: Path, tmp_path: Path) -> None:
    """Every single one, until the world is over before it comes to that; of commits the many without a call are left
    out by lot."""
    rng = random.Random(place)
    count, played = 1, 0
    while True:
        folder = tmp_path / f"{count}"
        folder.mkdir()
        world = Deadly(place, count, folder, template)
        world.run()
        if not world.reached:
            break
        played += 1
        count += 1 if count < 20 or "send" in place else rng.randint(1, 6)
    assert played >= 5
