"""``ocm scenario check`` and ``show``: what is wrong with a scenario, and what its ways are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from ocm_cti import config as configuration
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.output import open_console
from ocm_cti.commands.scenario_files import scenario_of, subscribed, text_of
from ocm_cti.domain.scenario_faults import ScenarioError
from ocm_cti.domain.scenario_ways import asked, next_of, short, ways
from ocm_cti.domain.scenarios import Scenario, Step
from ocm_cti.scenario_checks import all_faults


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
            ahead += [(node, way, target) for way, target in reversed(list(ways(scenario, step)))]
            if step.kind == "hang_up" or (step.collects and not step.takes_then) or step.kind == "transfer":
                break
            if step.when is not None and step.then != next_of(scenario, step):
                break
            how, name = ("then" if step.then != next_of(scenario, step) else ""), step.then
    console.print(tree)


def _told(scenario: Scenario, step: Step) -> Text:
    kind = f"{step.kind} {step.survey}" if step.survey else step.kind
    mark = " ✓ delivered from here" if scenario.delivered_after == step.name else ""
    words = [f"announcement {step.announcement}" if step.announcement else "", short(step.message), asked(step)]
    return Text.assemble(
        (step.name, "bold"), (f"  {kind}", "green"), *(f"  {word}" for word in words if word), (mark, "yellow")
    )
