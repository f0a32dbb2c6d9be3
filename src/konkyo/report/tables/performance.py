"""The performance table (the paper's figure 7): its columns, their formats, and it as Markdown."""

import pandas as pd

from konkyo.i18n import t

FORMS = {
    "annual_return": ".1f",
    "annual_return_arithmetic": ".1f",
    "annual_volatility": ".1f",
    "return_risk_ratio": ".2f",
    "sharpe_ratio": ".2f",
    "max_drawdown": ".1f",
    "hit_rate": ".1f",
    "months": ".0f",
}
COLUMNS = ("model", "portfolio", *FORMS)


def in_per_cent(performance: pd.DataFrame) -> pd.DataFrame:
    """Return the table with its fractions in per cent."""
    fractions = [
        *("annual_return", "annual_return_arithmetic", "annual_volatility"),
        *("max_drawdown", "hit_rate"),
    ]
    return performance.assign(**{name: 100 * performance[name] for name in fractions})


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
    lines = [[t(f"performance.{name}", "en") for name in COLUMNS]]
    lines.append(["---"] * 2 + ["---:"] * len(FORMS))
    for row in in_per_cent(performance).to_dict("records"):
        measures = [
            "–" if pd.isna(row[key]) else format(row[key], form) for key, form in FORMS.items()
        ]
        lines.append([str(row["model"]), str(row["portfolio"]), *measures])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
