"""Runs the bench that is named first, or lists them."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def benches() -> dict[str, str]:
    """Name of each bench and what it measures; a module that begins with an underscore belongs to another."""
    found = {}
    for path in sorted(HERE.glob("[a-z]*.py")):
        found[path.stem] = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
    return found


def main(argv: list[str]) -> int:
    known = benches()
    if not argv or argv[0] not in known:
        print("tools/bench NAME [OPTIONS]; NAME --help shows the options of one", file=sys.stderr)
        for name, what in known.items():
            print(f"  {name:10} {what}", file=sys.stderr)
        return 0 if argv in ([], ["--help"], ["-h"]) else 2
    result: int = importlib.import_module(argv[0]).main(argv[1:])
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
