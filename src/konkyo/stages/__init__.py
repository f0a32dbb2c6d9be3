"""One thin script a stage: read params, call pure functions, write outputs."""

import sys
import traceback
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import ParamSpec, TypeVar

from konkyo.errors import INTERRUPTED, KonkyoError, without_secrets

Given = ParamSpec("Given")
Result = TypeVar("Result")


def stage(main: Callable[Given, Result]) -> Callable[Given, Result]:
    """Let a `KonkyoError` or an interrupt end the process with one message, not a traceback.

    Parameters
    ----------
    main : callable
        A stage's function. Its arguments and its result are passed through.

    Raises
    ------
    SystemExit
        1 after a `KonkyoError`, 130 after an interrupt; the message is on standard error. Any
        other error is a defect: it goes on, and if it ends the process its traceback, which may
        tell an address, is printed without credentials.
    """

    @wraps(main)
    def guarded(*arguments: Given.args, **named: Given.kwargs) -> Result:
        try:
            return main(*arguments, **named)
        except KonkyoError as error:
            print(f"konkyo: {error}", file=sys.stderr)
            raise SystemExit(1) from None
        except KeyboardInterrupt:
            print("\nkonkyo: interrupted", file=sys.stderr)
            raise SystemExit(INTERRUPTED) from None
        except Exception:
            sys.excepthook = _print
            raise

    return guarded


def _print(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the traceback of an error that ends the process, without credentials."""
    text = "".join(traceback.format_exception(kind, error, trace))
    print(without_secrets(text), end="", file=sys.stderr)
