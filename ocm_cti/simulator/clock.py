"""What the simulator needs of a reactor's clock; ``twisted.internet.task.Clock`` fits as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class DelayedCall(Protocol):
    def active(self) -> Any: ...
    def cancel(self) -> Any: ...


class Clock(Protocol):
    """``seconds`` is monotonic, as far as the reactor's is."""

    def seconds(self) -> float: ...
    def callLater(self, delay: float, callable: Callable[..., object], /, *args: Any) -> DelayedCall: ...
