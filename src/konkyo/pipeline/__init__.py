"""Commands: one thin script a stage that reads params, calls pure functions and writes outputs.

Main pipeline   ingest, prepare, train, attribute, verify, backtest, report, track
Second study    intervention_ingest, _estimate, _forecast, _report, _track
Month-end       check, fetch, update, predict, monitor, promote
Other           init, audit, compare, tune, serve, ui; code of projects, entry_point of MLproject

Helpers: locking (one command at a time), own_files (data/own in DVC's temporary experiments),
system_errors (a full disk in words), standard_errors (of attribute), month_evaluation (of verify),
report_inputs (what report, monitor and predict read), earlier_months and dvc_commit (for update).
"""

import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, TypeVar

from konkyo import date_text, dates, io, resilience
from konkyo.artifacts import HERE
from konkyo.errors import INTERRUPTED, KonkyoError, ParamsError, redact, require_extra
from konkyo.pipeline import system_errors

require_extra("pipeline")

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

TIMED = ("ingest", "prepare", "train", "attribute", "verify", "backtest", "report")
"""Stages whose seconds the run in MLflow has."""


def stage(main: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorate a command: errors of the user or the machine and interrupts end it with a message.

    These are `KonkyoError` and the errors that `system_errors` recognises. Any other error is a
    defect of this program and keeps its traceback, printed without credentials.

    Parameters
    ----------
    main : callable
        The function of a command.

    Raises
    ------
    SystemExit
        1 after an error, 130 after an interrupt; the message is on standard error.
    """
    name = main.__module__.rpartition(".")[2]

    @wraps(main)
    def command(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        started = time.time()
        if (modules := str(HERE.modules.absolute())) not in sys.path:
            # Last, so that a file there takes no installed package's place.
            sys.path.append(modules)
        try:
            # Of killed commands; DuckDB and joblib write theirs outside the project.
            resilience.remove_stale_temp(HERE.data)
            resilience.remove_stale_temp(Path(tempfile.gettempdir()), deep=False)
            with resilience.scoped_tempdir():
                result = main(*args, **kwargs)
            if name in TIMED:
                seconds = time.time() - started
                where = {"stage": name, "folder": str(Path.cwd())}
                io.append_json(where | {"started": started, "seconds": seconds}, HERE.timings)
            return result
        except KonkyoError as error:
            print(
                "\n".join([f"konkyo: {error}", *getattr(error, "__notes__", ())]), file=sys.stderr
            )
            raise SystemExit(1) from None
        except KeyboardInterrupt:
            print("\nkonkyo: interrupted", file=sys.stderr)
            raise SystemExit(INTERRUPTED) from None
        except Exception as error:
            system_error = system_errors.explain(error)
            if system_error is None:
                # Python prints the traceback after this function has ended.
                sys.excepthook = _print_redacted
                raise
            print(redact(f"konkyo: {system_error}"), file=sys.stderr)
            raise SystemExit(1) from None

    return command


def month_option(text: str | None, option: str, word: str = "") -> str:
    """Return a month of the command line as YYYY-MM, in whichever form it is written.

    `word` is what the option takes besides, for the message alone.

    Raises
    ------
    ParamsError
        It has no one reading as a month.
    """
    try:
        return dates.label(date_text.period_end(text))
    except ValueError:
        raise ParamsError(
            f"--{option} is {text!r}: write {word and f'{word} or '}a month as {date_text.FORMS}, "
            f"such as --{option} 2018-01"
        ) from None


def _print_redacted(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print the traceback of an error that ends the process, without credentials."""
    text = "".join(traceback.format_exception(kind, error, trace))
    print(redact(text), end="", file=sys.stderr)
