"""A scenario in short words, for people who look at it: what a step says and asks, and which ways lead on from it."""

from __future__ import annotations

from collections.abc import Iterator

from ocm_cti.domain.fragments import Message, Recording, Slot
from ocm_cti.domain.scenarios import END, Scenario, Step


def next_of(scenario: Scenario, step: Step) -> str | None:
    """The step below it in the file."""
    order = list(scenario.steps)
    place = order.index(step.name) + 1
    return order[place] if place < len(order) else None


def ways(scenario: Scenario, step: Step) -> Iterator[tuple[str, str | None]]:
    """What leads elsewhere than straight on."""

    def known(target: str) -> str | None:
        return None if target == END and END not in scenario.steps else target

    for key, target in step.keys.items():
        if target is not None:
            yield f"key {key}", known(target)
    for key, option in step.options.items():
        if option.target is not None:
            yield f"{key} {option.label}", known(option.target)
    if step.collects:
        yield "no answer", step.otherwise
    elif step.kind == "transfer":
        yield "nobody there", step.otherwise
    elif step.when is not None:
        if step.then != next_of(scenario, step):
            yield condition(step), step.then
        yield "else", step.otherwise


def condition(step: Step) -> str:
    """``when`` of a goto in words."""
    when = step.when
    if when is None:
        return ""
    what = f"{{{when.variable}}}" if when.variable is not None else f"answer of {when.answer}"
    if when.equals is not None:
        return f"{what} is {when.equals!r}"
    low = "" if when.at_least is None else f" from {when.at_least}"
    return f"{what}{low}{'' if when.at_most is None else f' up to {when.at_most}'}"


def asked(step: Step) -> str:
    """What it waits for, or does: ``[1 to 9 digits]``; \"\" for nothing."""
    match step.kind:
        case "confirm":
            return f"[{step.key}]" if step.key is not None else f"[PIN {step.pin}]"
        case "ask":
            return f"[{' '.join(step.keys)}]"
        case "survey" if step.survey == "scale":
            return f"[{step.minimum} to {step.maximum}]"
        case "survey" if step.survey == "digits":
            return f"[{step.minimum} to {step.maximum} digits]"
        case "survey":
            return "[" + ", ".join(f"{key} {option.label}" for key, option in step.options.items()) + "]"
        case "record":
            return f"[up to {step.max_ms / 1000:g} s]"
        case "pause":
            return f"[{step.seconds:g} s]"
        case "transfer":
            return f"[to {step.to}]"
        case "stop_list":
            return f"[his numbers on stop list {step.stop_list}]"
        case "goto" if step.when is not None:
            return f"[{condition(step)}]"
        case _:
            return ""


#: Letters of a message that are shown.
SHOWN = 60


def short(message: Message) -> str:
    """The beginning of what it says, in quotes; \"\" for nothing."""
    words = " ".join(
        f"<{piece.path_name}>"
        if isinstance(piece, Recording)
        else "".join(f"{{{part.variable}}}" if isinstance(part, Slot) else part for part in piece.pieces)
        for piece in message
    )
    return f"«{words if len(words) <= SHOWN else words[: SHOWN - 1] + '…'}»" if words else ""
