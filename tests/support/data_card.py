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
        unit = column.metadata["unit"]
        limits = [check.title for check in column.checks if check.name != "finite"]
        held = ", ".join(part for part in (column.metadata["kind"], unit, *limits) if part)
        shown = name if name == FURTHER else f"`{name}`"
        needed, empty = _yes(column.required), _yes(column.nullable)
        lines.append(f"| {shown} | {needed} | {held} | {column.description} | {empty} |")
    rules = "; ".join([*(check.title for check in schema.checks), "numbers are finite"])
    return "\n".join([*lines, "", f"{schema.description} Rules: {rules}.", ""])


def _yes(said: bool) -> str:
    return "yes" if said else "no"
