"""What can be seen of an operator's trunk without calling anybody: for ``ocm check``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError, inlineCallbacks

from ocm_cti.gateways.sip_trunk_lines import Line
from ocm_cti.gateways.sip_trunk_settings import SipTrunkSettings

#: (right, what was looked at, what was found or is to be done)
Found = tuple[bool, str, str]

ANSWER_WITHIN_S = 5.0
#: Longer than a check takes: one question is enough.
ONCE_S = 3600.0


@inlineCallbacks
def look(settings: SipTrunkSettings, lines: Iterable[Line], make_ping: Callable[..., Any], reactor: Any) -> Any:
    """Deferred of what was found: each account, and whether the operator answers where nothing registers."""
    host, port = settings.next_hop
    found: list[Found] = []
    for line in lines:
        what = f"account {line.key}"
        if not settings.registers:
            words = "does not register: only a call shows whether the operator takes it"
            found.append((True, what, words))
        else:
            found.append((not line.reason, what, line.reason or f"registered by {settings.transport}"))
    if not settings.registers and settings.transport == "udp":
        answer: Deferred[tuple[bool, str]] = Deferred()

        def told(is_there: bool, why: str) -> None:
            if not answer.called:
                answer.callback((is_there, why))

        once = dataclasses.replace(settings, options_ping_s=ONCE_S, options_wait_s=ANSWER_WITHIN_S)
        ping = make_ping(once, settings.voice_host(), reactor, told)
        ping.start()
        try:
            is_there, why = yield answer.addTimeout(2 * ANSWER_WITHIN_S, reactor)
        except TimeoutError:
            is_there, why = False, "can't be asked by OPTIONS: no UDP port of ours is free (the log says more)"
        yield ping.stop()
        # Some operators keep silent to OPTIONS and take calls all the same.
        found.append((is_there, f"operator {host}:{port}", "answers OPTIONS" if is_there else why))
    return found
