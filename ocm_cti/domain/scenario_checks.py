"""What must hold between the steps of a scenario: every goto leads somewhere, every step can be reached, no loops."""

from __future__ import annotations

from collections.abc import Mapping

from ocm_cti.domain.scenario_fields import ScenarioError
from ocm_cti.domain.scenario_steps import END, Step


def targets(steps: Mapping[str, Step]) -> None:
    """Refuse a goto to a step that does not exist."""
    for step in steps.values():
        named = [("then", step.then), ("else", step.otherwise), *((f"key {key}", to) for key, to in step.keys.items())]
        for what, target in named:
            if target is not None and target not in steps and target != END:
                raise ScenarioError(f"{step.place}: {what} leads to {target!r}, but there is no such step")


def with_successors(steps: Mapping[str, Step]) -> dict[str, Step]:
    """Fill in what is not written: ``then`` is the next step, ``else`` the end; END without a step becomes None."""

    def known(target: str | None) -> str | None:
        return target if target in steps else None

    order = list(steps)
    following: dict[str, str | None] = dict(zip(order, [*order[1:], None], strict=True))
    filled = {}
    for step in steps.values():
        then = following[step.name] if step.then is None else known(step.then)
        if step.kind == "transfer":
            # Handed over he is not ours any more; else he goes on where the scenario does.
            otherwise = following[step.name] if step.otherwise is None else known(step.otherwise)
            filled[step.name] = step.replaced(then=None, otherwise=otherwise)
            continue
        # An explicit "hang_up" that names no step must not fall back to ``then``, so keys keep END as it is.
        filled[step.name] = step.replaced(then=then, otherwise=known(step.otherwise if step.otherwise else END))
    return filled


def with_barge_in(steps: Mapping[str, Step]) -> dict[str, Step]:
    """Decide ``barge_in`` where it is not written: a key may stop a message if a key is awaited then or later."""

    def awaited(step: Step, seen: frozenset[str]) -> bool:
        if step.collects:
            return True
        if step.kind in ("record", "transfer", "hang_up") or step.name in seen:
            return False
        return any(awaited(steps[to], seen | {step.name}) for to in step.automatic() if to is not None)

    return {
        step.name: step if step.barge_in is not None else step.replaced(barge_in=awaited(step, frozenset()))
        for step in steps.values()
    }


def reachable(steps: Mapping[str, Step]) -> None:
    """Refuse a step that no way leads to: its author believes something that is not so."""
    first = next(iter(steps))
    seen, ahead = {first}, [first]
    while ahead:
        for target in steps[ahead.pop()].successors():
            if target is not None and target in steps and target not in seen:
                seen.add(target)
                ahead.append(target)
    for step in steps.values():
        if step.name not in seen:
            raise ScenarioError(f"{step.place}: can never be reached")


def no_endless_loop(steps: Mapping[str, Step]) -> None:
    """Refuse a circle that the call would run through for ever with nobody pressing anything."""
    done: set[str] = set()

    def walk(name: str, path: list[str]) -> None:
        if name in path:
            circle = " → ".join([*path[path.index(name) :], name])
            raise ScenarioError(f"{steps[name].place}: the call would go round for ever: {circle}")
        if name in done:
            return
        for target in steps[name].automatic():
            if target is not None:
                walk(target, [*path, name])
        done.add(name)

    for name in steps:
        walk(name, [])
