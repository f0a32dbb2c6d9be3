"""What the portfolios hold besides scores: sectors, and the inputs that turn them over."""

import altair as alt
import pandas as pd

from konkyo.dates import label
from konkyo.i18n import Language, t
from konkyo.report.charts.shapes import paired_bars, row_names
from konkyo.report.charts.theme import titled
from konkyo.report.tables.figure_data import largest, mean_turnover
from konkyo.report.tables.labels import feature_names, sector_name

BARS = 20
FEATURES = 20


def exposure_bars(
    exposure: pd.DataFrame,
    labels: pd.DataFrame,
    language: Language = "en",
    month: pd.Timestamp | None = None,
    most: int = BARS,
) -> alt.LayerChart:
    """Return the sectors of the long and the short portfolio.

    Parameters
    ----------
    exposure : DataFrame
        What `tables.exposure.exposure` returns, with sectors.
    labels : DataFrame
        feature, en, ja: a sector is called as its dummy is.
    language : str
        en or ja.
    month : Timestamp, optional
        A decision month; by default the mean of all months.
    most : int
        At most so many sectors, by absolute difference.

    Returns
    -------
    LayerChart
        Two bars a sector, in per cent of the portfolio's stocks; by difference.
    """
    shares = sector_shares(exposure, month, most)
    names = feature_names(labels, language)
    heads = [sector_name(name, names, language) for name in shares["name"]]
    sides = {side: t(f"portfolio.{side}", language) for side in ("long", "short")}
    x = alt.X("value:Q", title=t("axis.share_of_stocks", language), axis=alt.Axis(format=".0%"))
    when = t("legend.all_months", language) if month is None else label(month)
    chart = paired_bars(shares, heads, sides, x=x, digits=".1%")
    return titled(chart, t("title.exposure_bars", language, when=when))


def sector_shares(exposure: pd.DataFrame, month: pd.Timestamp | None, most: int) -> pd.DataFrame:
    """Return name, long, short, difference of the sectors, the most overweighted first."""
    sector_rows = exposure[exposure["kind"] == "sector"]
    months = sector_rows["month"].nunique()
    if month is not None:
        sector_rows, months = sector_rows[sector_rows["month"] == month], 1
    # A sector that a month does not have counts with a share of 0.
    sums = sector_rows.groupby("name", sort=False)[["long", "short", "difference"]].sum() / months
    top = largest(sums.reset_index(), "difference", most)
    return top.sort_values("difference", ascending=False, kind="stable", ignore_index=True)


def relevance_turnover_bars(
    turnover: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", most: int = FEATURES
) -> alt.LayerChart:
    """Return the turnover due to changes of each input's relevance.

    Parameters
    ----------
    turnover : DataFrame
        What `tables.exposure.relevance_turnover` returns: month, side, feature, turnover (a
        fraction of the portfolio a month, one way).
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.
    most : int
        At most so many inputs with bars of their own.

    Returns
    -------
    LayerChart
        Two bars an input, in per cent a month. The legend has the portfolios' total turnover,
        which is the bars and what the note says of the other inputs.
    """
    table, rest = mean_turnover(turnover, most)
    sides = {}
    for side in ("long", "short"):
        total = 100 * (table[side].sum() + rest[side])
        sides[side] = f"{t(f'portfolio.{side}', language)}: {total:.1f}%"
    bars = table[(table[["long", "short"]] != 0).any(axis=1)]
    names = row_names(bars["feature"].tolist(), labels, language)
    x = alt.X("value:Q", title=t("axis.turnover", language), axis=alt.Axis(format="~%"))
    shares = {side: 100 * rest[side] for side in ("long", "short")}
    note = t("note.turnover", language, count=rest["count"], **shares) if rest["count"] else ""
    chart = paired_bars(bars, names, sides, x=x, digits=".2%")
    return titled(chart, t("title.relevance_turnover", language), note)
