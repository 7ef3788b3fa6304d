"""Who may import whom (the design's table), read from the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: package or module prefix -> the prefixes of ours that it may import, beside itself; the longest prefix decides.
ALLOWED: dict[str, tuple[str, ...]] = {
    "protocols": (),
    "ocm_cti._version": (),
    "ocm_cti.domain": (),
    "ocm_cti.clock": (),
    "ocm_cti.store": (
        "ocm_cti.clock",
        "ocm_cti.domain",
    ),
    "ocm_cti.speech": (
        "ocm_cti.clock",
        "ocm_cti.domain",
    ),
    "ocm_cti.imports": (
        "ocm_cti.clock",
        "ocm_cti.domain",
    ),
    # Figures and files made of rows; how the rows are read is the store's own business.
    "ocm_cti.reports": ("ocm_cti.domain", "ocm_cti.store.report_rows"),
    "ocm_cti.gateways": (
        "ocm_cti.clock",
        "ocm_cti.domain",
        "ocm_cti.voice.client",
        "ocm_cti.voice.trunks",
        "protocols",
    ),
    "ocm_cti.gateways.interface": (
        "ocm_cti.clock",
        "ocm_cti.domain",
    ),
    "ocm_cti.voice": ("ocm_cti.clock", "ocm_cti.domain", "protocols"),
    "ocm_cti.simulator": ("protocols",),
    "ocm_cti.attempt": (
        "ocm_cti.clock",
        "ocm_cti.conversation",
        "ocm_cti.domain",
        "ocm_cti.store",
        "ocm_cti.gateways.interface",
    ),
    "ocm_cti.call_book": ("ocm_cti.clock", "ocm_cti.domain", "ocm_cti.store"),
    "ocm_cti.cron": (),
    "ocm_cti.timetable": (
        "ocm_cti.clock",
        "ocm_cti.config",
        "ocm_cti.cron",
        "ocm_cti.imports",
        "ocm_cti.starting",
        "ocm_cti.store",
    ),
    # A dry run: the dialer with everything around it imagined.
    "ocm_cti.rehearsal": (
        "ocm_cti.dialer",
        "ocm_cti.domain",
        "ocm_cti.imagined",
        "ocm_cti.speech.words",
        "ocm_cti.store",
    ),
    "ocm_cti.imagined": ("ocm_cti.domain", "ocm_cti.gateways.interface", "ocm_cti.speech.prompts"),
    "ocm_cti.webhooks": ("ocm_cti._version", "ocm_cti.clock", "ocm_cti.domain", "ocm_cti.store"),
    "ocm_cti.guarded_http": ("ocm_cti.domain", "ocm_cti.webhooks"),
    "ocm_cti.bulletin": ("ocm_cti.clock", "ocm_cti.domain"),
    "ocm_cti.lookahead": ("ocm_cti.clock", "ocm_cti.domain", "ocm_cti.store"),
    "ocm_cti.conversation": ("ocm_cti.clock", "ocm_cti.domain", "ocm_cti.store", "ocm_cti.gateways.interface"),
    "ocm_cti.dialer": (
        "ocm_cti.attempt",
        "ocm_cti.clock",
        "ocm_cti.conversation",
        "ocm_cti.domain",
        "ocm_cti.gateways.interface",
        "ocm_cti.recovery",
        "ocm_cti.store",
    ),
    "ocm_cti.recovery": ("ocm_cti.clock", "ocm_cti.domain", "ocm_cti.gateways.interface", "ocm_cti.store"),
    "ocm_cti.control": (
        "ocm_cti.clock",
        "ocm_cti.domain",
        "ocm_cti.store",
        "ocm_cti.gateways.interface",
        "ocm_cti.dialer",
    ),
    "ocm_cti.config": ("ocm_cti.clock", "ocm_cti.domain", "ocm_cti.gateways", "ocm_cti.places"),
    "ocm_cti.places": (),
    "ocm_cti.scenario_checks": ("ocm_cti.domain", "ocm_cti.speech.words"),
    # What the command, the clock and the panel all start a campaign with.
    "ocm_cti.starting": (
        "ocm_cti.config",
        "ocm_cti.domain",
        "ocm_cti.imports",
        "ocm_cti.places",
        "ocm_cti.speech.words",
        "ocm_cti.store",
    ),
    # What the command and the panel both make a list of a table with.
    "ocm_cti.importing": (
        "ocm_cti.clock",
        "ocm_cti.config",
        "ocm_cti.domain",
        "ocm_cti.imports",
        "ocm_cti.starting",
        "ocm_cti.store",
    ),
    # Reports in a process beside the server.
    "ocm_cti.report_process": ("ocm_cti.reports", "ocm_cti.store"),
    # A file of people in a process beside the server.
    "ocm_cti.import_process": ("ocm_cti.config", "ocm_cti.importing", "ocm_cti.imports", "ocm_cti.store"),
    "ocm_cti.write_back": ("ocm_cti.clock", "ocm_cti.domain", "ocm_cti.imports", "ocm_cti.store"),
    # Everything that the panel and the API may do: one object, which is all that web is handed.
    "ocm_cti.office": (
        "ocm_cti._version",
        "ocm_cti.config",
        "ocm_cti.control",
        "ocm_cti.dialer",
        "ocm_cti.domain",
        "ocm_cti.gateways.interface",
        "ocm_cti.imports",
        "ocm_cti.report_process",
        "ocm_cti.import_process",
        "ocm_cti.importing",
        "ocm_cti.reports",
        "ocm_cti.scenario_checks",
        "ocm_cti.speech",
        "ocm_cti.starting",
        "ocm_cti.store",
    ),
    # Of the store only the types of rows.
    "web": ("ocm_cti._version", "ocm_cti.domain", "ocm_cti.office", "ocm_cti.reports", "ocm_cti.store"),
    # The composition root and the commands import everything.
    "ocm_cti.service": ("ocm_cti", "protocols", "web"),
    "ocm_cti.cli": ("ocm_cti", "protocols", "web"),
    "ocm_cti.command_line": ("ocm_cti",),
    "ocm_cti.commands": ("ocm_cti", "protocols", "web"),
}

#: third-party package -> prefixes that may import it
ONLY_IN: dict[str, tuple[str, ...]] = {
    "flask": ("web",),
    "apiflask": ("web",),
    "argon2": ("ocm_cti.office.passwords",),
    "tomlkit": ("ocm_cti.office",),
    # Of the ledger; and of the customer's own database, which is none of the ledger's.
    "sqlalchemy": ("ocm_cti.store", "ocm_cti.imports.database"),
    "alembic": ("ocm_cti.store",),
    "serial": ("protocols.serial_line",),
    "pyttsx3": ("ocm_cti.speech.synthesizers",),
    "construct": ("protocols",),
    "sipmessage": ("protocols.sip",),
    "xlsxwriter": ("ocm_cti.reports",),
    "reportlab": ("ocm_cti.reports",),
    "pymupdf_fonts": ("ocm_cti.reports.pdf_fonts",),
}

#: Nobody imports them but each other.
ROOTS = ("ocm_cti.service", "ocm_cti.cli", "ocm_cti.command_line", "ocm_cti.commands")

#: The reactor is taken as an argument everywhere else.
REACTOR_ONLY_IN = (
    "ocm_cti.command_line",
    "ocm_cti.commands",
    "ocm_cti.voice.process",
    "ocm_cti.speech.process",
    "ocm_cti.simulator.process",
)


def modules() -> Iterator[tuple[str, Path]]:
    for top in ("protocols", "ocm_cti", "web"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(module: str, path: Path) -> Iterator[str]:
    """Absolute dotted names that the module imports, anywhere in it, also under TYPE_CHECKING."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def under(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def rule_of(module: str) -> tuple[str, tuple[str, ...]] | None:
    prefixes = [prefix for prefix in ALLOWED if under(module, prefix)]
    return None if not prefixes else (max(prefixes, key=len), ALLOWED[max(prefixes, key=len)])


def offences(module: str, path: Path) -> list[str]:
    found = []
    rule = rule_of(module)
    for name in imports(module, path):
        if any(under(name, top) for top in ("protocols", "ocm_cti", "web")):
            if rule is None:
                if module not in ("ocm_cti", "web"):
                    found.append(f"{module} has no rule in ALLOWED; the design must say what it may import")
                continue
            home, allowed = rule
            # A sub-module with a rule of its own still belongs to its package.
            package = ".".join(home.split(".")[:2]) if home.startswith("ocm_cti.") else home.split(".")[0]
            if not any(under(name, prefix) for prefix in (home, package, *allowed)):
                found.append(f"{module} imports {name}; {home} may import only {allowed or 'nothing of ours'}")
            if any(under(name, root) for root in ROOTS) and not any(under(module, root) for root in ROOTS):
                found.append(f"{module} imports {name}: nobody imports the composition root")
        for package, homes in ONLY_IN.items():
            if under(name, package) and not any(under(module, home) for home in homes):
                found.append(f"{module} imports {name}: {package} belongs to {', '.join(homes)}")
        if name == "twisted.internet.reactor" and not any(under(module, home) for home in REACTOR_ONLY_IN):
            found.append(f"{module} imports the reactor; take it as an argument")
    return found


@pytest.mark.parametrize(("module", "path"), [pytest.param(*pair, id=pair[0]) for pair in modules()])
def test_imports_follow_the_design(module: str, path: Path) -> None:
    """A forbidden arrow between two rooms fails here, naming both."""
    assert offences(module, path) == []


def test_the_check_can_fail(tmp_path: Path) -> None:
    """The reader sees relative, nested and TYPE_CHECKING imports, so that the test above means something."""
    bad = tmp_path / "switch.py"
    bad.write_text(
        "from ..domain import numbers\n"
        "def f():\n    import sqlalchemy\n    from twisted.internet import reactor\n"
        "if TYPE_CHECKING:\n    from ocm_cti.store import tasks\n"
    )
    assert len(offences("ocm_cti.simulator.switch", bad)) == 4


def test_every_package_is_installed() -> None:
    """A folder of modules without __init__.py would be missing from the installation."""
    for top in ("protocols", "ocm_cti", "web"):
        for folder in {path.parent for path in (ROOT / top).rglob("*.py")}:
            assert (folder / "__init__.py").exists(), f"{folder} has modules but no __init__.py"
