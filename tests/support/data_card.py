"""The columns of the user's tables as docs/data.md and the data card show them."""

from konkyo.data.columns import Kind, table_of
from konkyo.data.ratios import table
from konkyo.data.rules import FURTHER

_FORMULAS = {
    "ingredient": "`{}`, where it is missing",
    "change_3": "`{}` less that of three months before",
    "standardised_36": "(`{}` - mean) / standard deviation, of 36 months",
    "ohlson": "a score of `{}`, as a probability",
}


def markdown(kind: Kind) -> str:
    """Return a kind's columns and rules as the data card shows them.

    Returns
    -------
    str
        A table of Markdown, one line a column, then the rules of rows.
    """
    schema = table_of(kind)
    lines = [
        "| column | needed | type, unit, limits | meaning | may be empty |",
        "|---|---|---|---|---|",
    ]
    for name, column in schema.columns.items():
        held = {"number": "number", "code": "text", "text": "text"}.get(column.holds, "date")
        limits = [rule.title for rule in column.rules]
        held = ", ".join(part for part in (held, column.unit, *limits) if part)
        shown = name if name == FURTHER else f"`{name}`"
        needed, empty = _yes(column.needed), _yes(column.empty)
        lines.append(f"| {shown} | {needed} | {held} | {column.means} | {empty} |")
    rules = "; ".join([*(rule.title for rule in schema.rules), "numbers are finite"])
    return "\n".join([*lines, "", f"{schema.means} Rules: {rules}.", ""])


def ratios_markdown() -> str:
    """Return the ratios as a table of Markdown, as docs/data.md shows them.

    Returns
    -------
    str
        One line a ratio: name, formula, unit, whether figure 13 has it, meaning.
    """
    lines = ["| name | formula | unit | figure 13 | meaning |", "|---|---|---|---|---|"]
    for row in table().itertuples(index=False):
        parts = [part for part in (row.numerator, row.denominator) if part]
        formula = " / ".join(f"({part})" if " " in part else part for part in parts)
        if len(parts) == 1:
            formula = parts[0]
        formula = _FORMULAS.get(row.kind, "`{}`").format(formula)
        cells = (f"`{row.name}`", formula, row.unit, row.figure_13, row.meaning)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _yes(said: bool) -> str:
    return "yes" if said else "no"
