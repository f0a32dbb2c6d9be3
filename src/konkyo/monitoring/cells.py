"""Cells of a workbook: names stay text, colours are those of figure 8."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from konkyo.report.figures.style import LOWERS, RAISES

LONGEST = 32_767
"""Characters that a cell holds."""
SHADES = 24
_STARTS = ("=", "+", "-", "@", "\t", "\r")
_HEAD = PatternFill("solid", fgColor="F0F2F5")
_HEIGHT = 62


def text(sheet: Worksheet, value: object, **style: Any) -> WriteOnlyCell:
    """Return a cell that shows a text as it is, whatever it begins with.

    A text like a formula is stored as text and marked as such, so that editing the cell does not
    turn it into one. Characters that a workbook cannot hold are replaced.
    """
    words = "" if pd.isna(value) else ILLEGAL_CHARACTERS_RE.sub("\ufffd", str(value))[:LONGEST]
    cell = WriteOnlyCell(sheet, words)
    cell.data_type = "s"
    if words.startswith(_STARTS):
        cell.quotePrefix = True
    return _styled(cell, style)


def number(sheet: Worksheet, value: float, form: str, **style: Any) -> WriteOnlyCell:
    """Return a cell with a number in a format; one that is not finite is empty."""
    cell = WriteOnlyCell(sheet, float(value) if np.isfinite(value) else None)
    cell.number_format = form
    return _styled(cell, style)


def heads(sheet: Worksheet, names: Iterable[str], widths: Sequence[float]) -> list[WriteOnlyCell]:
    """Return the head row of a sheet whose columns get these widths; it is the first one written.

    Parameters
    ----------
    sheet : Worksheet
        Still empty, as a sheet that is written row by row takes widths before its rows.
    names : iterable of str
        One a column.
    widths : sequence of float
        In letters.
    """
    for place, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.row_dimensions[1].height = _HEIGHT
    look = {
        "font": Font(bold=True),
        "fill": _HEAD,
        "alignment": Alignment(wrap_text=True, vertical="bottom"),
    }
    return [text(sheet, name, **look) for name in names]


def shade(value: float, limit: float) -> PatternFill | None:
    """Return the fill of a relevance: red above 0, blue below, none near it.

    Parameters
    ----------
    value : float
        In units of the score.
    limit : float
        The end of the scale, above 0; what is beyond has the colour of the end.
    """
    step = round(float(np.clip(value / limit, -1, 1)) * SHADES)
    return None if step == 0 else _FILLS[step]


def _fill(step: int) -> PatternFill:
    """Return white mixed with the end of the scale, as the figures' diverging scale does."""
    end = RAISES if step > 0 else LOWERS
    part = abs(step) / SHADES
    mixed = [round(255 + (int(end[at : at + 2], 16) - 255) * part) for at in (1, 3, 5)]
    return PatternFill("solid", fgColor="".join(f"{one:02X}" for one in mixed))


_FILLS = {step: _fill(step) for step in range(-SHADES, SHADES + 1) if step}


def _styled(cell: WriteOnlyCell, style: dict[str, Any]) -> WriteOnlyCell:
    for name, value in style.items():
        if value is not None:
            setattr(cell, name, value)
    return cell
