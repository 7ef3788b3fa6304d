"""What a server at work tells the commands beside the ledger: a small file in the data folder.

``server.json`` is written anew when something changes. It is only looked at while the folder's lock is held: what a
server left behind when it was killed says nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from ocm_cti.clock import Clock
from ocm_cti.domain.why_not import GatewayNow, World

FILE = "server.json"
EVERY_S = 1.0


class Bulletin:
    """Owned by the service; ``start`` and ``stop`` once each."""

    def __init__(self, data: Path, world: Callable[[], World], clock: Clock) -> None:
        self._path = data / FILE
        self._world = world
        self._last: World | None = None
        self._log = Logger()
        self._loop = LoopingCall(self._write)
        self._loop.clock = clock  # type: ignore[assignment]  # Twisted's interface, ours is a part of it

    def start(self) -> None:
        self._loop.start(EVERY_S).addErrback(lambda failure: self._log.failure("no bulletin any more", failure))

    def stop(self) -> None:
        if self._loop.running:
            self._loop.stop()
        self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        try:
            world = self._world()
            if world == self._last:
                return
            fresh = self._path.with_suffix(".new")
            fresh.write_text(json.dumps(asdict(world)), encoding="utf-8")
            os.replace(fresh, self._path)
            self._last = world
        except OSError as error:  # a full disk is the ledger's matter; this one can wait
            self._log.warn("{path} could not be written: {error}", path=str(self._path), error=error)
        except Exception:  # a fault of ours; the next one may be told
            self._log.failure("{path} could not be written", path=str(self._path))


def read(data: Path) -> World:
    """The last bulletin; a World that is serving and knows nothing more when there is none yet."""
    try:
        plain: dict[str, Any] = json.loads((data / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return World(serving=True)
    return World(
        plain["serving"],
        {name: GatewayNow(**gateway) for name, gateway in plain["gateways"].items()},
        {int(campaign): count for campaign, count in plain["up"].items()},
    )
