"""``ocm scenario check`` and ``show``: what is wrong with a scenario, and what its ways are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from ocm_cti import config as configuration
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.output import open_console
from ocm_cti.commands.scenario_files import all_faults, scenario_of, subscribed, text_of
from ocm_cti.domain.fragments import Message, Recording, Slot
from ocm_cti.domain.scenario_faults import ScenarioError
from ocm_cti.domain.scenarios import END, Scenario, Step


def check(config_path: Path, files: Sequence[Path], audio: Path | None, list_name: str | None) -> int:
    """Everything wrong with each file, by line; 0 when nothing is, else 2. Warnings alone are 0."""
    console = open_console()
    config = None
    if list_name is not None or (audio is None and config_path.is_file()):
        config = configuration.load(config_path)
    whom = subscribed(config, list_name) if config is not None and list_name is not None else None
    folder = audio or (config.audio if config is not None else None)
    if folder is not None and not folder.is_dir():
        raise CommandError(f"{folder}: no such folder of recordings; name it with --audio")
    bad = False
    for path in files:
        faults = all_faults(text_of(path), folder, whom)
        for kind, style, found in (("error", "red", faults.wrong), ("warning", "yellow", faults.remarks)):
            for error in sorted(found, key=lambda one: one.line or 0):
                console.print(Text(_line(path, kind, error), style=style), soft_wrap=True)
        bad = bad or bool(faults.wrong)
        if not faults.wrong:
            console.print(f"{path}: right{_counted(len(faults.remarks))}{_not_looked_at(folder)}", soft_wrap=True)
    return 2 if bad else 0


def _line(path: Path, kind: str, error: ScenarioError) -> str:
    at = f"{path}:{error.line}" if error.line is not None else str(path)
    return f"{at}: {kind}: {error.place}: {error.what}"


def _counted(warnings: int) -> str:
    return f", {warnings} warning{'s' if warnings > 1 else ''}" if warnings else ""


def _not_looked_at(audio: Path | None) -> str:
    return "" if audio is not None else " (whether its recordings are there was not looked at: --audio FOLDER)"


def show(path: Path) -> int:
    """The steps as a tree: each once, with what leads to it; where one was drawn before, only its name."""
    scenario = scenario_of(path)
    draw(scenario, open_console(), str(path))
    return 0


def draw(scenario: Scenario, console: Console, title: str) -> None:
    tree = Tree(Text(f"{title} ({scenario.language})", style="bold"))
    drawn: set[str] = set()
    # Long ways must not become deep trees: what simply follows stands beside, what a key leads to stands below it.
    ahead: list[tuple[Tree, str, str | None]] = [(tree, "", scenario.first.name)]
    while ahead:
        at, how, name = ahead.pop()
        branch = at is not tree
        while True:
            label = Text.assemble((f"{how} → " if how else "", "cyan"))
            if name is None:
                at.add(Text.assemble(label, ("the call ends", "dim")))
                break
            step = scenario.steps[name]
            if name in drawn:
                at.add(Text.assemble(label or ("→ ", "cyan"), (name, "dim")))
                break
            drawn.add(name)
            node = at.add(Text.assemble(label, _told(scenario, step)))
            if branch:
                at, branch = node, False
            ways = list(_ways(scenario, step))
            ahead += [(node, way, target) for way, target in reversed(ways)]
            if step.kind == "hang_up" or (step.collects and not step.takes_then) or step.kind == "transfer":
                break
            if step.when is not None and step.then != _next(scenario, step):
                break
            how, name = ("then" if step.then != _next(scenario, step) else ""), step.then
    console.print(tree)


def _next(scenario: Scenario, step: Step) -> str | None:
    order = list(scenario.steps)
    place = order.index(step.name) + 1
    return order[place] if place < len(order) else None


def _ways(scenario: Scenario, step: Step) -> Iterator[tuple[str, str | None]]:
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
        if step.then != _next(scenario, step):
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


def _told(scenario: Scenario, step: Step) -> Text:
    kind = f"{step.kind} {step.survey}" if step.survey else step.kind
    mark = " ✓ delivered from here" if scenario.delivered_after == step.name else ""
    words = [f"announcement {step.announcement}" if step.announcement else "", _short(step.message), _asked(step)]
    return Text.assemble(
        (step.name, "bold"), (f"  {kind}", "green"), *(f"  {word}" for word in words if word), (mark, "yellow")
    )


def _asked(step: Step) -> str:
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
_SHOWN = 60


def _short(message: Message) -> str:
    words = " ".join(
        f"<{piece.path_name}>"
        if isinstance(piece, Recording)
        else "".join(f"{{{part.variable}}}" if isinstance(part, Slot) else part for part in piece.pieces)
        for piece in message
    )
    return f"«{words if len(words) <= _SHOWN else words[: _SHOWN - 1] + '…'}»" if words else ""
