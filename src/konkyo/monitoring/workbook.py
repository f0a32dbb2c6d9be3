"""The ranking of a month as an Excel workbook, coloured like the paper's figure 8."""

import types
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.formatting.rule import ColorScaleRule
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from konkyo.config import Report
from konkyo.i18n import Language, t
from konkyo.io import atomic_write
from konkyo.monitoring.ranking import RELEVANCE, VALUE
from konkyo.report import tables
from konkyo.report.style import LOWERS, RAISES, width_of
from konkyo.report.tables import ExplainedPanel
from konkyo.report.tables.figure_data import heat_grid
from konkyo.report.tables.labels import feature_names, sector_name

SHEETS = ("ranking", "attribution", "inputs", "values", "relevances", "read_me")
MAX_CELL = 32_767
"""Characters that a cell holds."""
SHADES = 24
"""Steps of the colour scale to either side of 0: a workbook may have 64,000 styles at most."""
_ABOUT = ("ranking", "attribution", "inputs", "values", "caution")
_KEYS = ("side", "rank", "stock", "sector", "score")
_KEY_WIDTHS = (8, 7, 12, 20, 9)
_COLUMN_WIDTH, _HEADER_HEIGHT = 12, 62
_HEADER, BOLD = PatternFill("solid", fgColor="F0F2F5"), Font(bold=True)
_DECIMALS = 4
FADED = 0.3
"""Strength of the colour of a relevance that is not reliable."""
_RELEVANCE, _VALUE, _INTEGER = "+0.000;-0.000;0.000", "0.00", "#,##0"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write(
    path: Path,
    ranking: pd.DataFrame,
    *,
    panel: ExplainedPanel,
    labels: pd.DataFrame,
    config: Report,
    language: Language,
    facts: Mapping[str, str],
) -> None:
    """Write the workbook, replacing an existing one atomically.

    Parameters
    ----------
    path : Path
        Ends in .xlsx.
    ranking : DataFrame
        Of `ranking.month_ranking`.
    panel : ExplainedPanel
        Scores and attributions that include the month.
    labels : DataFrame
        Of `report.tables.labels`.
    config : Report
        n_extremes and watchlist select the stocks of the sheets "Attribution" and "Inputs".
    language : str
        "en" or "ja".
    facts : mapping of str to str
        Values of the sheet "Read me", by their keys in the section workbook.fact of the catalogue.

    Raises
    ------
    KonkyoError
        A stock of the watchlist was not ranked in the month.
    """
    month = ranking["month"].iloc[0]
    # Before any sheet exists: openpyxl warns about a write-only sheet that was never finished.
    stocks = tables.stock_table(panel, month, config.n_extremes, config.watchlist)
    book = Workbook(write_only=True)
    sheets = {key: book.create_sheet(t(f"workbook.sheet.{key}", language)) for key in SHEETS}
    names = feature_names(labels, language)
    _write_ranking(sheets["ranking"], ranking, names, language)
    _write_extremes(sheets, stocks, names, language)
    characteristics = [panel.names[column] for column in panel.columns("characteristic")]
    values = ranking[[VALUE + name for name in characteristics]].set_axis(characteristics, axis=1)
    relevances = by_input(ranking, panel.catalogue)
    for key, numbers in (("values", values), ("relevances", relevances)):
        # Rounded numbers instead of a number format: 100,000 styled cells take seconds to write.
        frame = pd.concat(
            [ranking[["rank", "stock"]], numbers.astype("float64").round(_DECIMALS)], axis=1
        )
        widths = [7, 12, *[_COLUMN_WIDTH] * numbers.shape[1]]
        heads = [t("column.rank", language), t("column.stock", language)]
        heads += [names.get(name, name) for name in numbers]
        _write_table(sheets[key], frame, heads, corner="C2", widths=widths)
    last = get_column_letter(1 + relevances.shape[1])
    limit = float(np.abs(relevances.to_numpy()).max(initial=0)) or 1.0
    # One rule for the whole sheet: a fill for each of 100,000 cells would double the file.
    rule = ColorScaleRule(
        start_type="num", start_value=-limit, start_color=LOWERS[1:],
        mid_type="num", mid_value=0, mid_color="FFFFFF",
        end_type="num", end_value=limit, end_color=RAISES[1:],
    )  # fmt: skip
    sheets["relevances"].conditional_formatting.add(f"C2:{last}{len(ranking) + 1}", rule)
    common = panel.features[panel.rows(month)][0]
    _write_read_me(
        sheets["read_me"], facts, catalogue=panel.catalogue.assign(value=common), labels=labels,
        language=language,
    )  # fmt: skip
    with atomic_write(path) as scratch:
        book.save(scratch)


def by_input(ranking: pd.DataFrame, catalogue: pd.DataFrame) -> pd.DataFrame:
    """Return the relevances of all stocks, sector dummies and calendar dummies in one column each.

    A dummy of 0 has no relevance, so the sum over a group is the relevance of the stock's own
    dummy.

    Parameters
    ----------
    ranking : DataFrame
        Of `ranking.month_ranking`.
    catalogue : DataFrame
        name and group of each feature.

    Returns
    -------
    DataFrame
        One row a stock; one column an input, "sector", "calendar" or "absorbed". A row sums to the
        score.
    """
    columns: dict[str, pd.Series] = {}
    for name, group in catalogue[["name", "group"]].itertuples(index=False, name=None):
        relevance = ranking[RELEVANCE + name].astype("float64")
        key = group if group in ("sector", "calendar") else name
        columns[key] = columns[key] + relevance if key in columns else relevance
    return pd.DataFrame({**columns, "absorbed": ranking["absorbed"].astype("float64")})


def cell(sheet: Worksheet, value: Any, **style: Any) -> WriteOnlyCell:
    """Return a cell with a number, empty where it is not finite, or with a text shown literally.

    A text that looks like a formula is marked with a quote prefix, so that editing the cell does
    not turn it into one. Characters that a workbook cannot hold are replaced.
    """
    if isinstance(value, str):
        words = ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)[:MAX_CELL]
        out = WriteOnlyCell(sheet, words)
        out.data_type = "s"
        out.quotePrefix = words.startswith(_FORMULA_STARTS)
    else:
        number = float(value) if pd.notna(value) else np.inf
        out = WriteOnlyCell(sheet, number if np.isfinite(number) else None)
    for name, look in style.items():
        setattr(out, name, look)
    return out


def shade(value: float, limit: float) -> PatternFill:
    """Return the fill of a relevance: red above 0, blue below, white at the middle of the scale.

    Parameters
    ----------
    value : float
        In units of the score.
    limit : float
        The end of the scale, above 0; larger values have the colour of the end.
    """
    return _fill(round(float(np.clip(value / limit, -1, 1)) * SHADES))


@cache
def _fill(step: int) -> PatternFill:
    """Return white mixed with an end of the scale, as the charts' diverging scale does."""
    end, weight = RAISES if step > 0 else LOWERS, abs(step) / SHADES
    mixed = [round(255 + (int(end[i : i + 2], 16) - 255) * weight) for i in (1, 3, 5)]
    return PatternFill("solid", fgColor="".join(f"{channel:02X}" for channel in mixed))


def _write_ranking(
    sheet: Worksheet, ranking: pd.DataFrame, names: dict[str, str], language: Language
) -> None:
    """Write every stock with its sentence."""
    columns = ["rank", "stock", "sector", "quantile", "side", "score", "size", "sentence"]
    frame = ranking[columns].assign(
        sector=[sector_name(sector, names, language) for sector in ranking["sector"]],
        side=[t(f"portfolio.{side}", language) if side else "" for side in ranking["side"]],
    )
    longest = max(map(width_of, ranking["sentence"]))
    _write_table(
        sheet,
        frame,
        [t(f"column.{name}", language) for name in columns],
        corner="C2",
        widths=(7, 12, 24, 8, 9, 9, 15, min(1.7 * longest, 160)),
        forms={"score": _RELEVANCE, "size": _INTEGER},
    )


def _write_extremes(
    sheets: Mapping[str, Worksheet],
    stocks: pd.DataFrame,
    names: dict[str, str],
    language: Language,
) -> None:
    """Write relevances and input values of the top, the bottom and the watchlist stocks."""
    rows, values, relevance = heat_grid(stocks, len(stocks))
    # Dummies that none of these stocks has have no relevance: left out.
    inputs = relevance.columns[(relevance != 0).any()].tolist()
    values, relevance = values[inputs], relevance[inputs]
    keys = rows[list(_KEYS)].assign(
        side=[t(f"portfolio.{side}", language) for side in rows["side"]],
        sector=[sector_name(sector, names, language) for sector in rows["sector"]],
    )
    limit = float(relevance.abs().to_numpy().max(initial=0)) or 1.0
    coloured = relevance
    if "reliable" in stocks:
        flags = stocks.assign(value=stocks["reliable"].astype("float64"))
        coloured = relevance * heat_grid(flags, len(flags))[1][inputs].replace(0.0, FADED)
    fills = coloured.map(lambda number: shade(number, limit))
    heads = [t(f"column.{key}", language) for key in _KEYS]
    heads += [names.get(name, name) for name in inputs]
    of_values = {name: "0" if values[name].isin((0, 1)).all() else _VALUE for name in inputs}
    for key, numbers, forms in (
        ("attribution", relevance.assign(absorbed=rows["rest"]), dict.fromkeys(inputs, _RELEVANCE)),
        ("inputs", values, of_values),
    ):
        _write_table(
            sheets[key],
            pd.concat([keys, numbers], axis=1),
            [*heads, t("column.absorbed", language)][: len(_KEYS) + numbers.shape[1]],
            corner="F2",
            widths=[*_KEY_WIDTHS, *[_COLUMN_WIDTH] * numbers.shape[1]],
            forms={"score": _RELEVANCE, "absorbed": _RELEVANCE, **forms},
            fills=fills,
        )


def _write_table(
    sheet: Worksheet,
    frame: pd.DataFrame,
    heads: Sequence[str],
    *,
    corner: str,
    widths: Sequence[float],
    forms: Mapping[str, str] = types.MappingProxyType({}),
    fills: pd.DataFrame | None = None,
) -> None:
    """Write a data frame with a filter on each column, header and keys in sight.

    Parameters
    ----------
    sheet : Worksheet
        Without any row: a write-only sheet takes widths only while it is empty.
    frame : DataFrame
        Texts and numbers.
    heads : sequence of str
        Name of each column.
    corner : str
        The first cell that scrolls.
    widths : sequence of float
        Of the columns, in letters.
    forms : mapping
        Excel's number formats by column; other numbers are plain.
    fills : DataFrame, optional
        Fills of some columns' cells.
    """
    sheet.freeze_panes = corner
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(heads))}{len(frame) + 1}"
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.row_dimensions[1].height = _HEADER_HEIGHT
    wrap = Alignment(wrap_text=True, vertical="bottom")
    sheet.append([cell(sheet, head, font=BOLD, fill=_HEADER, alignment=wrap) for head in heads])
    for i, row in enumerate(frame.itertuples(index=False, name=None)):
        cells: list[Any] = []
        for name, value in zip(frame.columns, row, strict=True):
            if isinstance(value, str):
                cells.append(cell(sheet, value))
            elif name in forms:
                shaded = {} if fills is None or name not in fills else {"fill": fills[name].iloc[i]}
                cells.append(cell(sheet, value, number_format=forms[name], **shaded))
            else:
                cells.append(None if pd.isna(value) else value)
        sheet.append(cells)


def _write_read_me(
    sheet: Worksheet,
    facts: Mapping[str, str],
    *,
    catalogue: pd.DataFrame,
    labels: pd.DataFrame,
    language: Language,
) -> None:
    """Write the provenance, the meaning of the sheets, and the features with their file names."""
    for letter, width in zip("ABCDE", (44, 40, 16, 40, 14), strict=True):
        sheet.column_dimensions[letter].width = width
    for name, value in facts.items():
        label = cell(sheet, t(f"workbook.fact.{name}", language), font=BOLD)
        sheet.append([label, cell(sheet, value)])
    sheet.append([])
    for row, topic in enumerate(_ABOUT, start=len(facts) + 2):
        words = t(f"workbook.about.{topic}", language)
        # Excel does not fit the height of merged cells to their text.
        sheet.row_dimensions[row].height = 15 * np.ceil(width_of(words) / 80)
        sheet.merged_cells.add(f"A{row}:D{row}")
        sheet.append([cell(sheet, words, alignment=Alignment(wrap_text=True, vertical="top"))])
    sheet.append([])
    columns = ("label", "feature", "group", "unit", "value")
    sheet.append([cell(sheet, t(f"column.{key}", language), font=BOLD) for key in columns])
    units = labels.set_index("feature")["unit_ja" if language == "ja" else "unit"]
    names = feature_names(labels, language)
    for feature in catalogue.itertuples(index=False):
        group = t(f"group.{feature.group}", language)
        # Calendar dummies and market series are equal for all stocks: their value stands here.
        common = feature.value if feature.group in ("calendar", "market") else None
        texts = (names[feature.name], feature.name, group, units[feature.name])
        sheet.append([*(cell(sheet, text) for text in texts), cell(sheet, common)])
