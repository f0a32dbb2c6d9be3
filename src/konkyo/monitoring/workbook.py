"""The ranking of a month as an Excel workbook, coloured like the paper's figure 8."""

from collections.abc import Iterable, Mapping, Sequence
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
from konkyo.report.style import COLOURS, LOWERS, RAISES, width_of
from konkyo.report.tables import ExplainedPanel
from konkyo.report.tables.figure_data import HeatGrid, heat_grid
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
_HEADER = PatternFill("solid", fgColor="F0F2F5")
_DECIMALS = 4
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
    grid = heat_grid(stocks, len(panel.names))
    book = Workbook(write_only=True)
    sheets = {key: book.create_sheet(t(f"workbook.sheet.{key}", language)) for key in SHEETS}
    names = feature_names(labels, language)
    _write_ranking(sheets["ranking"], ranking, names, language)
    _write_extremes(sheets, grid, names, language)
    characteristics = [panel.names[column] for column in panel.columns("characteristic")]
    values = ranking[[VALUE + name for name in characteristics]].set_axis(characteristics, axis=1)
    _write_all_stocks(sheets["values"], ranking, values, names=names, language=language)
    relevances = by_input(ranking, panel.catalogue)
    _write_all_stocks(sheets["relevances"], ranking, relevances, names=names, language=language)
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


def text_cell(sheet: Worksheet, value: object, **style: Any) -> WriteOnlyCell:
    """Return a cell that shows a text literally, even one that looks like a formula.

    Such a text is marked with a quote prefix, so that editing the cell does not turn it into a
    formula. Characters that a workbook cannot hold are replaced.
    """
    words = "" if pd.isna(value) else ILLEGAL_CHARACTERS_RE.sub("\ufffd", str(value))[:MAX_CELL]
    cell = WriteOnlyCell(sheet, words)
    cell.data_type = "s"
    if words.startswith(_FORMULA_STARTS):
        cell.quotePrefix = True
    return _with_style(cell, style)


def number_cell(sheet: Worksheet, value: float, form: str, **style: Any) -> WriteOnlyCell:
    """Return a cell with a number in an Excel format; empty where it is not finite."""
    cell = WriteOnlyCell(sheet, float(value) if np.isfinite(value) else None)
    cell.number_format = form
    return _with_style(cell, style)


def shade(value: float, limit: float) -> PatternFill | None:
    """Return the fill of a relevance: red above 0, blue below, None at the middle of the scale.

    Parameters
    ----------
    value : float
        In units of the score.
    limit : float
        The end of the scale, above 0; larger values have the colour of the end.
    """
    step = round(float(np.clip(value / limit, -1, 1)) * SHADES)
    return None if step == 0 else _FILLS[step]


def _write_ranking(
    sheet: Worksheet, ranking: pd.DataFrame, names: dict[str, str], language: Language
) -> None:
    """Write every stock with its sentence."""
    columns = ("rank", "stock", "sector", "quantile", "side", "score", "size", "sentence")
    longest = max(map(width_of, ranking["sentence"]))
    _freeze(sheet, "C2", n_columns=len(columns), n_rows=len(ranking))
    headers = [t(f"column.{name}", language) for name in columns]
    sheet.append(_header(sheet, headers, (7, 12, 24, 8, 9, 9, 15, min(1.7 * longest, 160))))
    for row in ranking[list(columns)].itertuples(index=False):
        font = Font(bold=True, color=COLOURS[row.side][1:]) if row.side else None
        side = t(f"portfolio.{row.side}", language) if row.side else ""
        sheet.append(
            [
                int(row.rank),
                text_cell(sheet, row.stock),
                text_cell(sheet, sector_name(row.sector, names, language)),
                None if pd.isna(row.quantile) else int(row.quantile),
                text_cell(sheet, side, font=font),
                number_cell(sheet, row.score, _RELEVANCE),
                number_cell(sheet, row.size, _INTEGER),
                text_cell(sheet, row.sentence),
            ]
        )


def _write_extremes(
    sheets: Mapping[str, Worksheet], grid: HeatGrid, names: dict[str, str], language: Language
) -> None:
    """Write relevances and input values of the top, the bottom and the watchlist stocks."""
    # Dummies that none of these stocks has come last and have no relevance: left out.
    n_active = int(np.any(grid.relevance, axis=0).sum())
    relevance, values = grid.relevance[:, :n_active], grid.value[:, :n_active]
    headers = [t(f"column.{key}", language) for key in _KEYS]
    headers += [names.get(name, name) for name in grid.features[:n_active]]
    formats = ["0" if np.isin(column, (0, 1)).all() else _VALUE for column in values.T]
    absorbed = t("column.absorbed", language)
    for key, tail in (("attribution", [absorbed]), ("inputs", [])):
        sheet = sheets[key]
        n_columns = len(headers) + len(tail)
        _freeze(sheet, "F2", n_columns=n_columns, n_rows=len(grid.rows))
        widths = [*_KEY_WIDTHS, *[_COLUMN_WIDTH] * (n_columns - len(_KEYS))]
        sheet.append(_header(sheet, [*headers, *tail], widths))
        for i, row in enumerate(grid.rows.to_dict("records")):
            cells = [
                text_cell(sheet, t(f"portfolio.{row['side']}", language)),
                int(row["rank"]),
                text_cell(sheet, row["stock"]),
                text_cell(sheet, sector_name(row["sector"], names, language)),
                number_cell(sheet, row["score"], _RELEVANCE),
            ]
            numbers = relevance[i] if key == "attribution" else values[i]
            forms = [_RELEVANCE] * n_active if key == "attribution" else formats
            cells += [
                number_cell(sheet, number, form, fill=shade(colour, grid.limit))
                for number, form, colour in zip(numbers, forms, relevance[i], strict=True)
            ]
            cells += [number_cell(sheet, grid.rest[i], _RELEVANCE) for _ in tail]
            sheet.append(cells)


def _write_all_stocks(
    sheet: Worksheet,
    ranking: pd.DataFrame,
    numbers: pd.DataFrame,
    *,
    names: dict[str, str],
    language: Language,
) -> None:
    """Write one column a feature for every stock of the ranking."""
    headers = [t(f"column.{key}", language) for key in ("rank", "stock")]
    headers += [names.get(name, name) for name in numbers.columns]
    _freeze(sheet, "C2", n_columns=len(headers), n_rows=len(ranking))
    sheet.append(_header(sheet, headers, [7, 12, *[_COLUMN_WIDTH] * numbers.shape[1]]))
    # Rounded numbers instead of a number format: 100,000 styled cells take seconds to write.
    rounded = numbers.to_numpy(dtype=np.float64).round(_DECIMALS).tolist()
    for rank, stock, row in zip(ranking["rank"], ranking["stock"], rounded, strict=True):
        sheet.append([int(rank), text_cell(sheet, stock), *row])


def _write_read_me(
    sheet: Worksheet,
    facts: Mapping[str, str],
    *,
    catalogue: pd.DataFrame,
    labels: pd.DataFrame,
    language: Language,
) -> None:
    """Write the provenance, the meaning of the sheets, and the features with their file names."""
    bold = Font(bold=True)
    for letter, width in zip("ABCDE", (44, 40, 16, 40, 14), strict=True):
        sheet.column_dimensions[letter].width = width
    for name, value in facts.items():
        label = text_cell(sheet, t(f"workbook.fact.{name}", language), font=bold)
        sheet.append([label, text_cell(sheet, value)])
    sheet.append([])
    for row, topic in enumerate(_ABOUT, start=len(facts) + 2):
        words = t(f"workbook.about.{topic}", language)
        # Excel does not fit the height of merged cells to their text.
        sheet.row_dimensions[row].height = 15 * np.ceil(width_of(words) / 80)
        sheet.merged_cells.add(f"A{row}:D{row}")
        wrap = Alignment(wrap_text=True, vertical="top")
        sheet.append([text_cell(sheet, words, alignment=wrap)])
    sheet.append([])
    columns = ("label", "feature", "group", "unit", "value")
    sheet.append([text_cell(sheet, t(f"column.{key}", language), font=bold) for key in columns])
    units = labels.set_index("feature")["unit_ja" if language == "ja" else "unit"]
    names = feature_names(labels, language)
    for feature in catalogue.itertuples(index=False):
        # Calendar dummies and market series are equal for all stocks: their value stands here.
        is_common = feature.group in ("calendar", "market")
        sheet.append(
            [
                text_cell(sheet, names[feature.name]),
                text_cell(sheet, feature.name),
                text_cell(sheet, t(f"group.{feature.group}", language)),
                text_cell(sheet, units[feature.name]),
                number_cell(sheet, feature.value if is_common else np.nan, "General"),
            ]
        )


def _header(sheet: Worksheet, names: Iterable[str], widths: Sequence[float]) -> list[WriteOnlyCell]:
    """Return the header row and set the column widths, in letters.

    To be called before any row: a write-only sheet takes widths only while it is empty.
    """
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.row_dimensions[1].height = _HEADER_HEIGHT
    wrap = Alignment(wrap_text=True, vertical="bottom")
    return [
        text_cell(sheet, name, font=Font(bold=True), fill=_HEADER, alignment=wrap) for name in names
    ]


def _freeze(sheet: Worksheet, corner: str, *, n_columns: int, n_rows: int) -> None:
    """Freeze headers and keys above and left of the corner, and add column filters."""
    sheet.freeze_panes = corner
    sheet.auto_filter.ref = f"A1:{get_column_letter(n_columns)}{n_rows + 1}"


def _fill(step: int) -> PatternFill:
    """Return white mixed with an end of the scale, as the charts' diverging scale does."""
    end = RAISES if step > 0 else LOWERS
    weight = abs(step) / SHADES
    mixed = [round(255 + (int(end[i : i + 2], 16) - 255) * weight) for i in (1, 3, 5)]
    return PatternFill("solid", fgColor="".join(f"{channel:02X}" for channel in mixed))


_FILLS = {step: _fill(step) for step in range(-SHADES, SHADES + 1) if step}


def _with_style(cell: WriteOnlyCell, style: dict[str, Any]) -> WriteOnlyCell:
    for name, value in style.items():
        if value is not None:
            setattr(cell, name, value)
    return cell
