"""What must hold between the steps of a scenario: every goto leads somewhere, every step can be reached, no loops."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ocm_cti.domain.scenario_faults import Faults
from ocm_cti.domain.scenario_steps import END, Step


def targets(steps: Mapping[str, Step], names: Collection[str], faults: Faults) -> None:
    """A goto to a step that does not exist; ``names`` are those of all steps, also of such as could not be read."""
    for step in steps.values():
        named = [
            ("then", step.then),
            ("else", step.otherwise),
            *((f"key {key}", to) for key, to in step.keys.items()),
            *((f"option {key}", option.target) for key, option in step.options.items()),
        ]
        for what, target in named:
            if target is not None and target not in names and target != END:
                faults.add(f"step {step.name!r}", f"{what} leads to {target!r}, but there is no such step", step.line)


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

    def awaited(first: Step) -> bool:
        seen, ahead = {first.name}, [first]
        while ahead:
            step = ahead.pop()
            if step.collects:
                return True
            if step.kind in ("record", "transfer", "hang_up"):
                continue
            for target in step.automatic():
                if target is not None and target not in seen:
                    seen.add(target)
                    ahead.append(steps[target])
        return False

    return {
        step.name: step if step.barge_in is not None else step.replaced(barge_in=awaited(step))
        for step in steps.values()
    }


def reachable(steps: Mapping[str, Step], faults: Faults) -> None:
    """A step that no way leads to: its author believes something that is not so."""
    first = next(iter(steps))
    seen, ahead = {first}, [first]
    while ahead:
        for target in steps[ahead.pop()].successors():
            if target is not None and target in steps and target not in seen:
                seen.add(target)
                ahead.append(target)
    for step in steps.values():
        if step.name not in seen:
            faults.add(f"step {step.name!r}", "can never be reached", step.line)


def no_endless_loop(steps: Mapping[str, Step], faults: Faults) -> None:
    """A circle that the call would run through for ever with nobody pressing anything."""
    done: set[str] = set()
    for begin in steps:
        path: list[str] = []
        on_path: set[str] = set()
        ahead: list[tuple[str, bool]] = [(begin, False)]  # (step, all behind it has been walked)
        while ahead:
            name, walked = ahead.pop()
            if walked:
                path.pop()
                on_path.discard(name)
                done.add(name)
            elif name in on_path:
                circle = " → ".join([*path[path.index(name) :], name])
                faults.add(f"step {name!r}", f"the call would go round for ever: {circle}", steps[name].line)
            elif name not in done:
                path.append(name)
                on_path.add(name)
                ahead.append((name, True))
                ahead += [(target, False) for target in reversed(steps[name].automatic()) if target is not None]


def look_again(steps: Mapping[str, Step], delivered_after: str | None, faults: Faults) -> None:
    """What is allowed and hardly meant."""
    if delivered_after is None and not any(step.heard or step.kind == "confirm" for step in steps.values()):
        faults.remark("scenario", "no message in it has to be heard: no call can count as delivered")
    mark = steps.get(delivered_after or "")
    if mark is not None and not mark.message and mark.announcement is None and not mark.beep:
        faults.remark(
            f"step {mark.name!r}", "delivered_after names it, but it says nothing that could be heard", mark.line
        )
    labels: dict[str, Step] = {}
    for step in steps.values():
        if step.question:
            other = labels.setdefault(step.question, step)
            if other is not step:
                faults.remark(
                    f"step {step.name!r}", f"reports call its question as that of step {other.name!r}", step.line
                )
        called = [option.label for option in step.options.values()]
        if len(set(called)) < len(called):
            faults.remark(f"step {step.name!r}", "two of its options have the same label", step.line)
