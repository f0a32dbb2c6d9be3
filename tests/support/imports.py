"""What the modules of the project import of one another, read from their sources."""

import ast
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "src"


@cache
def modules() -> dict[str, Path]:
    """Return the file of each module and package of the project by its dotted name."""
    found = {}
    for path in SOURCES.joinpath("konkyo").rglob("*.py"):
        parts = path.relative_to(SOURCES).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(name: str) -> frozenset[str]:
    """Return the modules of the project that a module imports, those within functions too."""
    found = set()
    for node in ast.walk(ast.parse(modules()[name].read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} has a relative import"
            for alias in node.names:
                own = f"{node.module}.{alias.name}"
                found.add(own if own in modules() else str(node.module))
    return frozenset(found & modules().keys())


def closure(names: Iterable[str], stop: Callable[[str], bool] = lambda name: False) -> set[str]:
    """Return modules and all that they import, through each other too.

    Parameters
    ----------
    names : iterable of str
        Where to begin.
    stop : callable
        Whether what a module imports is of no interest.
    """
    found, coming = set(), list(names)
    while coming:
        name = coming.pop()
        if name not in found:
            found.add(name)
            if not stop(name):
                coming += imports(name)
    return found
