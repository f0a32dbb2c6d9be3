"""mlflow stays in its room, and the room costs nothing to look at."""

import ast
import subprocess
import sys
from pathlib import Path

import konkyo

PACKAGE = Path(konkyo.__file__).parent


def imported(path: Path) -> set[str]:
    """Return the top-level names that a module imports, wherever in it."""
    result = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            result |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            result.add(node.module.split(".")[0])
    return result


def test_no_other_room_imports_mlflow():
    modules = [path for path in PACKAGE.rglob("*.py") if "mlflow" in imported(path)]
    rooms = {path.relative_to(PACKAGE).parts[0] for path in modules}
    assert rooms == {"tracking"}


def test_the_map_of_the_room_imports_nothing_heavy():
    script = "import sys, konkyo.tracking; print('mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "False\n"
