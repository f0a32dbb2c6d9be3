"""What the portfolios hold beside the grounds: size, sectors, and which inputs turn them over."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from konkyo.dates import label
from konkyo.i18n import Language, t
from konkyo.report.figures.fonts import apply_font
from konkyo.report.figures.style import (
    COLOURS,
    SERIES,
    despine,
    key_below,
    months_and_mean,
    new_figure,
    note,
    percent_axis,
    rows_canvas,
    suptitle,
    year_axis,
)
from konkyo.report.tables.figure_data import largest, mean_turnover
from konkyo.report.tables.labels import feature_names, sector_name

SECTORS = 5
BARS = 20
FEATURES = 20


def exposure_lines(
    exposure: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", sectors: int = SECTORS
) -> Figure:
    """Draw the portfolios' size and sectors over time.

    Parameters
    ----------
    exposure : DataFrame
        What `reading.exposure.exposure` returns: month, kind (sector | size), name, long, short,
        difference; fractions.
    labels : DataFrame
        feature, en, ja: a sector is called as its dummy is.
    language : str
        en or ja.
    sectors : int
        So many sectors, those of the largest mean absolute difference.

    Returns
    -------
    Figure
        Above, the mean size of long and short as a percentile; below, the difference between
        the shares of their stocks that belong to a sector. Thick lines are means of 12 months.
    """
    names = feature_names(labels, language)
    figure = new_figure(8.0, 6.4)
    upper, lower = figure.subplots(2, 1, sharex=True)
    size = exposure[exposure["kind"] == "size"].sort_values("month")
    despine(upper)
    for side in ("long", "short"):
        months_and_mean(
            upper, size["month"], size[side], COLOURS[side], t(f"portfolio.{side}", language)
        )
    upper.axhline(0.5, color="#666666", linewidth=0.8)
    upper.margins(x=0.01)
    percent_axis(upper, "axis.size", language)
    upper.set_ylabel(t("axis.size", language), fontsize=9)
    upper.legend(frameon=False, fontsize=9, loc="best", ncols=2)
    despine(lower)
    for colour, (name, series) in zip(
        SERIES, sector_lines(exposure, sectors).items(), strict=False
    ):
        lower.plot(
            series["month"], series["difference"], color=colour, linewidth=1.5,
            label=sector_name(name, names, language),
        )  # fmt: skip
    lower.axhline(0, color="#666666", linewidth=0.8)
    lower.margins(x=0.01)
    percent_axis(lower, "axis.sector_difference", language)
    year_axis(lower, exposure["month"])
    below = f"{t('axis.decision_month', language)}\n{t('note.exposure', language)}"
    lower.set_xlabel(below, fontsize=9)
    suptitle(figure, t("title.exposure_lines", language))
    key_below(figure, lower, columns=3)
    return apply_font(figure, language)


def sector_lines(exposure: pd.DataFrame, most: int) -> dict[str, pd.DataFrame]:
    """Return the sectors of the largest mean absolute difference: month, difference (12 months)."""
    own = exposure[exposure["kind"] == "sector"].sort_values("month")
    size = own.assign(size=own["difference"].abs()).groupby("name")["size"].mean()
    chosen = size.sort_values(ascending=False, kind="stable").index[:most]
    lines = {}
    for name in chosen:
        series = own.loc[own["name"] == name, ["month", "difference"]]
        smooth = series["difference"].rolling(12, min_periods=1).mean()
        lines[str(name)] = series.assign(difference=smooth)
    return lines


def exposure_bars(
    exposure: pd.DataFrame,
    labels: pd.DataFrame,
    language: Language = "en",
    month: pd.Timestamp | None = None,
    most: int = BARS,
) -> Figure:
    """Draw the sectors of the long and the short portfolio.

    Parameters
    ----------
    exposure : DataFrame
        What `reading.exposure.exposure` returns.
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
    Figure
        Two bars a sector, in per cent of the portfolio's stocks; by difference.
    """
    shares = sector_shares(exposure, month, most)
    title, heads = sector_words(shares, labels, month, language)
    figure, axes = rows_canvas(title, heads)
    for shift, side in ((-0.2, "long"), (0.2, "short")):
        axes.barh(
            np.arange(len(heads)) + shift, shares[side], height=0.38, color=COLOURS[side],
            label=t(f"portfolio.{side}", language),
        )  # fmt: skip
    percent_axis(axes, "axis.share_of_stocks", language, along="x")
    axes.legend(frameon=False, fontsize=9, loc="best")
    return apply_font(figure, language)


def sector_words(
    shares: pd.DataFrame, labels: pd.DataFrame, month: pd.Timestamp | None, language: Language
) -> tuple[str, list[str]]:
    """Return the title, with the month or that all are meant, and what each sector is called."""
    names = feature_names(labels, language)
    when = t("legend.all_months", language) if month is None else label(month)
    heads = [sector_name(name, names, language) for name in shares["name"]]
    return t("title.exposure_bars", language, when=when), heads


def sector_shares(exposure: pd.DataFrame, month: pd.Timestamp | None, most: int) -> pd.DataFrame:
    """Return name, long, short, difference of the sectors, the most overweighted first."""
    own = exposure[exposure["kind"] == "sector"]
    months = own["month"].nunique()
    if month is not None:
        own, months = own[own["month"] == month], 1
    # A sector that a month does not have counts with a share of 0.
    sums = own.groupby("name", sort=False)[["long", "short", "difference"]].sum() / months
    chosen = largest(sums.reset_index(), "difference", most)
    return chosen.sort_values("difference", ascending=False, kind="stable", ignore_index=True)


def relevance_turnover_bars(
    turnover: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", most: int = FEATURES
) -> Figure:
    """Draw the turnover that each input's relevance brought about.

    Parameters
    ----------
    turnover : DataFrame
        What `reading.exposure.relevance_turnover` returns: month, side, feature, turnover (a
        fraction of the portfolio a month, one way).
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.
    most : int
        At most so many inputs with bars of their own.

    Returns
    -------
    Figure
        Two bars an input, in per cent a month. The legend has the portfolios' whole turnover,
        which is the bars and what the note says of the other inputs.
    """
    table, rest = mean_turnover(turnover, most)
    names = feature_names(labels, language)
    heads = [names.get(name, name) for name in table["feature"]]
    figure, axes = rows_canvas(t("title.relevance_turnover", language), heads)
    for shift, side in ((-0.2, "long"), (0.2, "short")):
        axes.barh(
            np.arange(len(heads)) + shift, table[side], height=0.38, color=COLOURS[side],
            label=turnover_words(side, table, rest, language),
        )  # fmt: skip
    percent_axis(axes, "axis.turnover", language, along="x")
    axes.legend(frameon=False, fontsize=9, loc="best")
    if rest["count"]:
        note(figure, rest_words(rest, language))
    return apply_font(figure, language)


def turnover_words(
    side: str, table: pd.DataFrame, rest: dict[str, float], language: Language
) -> str:
    """Return a side's name with its whole turnover."""
    return f"{t(f'portfolio.{side}', language)}: {100 * (table[side].sum() + rest[side]):.1f}%"


def rest_words(rest: dict[str, float], language: Language) -> str:
    """Return the note on the inputs without a row."""
    shares = {side: 100 * rest[side] for side in ("long", "short")}
    return t("note.turnover", language, count=rest["count"], **shares)
