"""One thin script a stage: read params, call pure functions, write outputs."""

import sys
import tempfile
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, TypeVar

from konkyo import resilience
from konkyo.artifacts import HERE
from konkyo.errors import INTERRUPTED, KonkyoError, redact
from konkyo.pipeline import system_errors

Given = ParamSpec("Given")
Result = TypeVar("Result")


def stage(main: Callable[Given, Result]) -> Callable[Given, Result]:
    """Let an error that can be mended or an interrupt end the process with one message.

    These are every `KonkyoError` and what `trouble` knows of the machine; any other error is a
    fault of this program and keeps its traceback.

    Parameters
    ----------
    main : callable
        A stage's function. Its arguments and its result are passed through.

    Raises
    ------
    SystemExit
        1 after an error that can be mended, 130 after an interrupt; the message is on standard
        error. Any other error is a defect: it goes on, and if it ends the process its traceback,
        which may tell an address, is printed without credentials.
    """

    @wraps(main)
    def guarded(*arguments: Given.args, **named: Given.kwargs) -> Result:
        try:
            # What killed runs left half-written goes; large rows are kept outside the project.
            resilience.remove_stale_temp(HERE.data)
            resilience.remove_stale_temp(Path(tempfile.gettempdir()), deep=False)
            with resilience.scoped_tempdir():
                return main(*arguments, **named)
        except KonkyoError as error:
            print(
                "\n".join([f"konkyo: {error}", *getattr(error, "__notes__", ())]), file=sys.stderr
            )
            raise SystemExit(1) from None
        except KeyboardInterrupt:
            print("\nkonkyo: interrupted", file=sys.stderr)
            raise SystemExit(INTERRUPTED) from None
        except Exception as error:
            known = system_errors.named(error)
            if known is None:
                sys.excepthook = _print
                raise
            print(redact(f"konkyo: {known}"), file=sys.stderr)
            raise SystemExit(1) from None

    return guarded


def _print(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the traceback of an error that ends the process, without credentials."""
    text = "".join(traceback.format_exception(kind, error, trace))
    print(redact(text), end="", file=sys.stderr)
