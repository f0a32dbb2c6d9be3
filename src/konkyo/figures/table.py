"""The performance table as Markdown."""

import pandas as pd

_HEADINGS = {
    "model": "model",
    "portfolio": "portfolio",
    "annual_return": "return a year, %",
    "annual_risk": "risk a year, %",
    "return_risk": "return / risk",
    "max_drawdown": "maximum drawdown, %",
    "hit_rate": "months above 0, %",
    "months": "months",
}
_PERCENT = ("annual_return", "annual_risk", "max_drawdown", "hit_rate")


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
    rows = ["| " + " | ".join(_HEADINGS.values()) + " |"]
    rows.append("|" + "|".join(" --- " if i < 2 else " ---: " for i in range(len(_HEADINGS))) + "|")
    for record in performance[list(_HEADINGS)].to_dict("records"):
        cells = (_cell(str(name), value) for name, value in record.items())
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def _cell(name: str, value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    if pd.isna(value):
        return "-"
    return f"{100 * value:.1f}" if name in _PERCENT else f"{value:.2f}"
