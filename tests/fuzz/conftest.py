"""The targets and their seeds are plain modules beside the tests; atheris runs them as scripts."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
