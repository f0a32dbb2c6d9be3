"""The winner's values in params.yaml, where `dvc repro` and `dvc params diff` see them."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from konkyo import config
from konkyo.errors import ParamsError
from konkyo.io import atomic_write


def apply(text: str, settings: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text of params.yaml with some values changed, everything else as it was.

    Parameters
    ----------
    text : str
        params.yaml.
    settings : mapping
        Plain values by section and key; lists as tuples.

    Raises
    ------
    ParamsError
        A value to change does not stand on the line of its key.
    """
    before = YAML().load(text)
    lines = text.splitlines(keepends=True)
    for section, values in settings.items():
        for key, value in values.items():
            node = list(value) if isinstance(value, tuple) else value
            if before[section][key] == node:
                continue
            (line, _), (at, column) = before[section].lc.key(key), before[section].lc.value(key)
            if line != at:
                raise ParamsError(
                    f"{section}.{key} cannot be set to {node}: write its value on the line of the "
                    "key"
                )
            lines[at] = lines[at][:column] + _replaced(lines[at][column:], str(node))
    return "".join(lines)


def write(path: Path, settings: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the values into params.yaml and return the diff; the file stays valid or as it was.

    Raises
    ------
    ParamsError
        The file is not valid, before or after.
    """
    config.load(path)
    before = path.read_text(encoding="utf-8")
    after = apply(before, settings)
    with atomic_write(path) as scratch:
        scratch.write_text(after, encoding="utf-8")
        config.load(scratch)
    names = "params.yaml", "params.yaml, tuned"
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), *names, n=0, lineterm="")
    return "\n".join(lines)


def _replaced(rest: str, value: str) -> str:
    """Return the rest of a line with its value replaced and its comment in its column."""
    before, mark, comment = rest.partition(" #")
    return value.ljust(len(before)) + mark + comment if mark else value + "\n"
