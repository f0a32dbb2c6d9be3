"""One thin script a DVC stage: read params, call pure functions, write outputs."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

from konkyo.errors import KonkyoError

Arguments = ParamSpec("Arguments")


def stage(main: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Let a `KonkyoError` end the process with its message and exit code 1, without a traceback."""

    @wraps(main)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            main(*args, **kwargs)
        except KonkyoError as error:
            print(f"{Path(sys.argv[0]).stem}: {error}", file=sys.stderr)
            raise SystemExit(1) from None

    return guarded
