"""The ranking of a month as an Excel workbook, coloured like the paper's figure 8."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from openpyxl import Workbook
from openpyxl.formatting.rule import ColorScaleRule
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from konkyo.config import Report
from konkyo.i18n import Language, t
from konkyo.io import atomic_write
from konkyo.monitoring.cells import heads, number, shade, text
from konkyo.monitoring.ranking import RELEVANCE, VALUE
from konkyo.report import tables
from konkyo.report.tables.figure_data import HeatGrid, heat_grid
from konkyo.report.figures.style import COLOURS, LOWERS, RAISES, width_of
from konkyo.report.tables import ExplainedPanel
from konkyo.report.tables.labels import feature_names, sector_name

SHEETS = ("ranking", "grounds", "inputs", "values", "relevances", "read_me")
_ABOUT = ("ranking", "grounds", "inputs", "values", "caution")
_KEYS = ("side", "rank", "stock", "sector", "score")
_KEY_WIDTHS = (8, 7, 12, 20, 9)
_COLUMN = 12
_DECIMALS = 4
_RELEVANCE, _VALUE, _WHOLE = "+0.000;-0.000;0.000", "0.00", "#,##0"


def write(
    path: Path,
    table: pd.DataFrame,
    e: ExplainedPanel,
    labels: pd.DataFrame,
    chosen: Report,
    language: Language,
    facts: Mapping[str, str],
) -> None:
    """Write the workbook, replacing `path` whole.

    Parameters
    ----------
    path : Path
        Ends in .xlsx.
    table : DataFrame
        What `ranking.ranking` returns for the month.
    e : Evidence
        Grounds that have the month.
    labels : DataFrame
        What `reading.labels` returns.
    chosen : Report
        Its `stocks` and `named` say whose relevances have a sheet of their own.
    language : str
        "en" or "ja".
    facts : mapping of str to str
        Names in the section "workbook.fact" of the catalogue, and the values on the sheet
        "Read me".

    Raises
    ------
    KonkyoError
        A named stock was not ranked in the month.
    """
    # Before a sheet is begun, as one that is left half written complains.
    stocks = tables.stock_table(e, table["month"].iloc[0], chosen.n_extremes, chosen.watchlist)
    grid = heat_grid(stocks, len(e.names))
    book = Workbook(write_only=True)
    sheets = {key: book.create_sheet(t(f"workbook.sheet.{key}", language)) for key in SHEETS}
    names = feature_names(labels, language)
    _ranking(sheets["ranking"], table, names, language)
    _extremes(sheets, grid, names, language)
    values = table[[VALUE + e.names[column] for column in e.columns("characteristic")]]
    _whole(sheets["values"], table, values.rename(columns=_bare), names, language)
    parts = by_input(table, e.catalogue)
    _whole(sheets["relevances"], table, parts, names, language)
    last = get_column_letter(1 + parts.shape[1])
    limit = float(np.abs(parts.to_numpy()).max(initial=0)) or 1.0
    rule = ColorScaleRule(
        start_type="num", start_value=-limit, start_color=LOWERS[1:],
        mid_type="num", mid_value=0, mid_color="FFFFFF",
        end_type="num", end_value=limit, end_color=RAISES[1:],
    )  # fmt: skip
    sheets["relevances"].conditional_formatting.add(f"C2:{last}{len(table) + 1}", rule)
    _read_me(sheets["read_me"], e, table["month"].iloc[0], labels, language, facts)
    with atomic_write(path) as scratch:
        book.save(scratch)


def _ranking(
    sheet: Worksheet, table: pd.DataFrame, names: dict[str, str], language: Language
) -> None:
    """Write every stock with its sentence."""
    columns = ("rank", "stock", "sector", "quantile", "side", "score", "size", "sentence")
    longest = max(map(width_of, table["sentence"]))
    _frozen(sheet, "C2", len(columns), len(table))
    sheet.append(
        heads(
            sheet,
            [t(f"column.{name}", language) for name in columns],
            (7, 12, 24, 8, 9, 9, 15, min(1.7 * longest, 160)),
        )
    )
    rows = table[list(columns)].itertuples(index=False, name=None)
    for rank, stock, sector, quantile, side, score, size, sentence in rows:
        tone = Font(bold=True, color=COLOURS[side][1:]) if side else None
        sheet.append(
            [
                int(rank),
                text(sheet, stock),
                text(sheet, sector_name(sector, names, language)),
                None if pd.isna(quantile) else int(quantile),
                text(sheet, t(f"portfolio.{side}", language) if side else "", font=tone),
                number(sheet, score, _RELEVANCE),
                number(sheet, size, _WHOLE),
                text(sheet, sentence),
            ]
        )


def _extremes(
    sheets: Mapping[str, Worksheet], grid: HeatGrid, names: dict[str, str], language: Language
) -> None:
    """Write relevances and values of the longest, the shortest and the named stocks."""
    columns = [t(f"column.{key}", language) for key in _KEYS]
    # Dummies that none of these stocks has add nothing to any of their scores, and come last.
    kept = int(np.any(grid.relevance, axis=0).sum())
    features, relevance, values = (
        grid.features[:kept],
        grid.relevance[:, :kept],
        grid.value[:, :kept],
    )
    columns += [names.get(name, name) for name in features]
    widths = [*_KEY_WIDTHS, *[_COLUMN] * len(features)]
    whole = [bool(np.isin(column, (0, 1)).all()) for column in values.T]
    absorbed = t("column.absorbed", language)
    for key, tail in (("grounds", [absorbed]), ("inputs", [])):
        sheet = sheets[key]
        _frozen(sheet, "F2", len(columns) + len(tail), len(grid.rows))
        sheet.append(heads(sheet, [*columns, *tail], [*widths, *[_COLUMN] * len(tail)]))
        for place, row in enumerate(grid.rows.to_dict("records")):
            keys = [
                text(sheet, t(f"portfolio.{row['side']}", language)),
                int(row["rank"]),
                text(sheet, row["stock"]),
                text(sheet, sector_name(row["sector"], names, language)),
                number(sheet, row["score"], _RELEVANCE),
            ]
            shades = [shade(value, grid.limit) for value in relevance[place]]
            if key == "grounds":
                cells = [
                    number(sheet, value, _RELEVANCE, fill=fill)
                    for value, fill in zip(relevance[place], shades, strict=True)
                ]
                cells.append(number(sheet, grid.rest[place], _RELEVANCE))
            else:
                cells = [
                    number(sheet, value, "0" if dummy else _VALUE, fill=fill)
                    for value, dummy, fill in zip(values[place], whole, shades, strict=True)
                ]
            sheet.append([*keys, *cells])


def by_input(table: pd.DataFrame, catalogue: pd.DataFrame) -> pd.DataFrame:
    """Return all stocks' relevances, the dummies of sectors and those of months as one column each.

    A dummy that is 0 adds nothing to a score, so a stock's own dummy is the whole of its group.

    Parameters
    ----------
    table : DataFrame
        What `ranking.ranking` returns.
    catalogue : DataFrame
        name and group of each feature.

    Returns
    -------
    DataFrame
        One row a stock and one column an input, "sector", "calendar" or "absorbed": a row adds up
        to the score.
    """
    columns: dict[str, pd.Series] = {}
    for name, group in catalogue[["name", "group"]].itertuples(index=False, name=None):
        part = table[RELEVANCE + name].astype("float64")
        if group in ("sector", "calendar"):
            columns[group] = columns[group] + part if group in columns else part
        else:
            columns[name] = part
    return pd.DataFrame({**columns, "absorbed": table["absorbed"].astype("float64")})


def _bare(column: str) -> str:
    return column.removeprefix(VALUE)


def _whole(
    sheet: Worksheet,
    table: pd.DataFrame,
    numbers: pd.DataFrame,
    names: dict[str, str],
    language: Language,
) -> None:
    """Write a number a column for every stock of the ranking."""
    columns = [t(f"column.{key}", language) for key in ("rank", "stock")]
    columns += [names.get(name, name) for name in numbers.columns]
    _frozen(sheet, "C2", len(columns), len(table))
    sheet.append(heads(sheet, columns, [7, 12, *[_COLUMN] * numbers.shape[1]]))
    # A hundred thousand cells: rounded, they need no format of their own to be read.
    rounded = numbers.to_numpy(dtype=np.float64).round(_DECIMALS).tolist()
    for rank, stock, row in zip(table["rank"], table["stock"], rounded, strict=True):
        sheet.append([int(rank), text(sheet, stock), *row])


def _read_me(
    sheet: Worksheet,
    e: ExplainedPanel,
    month: pd.Timestamp,
    labels: pd.DataFrame,
    language: Language,
    facts: Mapping[str, str],
) -> None:
    """Write what the workbook is, what it came from, and what its inputs are called in files."""
    wide = Alignment(wrap_text=True, vertical="top")
    columns = ("label", "feature", "group", "unit", "value")
    common = e.catalogue["group"].isin(["calendar", "market"]).to_numpy()
    for letter, width in zip("ABCDE", (44, 40, 16, 40, 14), strict=True):
        sheet.column_dimensions[letter].width = width
    for name, value in facts.items():
        sheet.append(
            [
                text(sheet, t(f"workbook.fact.{name}", language), font=Font(bold=True)),
                text(sheet, value),
            ]
        )
    sheet.append([])
    for place, topic in enumerate(_ABOUT, start=len(facts) + 2):
        words = t(f"workbook.about.{topic}", language)
        sheet.row_dimensions[place].height = 15 * np.ceil(width_of(words) / 80)
        sheet.merged_cells.add(f"A{place}:D{place}")
        sheet.append([text(sheet, words, alignment=wide)])
    sheet.append([])
    sheet.append(
        [text(sheet, t(f"column.{key}", language), font=Font(bold=True)) for key in columns]
    )
    units = labels.set_index("feature")["unit_ja" if language == "ja" else "unit"]
    names = feature_names(labels, language)
    values = e.features[e.rows(month)][0]
    lines = zip(e.catalogue["name"], e.catalogue["group"], values, common, strict=True)
    for name, group, value, same in lines:
        sheet.append(
            [
                text(sheet, names[name]),
                text(sheet, name),
                text(sheet, t(f"group.{group}", language)),
                text(sheet, units[name]),
                number(sheet, value if same else np.nan, "General"),
            ]
        )


def _frozen(sheet: Worksheet, corner: str, columns: int, rows: int) -> None:
    """Keep heads and names in sight, and let columns be filtered."""
    sheet.freeze_panes = corner
    sheet.auto_filter.ref = f"A1:{get_column_letter(columns)}{rows + 1}"
