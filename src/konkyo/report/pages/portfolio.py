"""The section on portfolios: three sentences first, then its tables."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from konkyo.backtesting.scores import NETWORK
from konkyo.dates import label
from konkyo.i18n import LANGUAGES, Text
from konkyo.report.pages.html import Table
from konkyo.report.tables.stocks import ABSORBED

PERFORMANCE = {
    "gross_return": ".1f",
    "annual_return": ".1f",
    "annual_volatility": ".1f",
    "sharpe_ratio": ".2f",
    "sharpe_low": ".2f",
    "sharpe_high": ".2f",
    "max_drawdown": ".1f",
    "alpha": ".1f",
    "alpha_t": ".1f",
    "turnover": ".0f",
    "active_return": ".1f",
    "tracking_error": ".1f",
    "information_ratio": ".2f",
    "months": ".0f",
}
"""Columns of the table, fractions in per cent, and their formats."""
_RATIOS = ("sharpe_ratio", "sharpe_low", "sharpe_high", "alpha_t", "information_ratio", "months")
MOST_NAMED = 5


def main_row(performance: pd.DataFrame, model: str = NETWORK) -> pd.Series | None:
    """Return a model's row of the portfolio of params.yaml, None where it has none."""
    rows = performance[performance["main"] & (performance["model"] == model)]
    return rows.iloc[0] if len(rows) else None


def headline(tables: Mapping[str, pd.DataFrame], names: Mapping[str, Text]) -> list[Text]:
    """Return the page's first sentences: the result, what earned it, the placebo, the promises.

    Parameters
    ----------
    tables : mapping
        What `backtest.portfolio_tables` returns.
    names : mapping
        Text of each input and group.
    """
    performance = tables["portfolio_performance"]
    main = main_row(performance)
    if main is None:
        return []
    figures = {
        "portfolio": Text.of_name("portfolio", main["portfolio"]),
        "sharpe": _number(main["sharpe_ratio"], ".2f"),
        "low": _number(main["sharpe_low"], ".2f"),
        "high": _number(main["sharpe_high"], ".2f"),
        "alpha": _number(100 * main["alpha"], ".1f"),
        "t": _number(main["alpha_t"], ".1f"),
        "factors": _factors(tables["factor_regression"]),
    }
    sentences = [Text.of("report.portfolio.result", **figures), _earned(tables, main, names)]
    placebo = main_row(performance, "placebo")
    if placebo is None:
        sentences.append(Text.of("report.portfolio.no_placebo"))
    else:
        sentences.append(
            Text.of(
                "report.portfolio.placebo",
                sharpe=_number(placebo["sharpe_ratio"], ".2f"),
                t=_number(placebo["alpha_t"], ".1f"),
                months=int(placebo["months"]),
            )
        )
    return [*sentences, *promises(tables["promise"], names)]


def promises(promise: pd.DataFrame, names: Mapping[str, Text]) -> list[Text]:
    """Return the sentence on the inputs that promise and do not deliver, none where all do."""
    broken = promise[~promise["delivers"].astype(bool)]
    if broken.empty:
        return []
    listed = {
        language: (", " if language == "en" else "、").join(
            f"{names[row.feature][language] if row.feature in names else row.feature} "
            f"({100 * row.annual:+.1f})"
            for row in broken.head(MOST_NAMED).itertuples()
        )
        for language in LANGUAGES
    }
    inputs = Text(listed["en"], listed["ja"])
    return [Text.of("report.portfolio.promise", count=len(broken), inputs=inputs)]


def _earned(tables: Mapping[str, pd.DataFrame], main: pd.Series, names: Mapping[str, Text]) -> Text:
    """Return what each group earned: of the portfolio itself, else of the equal-weighted one."""
    groups = tables["return_attribution_summary"]
    groups = groups[groups["kind"] == "group"]
    portfolio = main["portfolio"]
    # Of a portfolio of quantiles other than the published one there is no exact attribution.
    if portfolio not in ("equal_weighted", "score_weighted"):
        portfolio = "equal_weighted"
    part = groups[(groups["portfolio"] == portfolio) & (groups["annual"] != 0)]
    part = part.sort_values("annual", ascending=False)
    listed = {
        language: (", " if language == "en" else "、").join(
            f"{names[name][language]} {100 * value:+.1f}"
            for name, value in zip(part["feature"], part["annual"], strict=True)
        )
        for language in LANGUAGES
    }
    return Text.of(
        "report.portfolio.earned",
        portfolio=Text.of_name("portfolio", portfolio),
        total=f"{100 * part['annual'].sum():.1f}",
        groups=Text(listed["en"], listed["ja"]),
    )


def section_tables(
    tables: Mapping[str, pd.DataFrame], names: Mapping[str, Text]
) -> dict[str, Table]:
    """Return the tables of the section by name."""
    performance = tables["portfolio_performance"]
    per_cent = [name for name in PERFORMANCE if name not in _RATIOS]
    performance = performance.assign(
        model=[Text.of_name("model", str(name)) for name in performance["model"]],
        portfolio=[Text.of_name("portfolio", str(name)) for name in performance["portfolio"]],
        **{name: 100 * performance[name] for name in per_cent},
    )
    lines = tables["factor_regression"]
    lines = lines.assign(portfolio=[Text.of_name("portfolio", str(n)) for n in lines["portfolio"]])
    inputs = tables["promise"].assign(
        label=lambda rows: [names.get(name, Text.same(name)) for name in rows["feature"]],
        annual=lambda rows: 100 * rows["annual"],
        verdict=lambda rows: ["" if good else "\u25b2" for good in rows["delivers"]],
    )
    falls = tables["drawdowns"].assign(depth=lambda rows: 100 * rows["depth"])
    falls = falls.assign(
        **{
            name: [_month(value) for value in falls[name]]
            for name in ("peak", "trough", "recovery")
        }
    )
    years = tables["periods"].assign(
        **{name: 100 * tables["periods"][name] for name in ("return", "max_drawdown")}
    )
    return {
        "portfolios": _table(performance, ["model", "portfolio"], PERFORMANCE),
        "regression": _table(lines, ["portfolio", "factor"], {"coefficient": "+.3f", "t": "+.1f"}),
        "inputs": _table(
            inputs, ["label", "verdict"], {"promise": "+.4f", "annual": "+.2f", "t": "+.1f"}
        ),
        "drawdowns": _table(
            falls, ["peak", "trough", "recovery"], {"depth": ".1f", "months": ".0f"}
        ),
        "periods": _table(
            years,
            ["period"],
            {"return": "+.1f", "sharpe_ratio": ".2f", "max_drawdown": ".1f", "months": ".0f"},
        ),
    }


def _table(frame: pd.DataFrame, words: list[str], forms: Mapping[str, str]) -> Table:
    heads = {name: Text.of_name("report.portfolio.column", name) for name in [*words, *forms]}
    return Table.of(frame, heads, forms)


def _month(value: Any) -> str:
    return "\u2013" if pd.isna(value) else label(pd.Timestamp(value))


def _number(value: float, form: str) -> str:
    return "\u2013" if pd.isna(value) else format(value, form)


def _factors(regression: pd.DataFrame) -> Text:
    names = [str(name) for name in regression["factor"].unique()[1:]]
    translated = {
        language: ", ".join(Text.of_name("portfolio", name)[language] for name in names)
        for language in LANGUAGES
    }
    return Text(translated["en"], translated["ja"])


def group_names(labels: pd.DataFrame) -> dict[str, Text]:
    """Return the text of each input and group, "absorbed" among them."""
    names = {
        row["feature"]: Text(row["en"], row["ja"])
        for row in labels[["feature", "en", "ja"]].to_dict("records")
    }
    return names | {ABSORBED: names.get(ABSORBED, Text.same(ABSORBED))}
