"""The columns of the user's tables as docs/data.md and the data card show them."""

from konkyo.data.columns import Kind, table_of
from konkyo.data.rules import FURTHER


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


def _yes(said: bool) -> str:
    return "yes" if said else "no"
