"""What a cell means: SQL of days, numbers, text and codes, the same for every layout and file.

Text is read by macros (`define`), values of typed files by their types; a cell has one reading or
none, and one that has none is not missing but listed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import duckdb
import pandas as pd

from konkyo.config.tables import TextFormat
from konkyo.data.violations import Note
from konkyo.date_text import DAYS, MONTHS, YEARS

CellKind = Literal["code", "text", "number", "day", "moment", "period", "month"]
"""What a column holds. A moment is a day with its time; a period is a day, or a month, of which its
last day stands for it; a month is the last day of either."""

MISSING = ("", "na", "n/a", "#n/a", "nan", "null", "none", "<na>")
"""What a number or a day may hold, in small or capital letters, to say that there is none. Codes,
sectors and other names may be called so: there, only an empty field is missing."""

WORDS = {
    "number": "a number",
    "day": "a date",
    "moment": "a date",
    "period": "a date or month",
    "month": "a month",
}
REMEDIES = {
    "number": "write numbers with a decimal point and no other mark (none of per cent), or say in "
    "`decimal` how they are written; leave missing ones empty, or say in `missing_values` what "
    'stands for them; leave out columns of text: map them to ""',
    "month": "write YYYY-MM, YYYY-MM-DD, YYYYMM, YYYYMMDD or YYYY/MM/DD, of a year from "
    f"{YEARS[0]} to {YEARS[1]}, or say in `date_format` how months are written",
    "day": f"write YYYY-MM-DD, YYYYMMDD or YYYY/MM/DD, of a year from {YEARS[0]} to {YEARS[1]}, or "
    "say in `date_format` how days are written",
}
REMEDIES |= {"moment": REMEDIES["day"], "period": REMEDIES["month"]}


@dataclass(frozen=True, eq=False)
class ParsedTable:
    """A table in memory.

    Attributes
    ----------
    file : str
        The file or files, for messages.
    frame : DataFrame, shape [rows, columns]
        Under this project's names in the order of the file: days as datetime64, text as str,
        numbers as float64; missing where there was no value and where it could not be read.
    names : mapping of str to str
        The file's own name of each column that has another name here.
    unread : mapping of str to Series, shape [rows]
        Of each column with cells that could not be read: their text, missing elsewhere.
    kinds : mapping of str to CellKind
        What the columns of `unread` should hold.
    notes : tuple of Note
        What was assumed of the rows, and how many were left out.
    first_row : int
        The number of the first row in the file, of a chunk; 1 is the first one below the header.
    """

    file: str
    frame: pd.DataFrame
    names: Mapping[str, str] = field(default_factory=dict)
    unread: Mapping[str, pd.Series] = field(default_factory=dict)
    kinds: Mapping[str, CellKind] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    first_row: int = 1

    def with_frame(self, frame: pd.DataFrame) -> "ParsedTable":
        """Return the table with other columns or values."""
        return replace(self, frame=frame)


_BLANKS = " \t\r\n\u00a0\u3000"
_WIDE, _NARROW = "０１２３４５６７８９．，（）＋－−△▲", "0123456789.,()+----"
"""As accounts in Japanese write numbers: 1,234 below zero is △1,234."""

_GROUPED = {
    ".": ("[-+]?\\d{1,3}([,' \u00a0\u202f]\\d{3})+(\\.\\d*)?", "[,' \u00a0\u202f]"),
    ",": ("[-+]?\\d{1,3}([. '\u00a0\u202f]\\d{3})+(,\\d*)?", "[. '\u00a0\u202f]"),
}
"""Of each decimal mark: a number whose thousands are set apart, and the marks that do so."""

ZONED = "TIMESTAMP WITH TIME ZONE"
_NUMBERS = (
    "DOUBLE", "FLOAT", "DECIMAL", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT",
    "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "BOOLEAN",
)  # fmt: skip


def define(connection: duckdb.DuckDBPyConnection, spec: TextFormat) -> None:
    """Define the macros that read text, as params.yaml says that it is written.

    `bare` is a text without blanks around it, `is_missing` and `is_sentinel` say whether a text or
    a number stands for no value; `number_of`, `day_of`, `period_of` and `moment_of` are NULL where
    a text is none.
    """
    words = [
        value.lower() if isinstance(value, str) else f"{value:g}" for value in spec.missing_values
    ]
    numbers = [float(v) for v in spec.missing_values if not isinstance(v, str) or _is_number(v)]
    sentinel = f"x IN ({', '.join(map(repr, numbers))})" if numbers else "false"
    bodies = {
        "bare(t)": f"trim(t, {literal(_BLANKS)})",
        "is_named(t)": f"lower(bare(t)) IN ({_list(['', *words])})",
        "is_missing(t)": f"lower(bare(t)) IN ({_list([*MISSING, *words])})",
        "is_sentinel(x)": sentinel,
        # DuckDB reads 1_000 as a thousand.
        "cast_of(t)": "CASE WHEN NOT contains(t, '_') THEN TRY_CAST(t AS DOUBLE) END",
        "pointed(t)": _pointed(spec.decimal),
        "signed(t)": r"CASE WHEN regexp_full_match(t, '\([^-+()].*\)') "
        "THEN -cast_of(pointed(t[2:-2])) ELSE cast_of(pointed(t)) END",
        "number_of(t)": "CASE WHEN is_missing(t) THEN NULL "
        f"ELSE signed(translate(bare(t), {literal(_WIDE)}, {literal(_NARROW)})) END",
        "clean(x)": "nullif(CASE WHEN NOT is_sentinel(x) THEN x END, CAST('nan' AS DOUBLE))",
        "date_of(d)": f"CASE WHEN d BETWEEN DATE '{YEARS[0]}-01-01' AND DATE '{YEARS[1]}-12-31' "
        "THEN d END",
        "day_of(t)": f"date_of({_day(spec.date_format)})",
        "moment_of(t)": "coalesce(day_of(t) + TRY_CAST(nullif(regexp_extract(bare(t), "
        r"'[ T](\d{2}:\d{2}(:\d{2})?)', 1), '') AS TIME), CAST(day_of(t) AS TIMESTAMP))",
        "period_of(t)": "day_of(t)",
    }
    if spec.decimal != ",":
        # Most cells are plain, and a CASE, unlike coalesce, looks no further at these.
        bodies["number_of(t)"] = (
            f"CASE WHEN cast_of(t) IS NOT NULL THEN cast_of(t) ELSE {bodies['number_of(t)']} END"
        )
    if spec.date_format:
        bodies["moment_of(t)"] = (
            f"CASE WHEN day_of(t) IS NOT NULL THEN {_formatted(spec.date_format)} END"
        )
        if not any(mark in spec.date_format for mark in ("%d", "%j")):
            bodies["period_of(t)"] = "last_day(day_of(t))"
    else:
        month = _iso(MONTHS, r"\1-\2-01")
        bodies["period_of(t)"] = f"coalesce(day_of(t), date_of(last_day({month})))"
    for name, body in bodies.items():
        connection.execute(f"CREATE OR REPLACE TEMP MACRO {name} AS {body}")


def _pointed(decimal: str) -> str:
    """Return the SQL of a number's text with a decimal point and no other mark."""
    if not decimal:
        return "t"
    form, marks = _GROUPED[decimal]
    plain = r"[-+]?\d*,?\d*([eE][-+]?\d+)?" if decimal == "," else r"[^,]*"
    text = (
        f"CASE WHEN regexp_full_match(t, {literal(form)}) "
        f"THEN regexp_replace(t, {literal(marks)}, '', 'g') "
        f"WHEN regexp_full_match(t, {literal(plain)}) THEN t END"
    )
    return f"replace({text}, ',', '.')" if decimal == "," else text


_PARTS = r"\1-\2-\3"


def _formatted(form: str) -> str:
    return f"TRY_STRPTIME(bare(t), {literal(form)})"


def _day(form: str) -> str:
    if form:
        return f"CAST({_formatted(form)} AS DATE)"
    plain = r"regexp_full_match(t, '\d{4}-\d{2}-\d{2}')"
    return f"CASE WHEN {plain} THEN TRY_CAST(t AS DATE) ELSE {_iso(DAYS, _PARTS)} END"


def _iso(forms: Sequence[str], parts: str) -> str:
    cases = " ".join(
        f"WHEN regexp_full_match(bare(t), {literal(form)}) "
        f"THEN TRY_CAST(regexp_replace(bare(t), {literal(form)}, {literal(parts)}) AS DATE)"
        for form in forms
    )
    return f"CASE {cases} END"


def value(kind: CellKind, raw: str, held: str) -> str:
    """Return the SQL of a typed value, NULL where there is none and where it cannot be read.

    Parameters
    ----------
    kind : CellKind
        What the column holds.
    raw : str
        The SQL of a cell.
    held : str
        Its type as DuckDB names it, with the name of the time zone where it has one.
    """
    text = text_of(raw, held)
    if kind == "code":
        return f"nullif(bare({text}), '')"
    if kind == "text":
        return f"CASE WHEN NOT is_named({text}) THEN bare({text}) END"
    if kind == "number":
        if holds_numbers(held):
            number = f"TRY_CAST({raw} AS DOUBLE)"
        elif _holds_text(held):
            number = f"number_of({text})"
        else:
            return "CAST(NULL AS DOUBLE)"
        return f"clean({number})"
    if held == "DATE" or held.startswith("TIMESTAMP"):
        moment = _local(raw, held)
        if kind == "moment":
            inside = f"date_of(CAST({moment} AS DATE)) IS NOT NULL"
            return f"CASE WHEN {inside} THEN CAST({moment} AS TIMESTAMP) END"
        day = f"date_of(CAST({moment} AS DATE))"
    elif held == "BOOLEAN":
        day = "CAST(NULL AS DATE)"
    else:
        written = "moment" if kind == "moment" else "day" if kind == "day" else "period"
        day = f"CASE WHEN NOT is_missing({text}) THEN {written}_of({text}) END"
    return f"last_day({day})" if kind == "month" else day


def unread(kind: CellKind, raw: str, held: str) -> str:
    """Return the SQL of a cell's text where there is one and it cannot be read, else NULL."""
    if not may_be_unread(kind, held):
        return "CAST(NULL AS VARCHAR)"
    text = text_of(raw, held)
    # A number that stands for a missing one can be read.
    number = kind == "number" and _holds_text(held)
    readable = f"number_of({text})" if number else value(kind, raw, held)
    return (
        f"CASE WHEN {text} IS NULL OR {readable} IS NOT NULL THEN NULL "
        f"WHEN is_missing({text}) THEN NULL ELSE {text} END"
    )


def may_be_unread(kind: CellKind, held: str) -> bool:
    """Return whether a column of this type may hold a value that is none of its kind."""
    if kind in ("code", "text"):
        return False
    return kind != "number" or not holds_numbers(held)


def text_of(raw: str, held: str) -> str:
    """Return the SQL of a cell as text; whole numbers beside missing ones have no decimal point."""
    if held in ("DOUBLE", "FLOAT"):
        whole = f"{raw} = round({raw}) AND abs({raw}) < 9007199254740992"
        return (
            f"CASE WHEN {whole} THEN CAST(TRY_CAST({raw} AS BIGINT) AS VARCHAR) "
            f"WHEN NOT isnan({raw}) THEN CAST({raw} AS VARCHAR) END"
        )
    return raw if held == "VARCHAR" else f"CAST({raw} AS VARCHAR)"


def holds_numbers(held: str) -> bool:
    """Return whether a type of DuckDB's is one of numbers."""
    # BIGINT[] is a list of them.
    return held.startswith(_NUMBERS) and not held.endswith("]")


def _holds_text(held: str) -> bool:
    return held in ("VARCHAR", "BLOB") or held.startswith("ENUM")


def _local(raw: str, held: str) -> str:
    """Return the SQL of a moment as the clocks of its own time zone show it."""
    zone = held.removeprefix(ZONED).strip()
    if not held.startswith(ZONED) or not zone:
        return raw
    if zone[0] not in "+-":
        return f"timezone({literal(zone)}, {raw})"
    minutes = int(f"{zone[0]}1") * (int(zone[1:3]) * 60 + int(zone[4:6] or 0))
    return f"make_timestamp(epoch_us({raw}) + {minutes * 60_000_000})"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def quoted(name: str) -> str:
    """Return a name as SQL writes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def _list(texts: Sequence[str]) -> str:
    return ", ".join(literal(text) for text in texts)
