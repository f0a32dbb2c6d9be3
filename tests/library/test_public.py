"""The public names: their examples, their list and the changelog, what their import costs."""

import doctest
import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import FunctionType

import pytest

import konkyo
from konkyo.cache import digest_of
from konkyo.library.backtest import Backtest
from konkyo.library.simulated import SimulatedMarket

ROOT = Path(__file__).parents[2]
PINNED = ROOT / "tests/golden/public_api.txt"
CHANGELOG = (ROOT / "docs/changelog.md").read_text(encoding="utf-8")
RESULTS = (Backtest, SimulatedMarket)


def signature(name, value):
    parameters = inspect.signature(value).parameters.values()
    bare = [one.replace(annotation=inspect.Parameter.empty) for one in parameters]
    return f"{name}{inspect.Signature(bare)}"


def public():
    """Return a line for every public name with its signature, and for every member of a class."""
    lines = []
    for value in [*(getattr(konkyo, name) for name in konkyo.__all__), *RESULTS]:
        name = value.__name__
        head = name if value in RESULTS else signature(name, value)
        lines.append(head)
        own = vars(value) if inspect.isclass(value) else {}
        for member, held in sorted({**own.get("__annotations__", {}), **own}.items()):
            # Arguments have been named; scikit-learn adds requests of metadata.
            if member.startswith("_") or f" {member}=" in head or "_request" in member:
                continue
            call = isinstance(held, FunctionType | classmethod)
            whole = f"{name}.{member}"
            lines.append(signature(whole, getattr(value, member)) if call else whole)
    return "\n".join(lines) + "\n"


def test_the_changelog_has_the_public_list():
    text = public()
    digest = digest_of(text)[:8]
    remedy = (
        f"run `python {Path(__file__).relative_to(ROOT)}`, and say what changed in the changelog"
    )
    assert PINNED.read_text(encoding="utf-8") == text, remedy
    assert f"`{digest}`" in CHANGELOG, f"{remedy}, where the list's digest is `{digest}` now"
    assert all(f"`{name}" in CHANGELOG for name in konkyo.__all__)


@pytest.mark.parametrize("name", konkyo.__all__)
def test_examples_run(name):
    module = import_module(getattr(konkyo, name).__module__)
    results = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert results.attempted > 2 and not results.failed


def test_every_public_name_says_what_it_takes():
    for name in konkyo.__all__:
        value = getattr(konkyo, name)
        text = inspect.getdoc(value.from_frame if name == "Panel" else value) or ""
        for part in ("Parameters", "Examples"):
            assert f"\n{part}\n---" in text, f"{name} has no {part}"
        taken = inspect.signature(value.from_frame if name == "Panel" else value).parameters
        if name != "RollingRanker":
            assert all(one in text for one in taken)


def test_import_loads_nothing():
    code = "import sys, konkyo; print({'torch', 'pandas', 'numpy', 'lightning'} & {*sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
    assert dir(konkyo) == sorted([*konkyo.__all__, "__version__"])
    with pytest.raises(AttributeError, match="module 'konkyo' has no attribute 'Ranker'"):
        _ = konkyo.Ranker


def test_windows_is_told_of_wsl(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    source = Path(konkyo.__file__).read_text(encoding="utf-8")
    with pytest.raises(ImportError, match=r"on Windows install WSL \(`wsl --install`"):
        exec(compile(source, konkyo.__file__, "exec"), {"__name__": "konkyo"})


def test_one_version():
    assert konkyo.__version__ == "0.2.0"
    assert f"version: {konkyo.__version__}" in (ROOT / "CITATION.cff").read_text()
    assert "## Unreleased: 0.2" in CHANGELOG


if __name__ == "__main__":
    PINNED.write_text(public(), encoding="utf-8")
    print(digest_of(public())[:8])
