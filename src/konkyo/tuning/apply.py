"""The winner's values in params.yaml, where `dvc repro` and `dvc params diff` see them."""

import difflib
import io
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.error import YAMLError

from konkyo import config
from konkyo.io import atomic_write


def apply(text: str, settings: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text of params.yaml with some values changed, everything else as it was.

    Parameters
    ----------
    text : str
        params.yaml.
    settings : mapping
        Plain values by section and key; lists as tuples.

    Returns
    -------
    str
        With its comments, and with its layout unless a value to change spans lines.
    """
    yaml = _yaml()
    parsed = yaml.load(text)
    lines = text.splitlines(keepends=True)
    for section, values in settings.items():
        for key, value in values.items():
            node = _node(value)
            if parsed[section][key] != node:
                line, column = parsed[section].lc.value(key)
                lines[line] = lines[line][:column] + _replaced(lines[line][column:], node)
                parsed[section][key] = node
    after = "".join(lines)
    with suppress(YAMLError):
        if yaml.load(after) == parsed:
            return after
    stream = io.StringIO()
    yaml.dump(parsed, stream)
    return stream.getvalue()


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


def _replaced(rest: str, value: Any) -> str:
    """Return the rest of a line with its first value replaced and its comment in its column."""
    old = rest.split(" #")[0].rstrip()
    comment = rest[len(old) :]
    new = _text(value)
    if "#" in comment:
        gap = len(comment) - len(comment.lstrip(" "))
        room = len(old) + gap - len(new)
        return new + " " * max(room, 1) + comment.lstrip(" ")
    return new + comment


def _text(value: Any) -> str:
    """Return a value as YAML, on one line."""
    stream = io.StringIO()
    _yaml().dump({"value": value}, stream)
    return stream.getvalue().removeprefix("value: ").rstrip("\n")


def _yaml() -> YAML:
    """Return the reader and writer that keeps comments and does not break lines."""
    yaml = YAML(typ="rt")
    yaml.width = 4096
    return yaml


def _node(value: Any) -> Any:
    """Return a value as it is to be written, a tuple in brackets."""
    if not isinstance(value, tuple):
        return value
    sequence = CommentedSeq(value)
    sequence.fa.set_flow_style()
    return sequence
