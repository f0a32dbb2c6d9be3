"""The command: figures and exit codes; the rest is in tests/tracking/test_promotion.py."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from konkyo.pipeline import promote
from konkyo.tracking import promotion

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Decided:
    """What the command reads of a `promotion.Decision`."""

    candidate: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(version=2))
    champion: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(version=1))
    summary: str = "the metrics"
    promoted: bool = True
    objections: tuple[str, ...] = ()


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Return what the comparison was asked for; it answers with `asked.outcome`."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "params.yaml", tmp_path)

    class Asked(list):
        outcome = Decided()

    calls = Asked()
    monkeypatch.setattr(
        promotion, "promote", lambda *args, **kwargs: calls.append((args, kwargs)) or calls.outcome
    )
    return calls


def test_a_promotion_says_the_figures_and_the_versions(asked, capsys):
    promote.main(version=2, reason="wider", force=True)
    ((root, _), options) = asked[0]
    assert root == Path.cwd()
    assert options == {"version": 2, "reason": "wider", "force": True}
    assert capsys.readouterr().out == (
        "the metrics\nversion 2 of konkyo-ranker is the champion, version 1 the previous\n"
    )


def test_a_refusal_ends_with_exit_code_1(asked, capsys):
    asked.outcome = Decided(promoted=False, objections=("too few", "worse"))
    with pytest.raises(SystemExit) as ended:
        promote.main()
    assert ended.value.code == 1
    said = capsys.readouterr()
    assert said.out == "the metrics\n"
    assert "version 2 of konkyo-ranker was not promoted: too few; worse. To promote" in said.err
