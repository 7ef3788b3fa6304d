"""The scenario language: a TOML document of named steps, read and checked as a whole before anybody is called.

    language = "ru"

    [variables]                      # every variable that is used, and how it is spoken
    name = "name"
    debt = { kind = "money", currency = "RUB" }

    [[step]]
    name = "message"
    type = "say"
    message = [{ recording = "greeting_ru.wav" }, "{name}, ваш долг {debt}."]

    [[step]]
    name = "agree"
    type = "confirm"
    message = "Нажмите один, чтобы подтвердить."
    key = "1"
    else = "goodbye"

Steps follow one another as written; ``then`` names another successor, ``else`` where to go when nobody answered or the
tries are used up (default: the call ends). The name ``hang_up`` may be used as a target without a step of that name.

========= =======================================================================================================
say       ``message``
ask       ``message``, ``keys`` (a list, or key -> step); the keys pressed are the answer
confirm   ``message``, ``key`` (one or a sequence, ``"*12#"``) or ``pin`` (digits or ``"{variable}"``), other ``keys``
          -> step; ``then`` if right
survey    ``message``, ``kind`` and what belongs to it (below); the answer is kept for the report
record    ``message``, a beep, then the reply: ``max_s``, ``silence_s``, ``stop_keys``, ``beep``
pause     ``seconds``
transfer  ``to`` (digits as dialled at the switch, or ``"{variable}"``), ``message`` before; connected, the scenario is
          at its end; busy, not answered: ``else`` (default: the next step), and the person is back with us
goto      ``then``, or with ``when`` then/else: ``{variable|answer = "…", is = "…"}`` (``is = ""``: empty, not answered;
          of a confirm step ``"confirmed"``, of a record step ``"recorded"``), or ``{answer = "…", at_least = 0,
          at_most = 6}``, one of them or both
stop_list ``list``: whoever comes to this step asked not to be called any more; all his numbers go on that stop list,
          also when he hangs up at once; then ``message``, if there is one (it need not be heard)
hang_up   ``message`` (not counted as part of what had to be heard), then the end
========= =======================================================================================================

Questions (ask, confirm, survey): ``tries`` (2), ``timeout_s`` (5, from the end of the message or the last key),
``wrong`` and ``silent`` (said before the message is repeated), ``repeat = "*"``: this key says the message again, which
is not a try. ``question`` (ask, survey, record): what reports call it; default the step's name.

========= =======================================================================================================
single    ``options``: key -> label for the report, or ``{ label = "…", to = "step" }``; the key is kept
yes_no    1 is yes, 2 is no, kept as ``yes`` and ``no``; ``options`` (two of them) for other keys, labels, ways
scale     ``min`` (0) to ``max`` (at most 99), ``options`` labels some of the marks; the number is kept
digits    ``min_length`` (1) to ``max_length`` digits, which are kept; ``read_back = "… {answer} … 1 … 2 …"`` says them,
          1 is right, 2 begins again
========= =======================================================================================================

An answer of several digits is at its end with the last that it can have, with #, or when none follows for
``next_key_s`` (3). Beside such an answer other ``keys`` and ``repeat`` begin with ``*``.

``barge_in``: a key stops the message; by default wherever a key is awaited then or later, so that a stray key can't cut
a message which expects none. ``heard``: the step's message belongs to what the person must have heard (say, survey, ask
and confirm by key do unless told otherwise). When a call counts as delivered: all of that was heard; or, where
``delivered_after`` at the top names a step, its message; or, where ``{ delivered = true }`` stands among the pieces of
a message, what stands before it. Who hangs up before is called again by ``retry.cut_short``.

``announcement = "12"`` in place of a ``message``: the switch plays its own recorded message of that number (OGM).
Experimental, and only where the gateway says that its switch does (``voice = "ogm"``).
"""

from __future__ import annotations

from functools import lru_cache

from ocm_cti.domain.fragments import (
    Beep,
    Fragment,
    Part,
    Recording,
    Sentence,
    Spoken,
    Variable,
    VariableMissing,
)
from ocm_cti.domain.scenario_document import Scenario, required_fragments
from ocm_cti.domain.scenario_faults import ScenarioError
from ocm_cti.domain.scenario_reading import Reading, read
from ocm_cti.domain.scenario_steps import END, Condition, Option, Step

__all__ = [
    "END",
    "Beep",
    "Condition",
    "Fragment",
    "Option",
    "Part",
    "Reading",
    "Recording",
    "Scenario",
    "ScenarioError",
    "Sentence",
    "Spoken",
    "Step",
    "Variable",
    "VariableMissing",
    "parse",
    "read",
    "required_fragments",
]


@lru_cache(maxsize=64)
def parse(text: str) -> Scenario:
    """Read and check a scenario. Raises the first ScenarioError: the step, the line and what is wrong with it.

    Remembered: each call is of a scenario that thousands before it had.
    """
    reading = read(text)
    if reading.scenario is None:
        raise reading.wrong[0]
    return reading.scenario
