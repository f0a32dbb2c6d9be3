"""params.yaml as hypothesis spoils it: values, keys, types and YAML itself."""

import copy
import dataclasses
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st
from ruamel.yaml import YAML

from konkyo import config
from konkyo.errors import ParamsError
from small import PARAMS

TEXT = PARAMS.read_text(encoding="utf-8")
VALUES = config.as_dict(config.load(PARAMS))


def _paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return where every value of nested dictionaries and lists is."""
    found = [at] if at else []
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        found += [path for key, inner in items for path in _paths(inner, (*at, key))]
    return found


PATHS = _paths(VALUES)

_texts = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        (
            "",
            "newest",
            "2020-01",
            "2020-13",
            "0000-01",
            "9999-12",
            "tables",
            "rank",
            "\x00",
            "\ud800",
            "../..",
            "1e3",
            "null",
            "true",
            "é",
            "日本",
            "sqlite:///x.db",
            "x" * 5000,
        )
    ),
)
_plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from((0, 1, -1, 2**31, 2**63, 2**64, 10**30)),
    st.floats(),
    _texts,
)
_values = st.recursive(
    _plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(_texts, st.integers(), st.none()), inner, max_size=3),
    ),
    max_leaves=5,
)


@st.composite
def spoilt_values(draw: st.DrawFn) -> Any:
    """Return the project's params with some values replaced, left out, added or moved."""
    if draw(st.integers(0, 29)) == 0:
        return draw(_values)
    values = copy.deepcopy(VALUES)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(PATHS))
        inside: Any = values
        try:
            for key in path[:-1]:
                inside = inside[key]
            old = inside[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue
        if not isinstance(inside, dict | list):
            continue
        how = draw(st.sampled_from(("replace", "replace", "near", "remove", "add", "swap")))
        if how == "remove":
            del inside[path[-1]]
        elif how == "add" and isinstance(inside, dict):
            inside[draw(_texts)] = draw(_values)
        elif how == "near" and isinstance(old, int | float) and not isinstance(old, bool):
            inside[path[-1]] = draw(st.sampled_from((old + 1, old - 1, -old, old * 2, float(old))))
        elif how == "swap":
            other: Any = VALUES
            for key in draw(st.sampled_from(PATHS)):
                other = other[key]
            inside[path[-1]] = copy.deepcopy(other)
        else:
            inside[path[-1]] = draw(_values)
    return values


def values_are_params_or_refused(values: Any) -> str:
    """Parse values: what is accepted is what was given, everything else one `ParamsError`."""
    try:
        found = config.parse(values)
    except ParamsError as error:
        assert str(error).strip()
        return "refused"
    again = config.as_dict(found)
    assert config.parse(again) == found
    # Nothing is converted on the way but the lists' own type and whole numbers among fractions.
    assert json.loads(json.dumps(again)) == with_defaults(json.loads(json.dumps(values)), found)
    return "accepted"


def with_defaults(values: dict[str, Any], section: Any) -> dict[str, Any]:
    """Fill in the keys of a section, and of those in it, that may be left out."""
    for field in dataclasses.fields(section):
        part = getattr(section, field.name)
        if field.name not in values:
            assert field.kw_only and part == _default(field)
            values[field.name] = list(part) if isinstance(part, tuple) else part
        elif dataclasses.is_dataclass(part):
            with_defaults(values[field.name], part)
        elif isinstance(part, tuple):
            for value, one in zip(values[field.name], part, strict=True):
                if dataclasses.is_dataclass(one):
                    with_defaults(value, one)
    return values


def _default(field: dataclasses.Field) -> Any:
    factory = field.default_factory
    return field.default if factory is dataclasses.MISSING else factory()


_SPOILS = (
    b"&a [*a]",
    b"*unknown",
    b"!!python/object/apply:os.system ['true']",
    b"!!binary aGk=",
    b"!!set {a}",
    b"!!timestamp 2020-01-01",
    b"2020-01-01",
    b".inf",
    b".nan",
    b"0o17",
    b"0x1F",
    b"1_000",
    b"12:30:45",
    b"<<: *x",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\t",
    b"---\n",
    b"...\n",
    b"%YAML 9.9\n",
    b"? a\n: b\n",
    b"|\n  x\n",
    b"\xff\xfe",
    b"\x00",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\x85",
    b"'",
    b'"',
    b"#",
    b"- ",
    b": ",
    b"\\ud800",
    b'"\\ud800"',
    b"[" * 500,
    b"{a: " * 500,
    b"~",
    b"yes",
    b"9" * 5000,
    b"1e999",
    b"!!int abc",
    b"!!float x",
    b"!!null x",
    b"!!bool maybe",
    b"!x y",
    b"&a b",
    b"[a, [b, &c {d: *c}]]",
    b"{? {a: b} : c}",
    b"\xe2\x80\xa8",
)


@st.composite
def spoilt_yaml(draw: st.DrawFn) -> bytes:
    """Return the bytes of a params.yaml with some of them replaced, left out or added."""
    if draw(st.integers(0, 9)) == 0:
        stream = io.StringIO()
        YAML(typ="safe", pure=True).dump(VALUES, stream)
        text = stream.getvalue().encode()
    else:
        text = TEXT.encode()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        if draw(st.booleans()):
            # The place of a value: behind a colon.
            at = text.find(b": ", at) + 2
        gone = draw(st.sampled_from((0, 0, 1, 2, 10, 100000)))
        put = draw(st.one_of(st.sampled_from(_SPOILS), st.binary(max_size=5)))
        text = text[:at] + put + text[at + gone :]
    return text


def yaml_is_params_or_refused(text: bytes) -> str:
    """Load a file of these bytes: `Params` or one `ParamsError`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "params.yaml"
        path.write_bytes(text)
        try:
            found = config.load(path)
        except ParamsError as error:
            assert str(error).strip()
            return "refused"
    assert config.parse(config.as_dict(found)) == found
    return "accepted"
