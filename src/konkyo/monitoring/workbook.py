"""The ranking of a month as an Excel workbook: all stocks, their values and relevances."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.formatting.rule import ColorScaleRule
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from konkyo.attribution.row_errors import RELIABLE
from konkyo.i18n import Language, t
from konkyo.io import atomic_write
from konkyo.monitoring.ranking import RELEVANCE, VALUE
from konkyo.report.style import LOWERS, MUTED, RAISES
from konkyo.report.tables.labels import feature_names, sector_name

MAX_CELL = 32_767
"""Characters that a cell holds."""
_ABOUT = ("ranking", "values", "relevances", "read_me")
_DECIMALS = 4
_WIDTH, _MAX_WIDTH = 12, 110
_RANKING = ("rank", "stock", "sector", "quantile", "side", "score", "size", "sentence")
_INPUTS = ("label", "feature", "group", "unit", "value")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
NOT_RELIABLE = Font(color=MUTED[1:], italic=True)


def write(
    path: Path,
    ranking: pd.DataFrame,
    *,
    catalogue: pd.DataFrame,
    labels: pd.DataFrame,
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
    catalogue : DataFrame
        name and group of each feature.
    labels : DataFrame
        Of `report.tables.labels`.
    language : str
        "en" or "ja".
    facts : mapping of str to str
        Values of the sheet "Read me", by their keys in the section workbook.fact of the catalogue.
    """
    names = feature_names(labels, language)
    heads = {key: t(f"column.{key}", language) for key in (*_RANKING, *_INPUTS)}
    keys = ranking[["rank", "stock"]]
    characteristics = catalogue.loc[catalogue["group"] == "characteristic", "name"].tolist()
    values = ranking[[VALUE + name for name in characteristics]].set_axis(characteristics, axis=1)
    relevances = by_input(ranking, catalogue)
    about = {f"workbook.fact.{name}": value for name, value in facts.items()}
    about |= {f"workbook.sheet.{key}": t(f"workbook.about.{key}", language) for key in _ABOUT}
    frames = {
        "ranking": ranking[list(_RANKING)].assign(
            sector=[sector_name(sector, names, language) for sector in ranking["sector"]],
            side=[t(f"portfolio.{side}", language) if side else "" for side in ranking["side"]],
        ),
        "values": pd.concat([keys, _numbers(values, names)], axis=1),
        "relevances": pd.concat([keys, _numbers(relevances, names)], axis=1),
        "inputs": _inputs(ranking, catalogue, labels, language),
        "read_me": pd.DataFrame([(t(key, language), text) for key, text in about.items()]),
    }
    with atomic_write(path) as scratch, pd.ExcelWriter(scratch, engine="openpyxl") as writer:
        for key, frame in frames.items():
            has_heads = key != "read_me"
            _plain(frame.rename(columns=heads)).to_excel(
                writer,
                sheet_name=t(f"workbook.sheet.{key}", language),
                index=False,
                header=has_heads,
                freeze_panes=(1, 2) if has_heads else None,
            )
        sheets = dict(zip(frames, writer.sheets.values(), strict=True))
        for sheet in sheets.values():
            _format(sheet)
        _colour(sheets["relevances"], relevances)
        if f"{RELIABLE}{catalogue['name'].iloc[0]}" in ranking:
            _mark_not_reliable(sheets["relevances"], by_input(ranking, catalogue, RELIABLE))


def by_input(
    ranking: pd.DataFrame, catalogue: pd.DataFrame, prefix: str = RELEVANCE
) -> pd.DataFrame:
    """Return the relevances of all stocks, sector dummies and calendar dummies in one column each.

    A dummy of 0 has no relevance, so the sum over a group is the relevance of the stock's own
    dummy.

    Parameters
    ----------
    ranking : DataFrame
        Of `ranking.month_ranking`.
    catalogue : DataFrame
        name and group of each feature.
    prefix : str
        Of the columns in `ranking`: those of relevances, or of another number of each input.

    Returns
    -------
    DataFrame
        One row a stock; one column an input, "sector", "calendar" or "absorbed". A row sums to the
        score.
    """
    columns: dict[str, pd.Series] = {}
    for name, group in catalogue[["name", "group"]].itertuples(index=False, name=None):
        relevance = ranking[prefix + name].astype("float64")
        key = group if group in ("sector", "calendar") else name
        columns[key] = columns[key] + relevance if key in columns else relevance
    return pd.DataFrame({**columns, "absorbed": ranking["absorbed"].astype("float64")})


def _inputs(
    ranking: pd.DataFrame, catalogue: pd.DataFrame, labels: pd.DataFrame, language: Language
) -> pd.DataFrame:
    """Return name, group and unit of each input, and its value where all stocks have the same."""
    names = catalogue["name"]
    units = labels.set_index("feature")["unit_ja" if language == "ja" else "unit"]
    common = ranking.iloc[0][[VALUE + name for name in names]].to_numpy(dtype="float64")
    return pd.DataFrame(
        {
            "label": names.map(feature_names(labels, language)),
            "feature": names,
            "group": [t(f"group.{group}", language) for group in catalogue["group"]],
            "unit": names.map(units),
            "value": np.where(catalogue["group"].isin(["calendar", "market"]), common, np.nan),
        }
    )


def _numbers(frame: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Return rounded numbers under the names of the inputs."""
    return frame.astype("float64").round(_DECIMALS).rename(columns=names)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts a cell can hold."""
    return frame.map(
        lambda value: (
            ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)[:MAX_CELL]
            if isinstance(value, str)
            else value
        )
    )


def _format(sheet: Worksheet) -> None:
    """Set widths and the filter of a sheet; texts that look like formulas stay texts."""
    sheet.auto_filter.ref = sheet.dimensions if sheet.freeze_panes else None
    for column in sheet.iter_cols():
        longest = max(len(cell.value) if isinstance(cell.value, str) else 0 for cell in column)
        width = min(max(longest, _WIDTH), _MAX_WIDTH if len(column) > 1 else _WIDTH)
        sheet.column_dimensions[get_column_letter(column[0].column)].width = width
        for cell in column:
            if isinstance(cell.value, str):
                cell.data_type = "s"
                # Without the prefix, editing such a cell would turn it into a formula.
                cell.quotePrefix = cell.value.startswith(_FORMULA_STARTS)
                cell.alignment = Alignment(wrap_text=True, vertical="top")


def _colour(sheet: Worksheet, relevances: pd.DataFrame) -> None:
    """Colour all relevances by one scale: red raises the score, blue lowers it."""
    limit = float(np.abs(relevances.to_numpy()).max(initial=0)) or 1.0
    # One rule for the whole sheet: a fill for each of 100,000 cells would double the file.
    rule = ColorScaleRule(
        start_type="num", start_value=-limit, start_color=LOWERS[1:],
        mid_type="num", mid_value=0, mid_color="FFFFFF",
        end_type="num", end_value=limit, end_color=RAISES[1:],
    )  # fmt: skip
    last = get_column_letter(2 + relevances.shape[1])
    sheet.conditional_formatting.add(f"C2:{last}{len(relevances) + 1}", rule)


def _mark_not_reliable(sheet: Worksheet, flags: pd.DataFrame) -> None:
    """Write relevances that cannot be told from noise in grey italics."""
    reliable = flags.drop(columns="absorbed").to_numpy() > 0
    for row, column in zip(*np.nonzero(~reliable), strict=True):
        sheet.cell(int(row) + 2, int(column) + 3).font = NOT_RELIABLE
