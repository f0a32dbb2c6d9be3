"""The performance table (the paper's figure 7): its columns, its cells, and it as Markdown."""

import pandas as pd

from konkyo.i18n import t

COLUMNS = (
    "model",
    "portfolio",
    "annual_return",
    "annual_return_arithmetic",
    "annual_volatility",
    "return_risk_ratio",
    "sharpe_ratio",
    "max_drawdown",
    "hit_rate",
    "months",
)
PER_CENT = (
    "annual_return",
    "annual_return_arithmetic",
    "annual_volatility",
    "max_drawdown",
    "hit_rate",
)


def performance_markdown(performance: pd.DataFrame) -> str:
    """Return the performance table (the paper's figure 7) as a Markdown table.

    Parameters
    ----------
    performance : DataFrame
        model, portfolio and the measures, as fractions.

    Returns
    -------
    str
        One line a model and portfolio, fractions as per cent with one decimal, ending in a
        newline. A figure that is not defined is a dash.
    """
    rows = ["| " + " | ".join(t(f"performance.{name}", "en") for name in COLUMNS) + " |"]
    rows.append("|" + "|".join(" --- " if i < 2 else " ---: " for i in range(len(COLUMNS))) + "|")
    for record in performance[list(COLUMNS)].to_dict("records"):
        cells = (cell(str(name), value) for name, value in record.items())
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def cell(name: str, value: object) -> str:
    """Return a measure as it is written in the table."""
    if not isinstance(value, float):
        return str(value)
    if pd.isna(value):
        return "–"
    if name == "months":
        return f"{value:.0f}"
    return f"{100 * value:.1f}" if name in PER_CENT else f"{value:.2f}"
