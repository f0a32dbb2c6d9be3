"""Names of tests are short, and two tests of a file never share one."""

import ast
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parent
LIMIT = 50
"""Letters of a test's name, `test_` included."""


def definitions() -> Counter[tuple[str, str, str]]:
    """Return how often each file defines each test, by file, class ("" outside of one) and name."""
    count: Counter[tuple[str, str, str]] = Counter()
    for file in sorted(TESTS.rglob("test_*.py")):
        module = ast.parse(file.read_text(encoding="utf-8"))
        classes = {"": module} | {c.name: c for c in module.body if isinstance(c, ast.ClassDef)}
        for class_name, body in classes.items():
            for node in body.body:
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    count[str(file.relative_to(TESTS)), class_name, node.name] += 1
    return count


def test_names_have_at_most_50_letters():
    names = definitions()
    assert len(names) > 1000
    assert [key for key in names if len(key[2]) > LIMIT] == []


def test_no_test_replaces_one_of_its_name():
    assert [key for key, times in definitions().items() if times > 1] == []
