"""One thin script a stage: read params, call pure functions, write outputs."""

import sys
import tempfile
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from konkyo import files
from konkyo.errors import INTERRUPTED, KonkyoError
from konkyo.stages import trouble

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
        error.
    """

    @wraps(main)
    def guarded(*arguments: Given.args, **named: Given.kwargs) -> Result:
        try:
            # What killed runs left half-written goes; large rows are kept outside the project.
            files.sweep(Path("data"))
            files.sweep(Path(tempfile.gettempdir()), deep=False)
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
            known = trouble.named(error)
            if known is None:
                raise
            print(f"konkyo: {known}", file=sys.stderr)
            raise SystemExit(1) from None

    return guarded
