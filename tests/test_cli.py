"""The command line: what each command calls, and what a user sees of it."""

import inspect
import itertools
import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from konkyo import cli, pipeline

COMMANDS = typer.main.get_command(cli.app).commands
FILES = Path(pipeline.__path__[0]).glob("*.py")
THERE = {file.stem for file in FILES if "\ndef main(" in file.read_text(encoding="utf-8")} - {
    "entry_point"
}
"""Stages; what MLproject calls is no command."""
NEEDED = {"compare": ["one", "two"], "fetch": ["mof"]}
"""Arguments without which a command says only how it is used."""
CHANGED = {
    "update": (
        ["--month", "2021-12", "--restated", "--no-commit"],
        {"month": "2021-12", "restated": True, "commit": False},
    ),
    "predict": (["--month", "2021-11", "--language", "ja"], {"month": "2021-11", "language": "ja"}),
    "promote": (
        ["--version", "7", "--reason", "four seeds", "--force"],
        {"version": 7, "reason": "four seeds", "force": True},
    ),
    "tune": (["--trials", "20", "--worker"], {"trials": 20, "worker": True}),
    "serve": (["--alias", "challenger", "--port", "5002"], {"alias": "challenger", "port": 5002}),
    "ui": (["--port", "5003"], {"port": 5003}),
    "fetch": (
        ["fred", "--first", "2018-01", "--series", "VIXCLS", "--series", "T10Y2Y=slope"],
        {"what": "fred", "first": "2018-01", "series": ["VIXCLS", "T10Y2Y=slope"]},
    ),
}


def stage_of(command: str) -> str:
    return command.replace("-", "_")


@pytest.fixture
def called(monkeypatch):
    """Return what commands call, by stage, instead of calling it."""
    found = {}
    monkeypatch.setattr(cli, "call", lambda stage, **named: found.update({stage: named}))
    return found


def words(shown: str) -> str:
    """Return a help or an error without colours, boxes and line breaks."""
    return " ".join(re.sub(r"\x1b\[[\d;]*m|[│╭╮╰╯─]", " ", shown).split())


def run(*typed: str):
    return CliRunner().invoke(cli.app, list(typed), prog_name="konkyo")


def test_every_stage_has_a_command():
    assert {stage_of(name) for name in COMMANDS} == THERE
    assert len(THERE) > 13


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example_that_works(name, called):
    shown = run(name, "--help")
    assert shown.exit_code == 0
    assert COMMANDS[name].help.split("\n")[0] in words(shown.stdout)
    assert COMMANDS[name].epilog in words(shown.stdout)
    start, program, *typed = shlex.split(COMMANDS[name].epilog)
    assert (start, program) == ("Example:", "konkyo")
    assert run(*itertools.takewhile(lambda word: word != "||", typed)).exit_code == 0
    assert list(called) == [stage_of(name)]


@pytest.mark.parametrize("name", [name for name in COMMANDS if stage_of(name) in THERE])
def test_defaults_are_those_of_the_stage(name, called):
    assert run(name, *NEEDED.get(name, [])).exit_code == 0
    taken = inspect.signature(import_module(f"konkyo.pipeline.{stage_of(name)}").main).parameters
    given = called[stage_of(name)]
    assert set(given) <= set(taken)
    for parameter in taken.values():
        if parameter.default is inspect.Parameter.empty:
            assert parameter.name in given
        else:
            assert given.get(parameter.name, parameter.default) == parameter.default


@pytest.mark.parametrize("name", CHANGED)
def test_what_is_typed_reaches_the_function(name, called):
    typed, expected = CHANGED[name]
    assert run(name, *typed).exit_code == 0
    assert expected.items() <= called[name].items()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["upd"], "No such command 'upd'. Did you mean 'update'?"),
        (["predict", "--language", "fr"], "'fr' is not one of 'en', 'ja'"),
        (["fetch"], "Missing argument"),
        (["ui", "--port", "0"], "greater than or equal to 1"),
        (["train", "--epochs", "3"], "No such option"),
    ],
)
def test_wrong_usage_calls_nothing(typed, said, called):
    refused = run(*typed)
    assert refused.exit_code == 2
    assert said in words(refused.stderr)
    assert called == {}


def test_an_interrupt_during_import_is_one_line(monkeypatch):
    def interrupted(name):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.importlib, "import_module", interrupted)
    ended = run("train")
    assert (ended.exit_code, ended.stdout, ended.stderr) == (130, "", "\nkonkyo: interrupted\n")


def process(*command: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *command], env=os.environ | environment, capture_output=True, text=True
    )


def test_an_error_is_one_line_and_exit_code_1(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = process("-m", "konkyo", "ingest")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("konkyo: params.yaml ") and ended.stderr.count("\n") == 1


def test_help_imports_no_stage():
    code = (
        "import sys; from konkyo.cli import app; app(['--help'], standalone_mode=False); "
        "print(sorted({n.split('.')[0] for n in sys.modules} & {'torch', 'pandas', 'mlflow', "
        "'numpy', 'optuna', 'altair', 'dvc'}))"
    )
    shown = process("-c", code)
    assert shown.stdout.splitlines()[-1] == "[]", shown.stderr
    completed = process(
        "-m", "konkyo", _KONKYO_COMPLETE="complete_bash", COMP_WORDS="konkyo interv", COMP_CWORD="1"
    )
    assert completed.stdout.split() == [n for n in COMMANDS if n.startswith("interv")]
