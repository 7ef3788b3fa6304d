"""What a server tells the commands."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.task import Clock

from ocm_cti.bulletin import FILE, Bulletin, read
from ocm_cti.domain.why_not import GatewayNow, World


def test_what_is_told_is_read_back_and_gone_with_the_server(tmp_path: Path) -> None:
    worlds = [
        World(True, {"office": GatewayNow(False, "refused")}),
        World(True, {"office": GatewayNow(True, idle=3)}, {4: 2}),
    ]
    told = iter(worlds)
    current = [next(told)]
    clock = Clock()
    bulletin = Bulletin(tmp_path, lambda: current[0], clock)
    assert read(tmp_path) == World(serving=True)
    bulletin.start()
    assert read(tmp_path) == worlds[0]
    current[0] = next(told)
    clock.advance(1)
    assert read(tmp_path) == worlds[1]
    bulletin.stop()
    assert not (tmp_path / FILE).exists()
    assert clock.getDelayedCalls() == []


def test_a_disk_that_is_full_is_no_matter(tmp_path: Path) -> None:
    clock = Clock()
    gone = tmp_path / "gone"
    bulletin = Bulletin(gone, lambda: World(True), clock)
    bulletin.start()
    gone.mkdir()
    clock.advance(1)
    assert read(gone) == World(True)
    bulletin.stop()


def test_a_world_that_can_not_be_told_once_is_told_the_next_time(tmp_path: Path) -> None:
    """Else what stands there grows old, and commands give reasons that are none any more."""
    clock = Clock()
    worlds: list[World] = []
    bulletin = Bulletin(tmp_path, lambda: worlds[0], clock)
    bulletin.start()  # there is none yet: IndexError
    worlds.append(World(True, {"office": GatewayNow(True, idle=3)}))
    clock.advance(1)
    assert read(tmp_path) == worlds[0]
    bulletin.stop()
    assert clock.getDelayedCalls() == []
