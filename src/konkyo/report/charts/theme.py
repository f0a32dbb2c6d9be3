"""Theme of all charts, and a chart as PNG and as Vega-Lite JSON.

A chart function takes one tidy table and returns one Altair chart without configuration: fonts,
axes and legends are set here when it is written. The same chart becomes

- a picture: ``save_png(chart, path, ppi=150)``, by vl-convert, without a browser or a network;
- a figure of a page: `konkyo.report.pages.html.Page.charts`, see there.

Ink, grid and paper are the constants of `konkyo.report.style`: a page replaces them with its own
colours of light or dark when it embeds the chart. Text on coloured cells takes its colour from the
luminance of the cell (`text_on`), since the middle of the diverging scale is the paper itself.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from konkyo.errors import require_extra
from konkyo.i18n import Language, t
from konkyo.io import atomic_write
from konkyo.report.style import GRID, INK, LOWERS, MUTED, PAPER, RAISES, width_of, wrapped

FONTS = Path(__file__).with_name("fonts")
FONT_FILE = FONTS / "ipaexg.ttf"
"""IPAexGothic, under the IPA Font License 1.0 beside it, which allows to embed it in documents."""
FONT = "Liberation Sans, IPAexGothic, sans-serif"
VEGA_LITE = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
"""The version of Vega-Lite that Altair writes: pictures and pages have to read the same one."""
WIDTH, HEIGHT = 640, 300
"""Pixels of the plot of an ordinary chart; a picture has `ppi` / 72 dots a pixel."""
ROW = 22
"""Pixels of a row of horizontal bars: room for a name in two lines."""
DIGITS = 6
"""Significant digits of numbers in charts: a line of 300 pixels has no use for more."""

CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": PAPER,
    "padding": 12,
    "view": {"stroke": None, "continuousWidth": WIDTH, "continuousHeight": HEIGHT},
    "title": {
        "anchor": "start", "frame": "bounds", "fontSize": 14, "color": INK, "offset": 12,
        "subtitleColor": MUTED, "subtitleFontSize": 11, "subtitlePadding": 6,
    },
    "axis": {
        "labelColor": INK, "titleColor": MUTED, "titleFontWeight": "normal", "titleFontSize": 12,
        "labelFontSize": 11, "gridColor": GRID, "tickColor": GRID, "domain": False,
        "labelLimit": 260, "titlePadding": 8, "labelOverlap": "greedy", "labelSeparation": 6,
    },
    "axisBand": {"grid": False, "ticks": False, "labelPadding": 6, "labelOverlap": False},
    "axisQuantitative": {"tickCount": 6},
    "legend": {
        "orient": "bottom", "title": None, "labelColor": INK, "labelFontSize": 11,
        "labelLimit": 420, "titleColor": MUTED, "titleFontWeight": "normal", "titleFontSize": 11,
        "titleLimit": 420, "symbolStrokeWidth": 2, "gradientLength": 220, "gradientThickness": 10,
    },
    "header": {
        "labelColor": INK, "labelFontSize": 11, "labelFontWeight": "bold", "title": None,
        "labelAnchor": "start", "labelOrient": "top", "labelPadding": 4,
    },
    "line": {"strokeWidth": 1.6},
    "rule": {"color": MUTED},
    "text": {"color": INK, "fontSize": 11},
    "bar": {"discreteBandSize": {"band": 0.86}},
}  # fmt: skip


def to_spec(chart: alt.TopLevelMixin | dict[str, Any]) -> dict[str, Any]:
    """Return the Vega-Lite JSON of a chart with the theme as its configuration.

    Parameters
    ----------
    chart : Altair chart
        Of any kind; its `usermeta` may hold title and note as single texts (see `titled`). What
        this function returned for a chart is returned as it is, so that a chart which is a
        picture and on a page is turned into JSON once.

    Returns
    -------
    dict
        The data stand in `datasets` by a name that is the digest of their rows, once however
        many layers use them; numbers have `DIGITS` significant digits.
    """
    if isinstance(chart, dict):
        return chart
    # Altair's limit of 5,000 rows is against notebooks that embed data; an effect map has 20,000.
    with alt.data_transformers.enable("default", max_rows=None):
        # The tests validate every chart against the schema, which takes as long as all the rest.
        spec = chart.to_dict(validate=False)
    spec["config"] = CONFIG
    for rows in spec.get("datasets", {}).values():
        for row in rows:
            for name, value in row.items():
                if isinstance(value, float):
                    row[name] = float(f"{value:.{DIGITS}g}")
    return spec


def save_pngs(charts: Mapping[Path, alt.TopLevelMixin | dict[str, Any]], ppi: int) -> None:
    """Write charts as PNG, replacing each file atomically.

    Parameters
    ----------
    charts : mapping
        Altair charts or their JSON by `to_spec`, by the path of the picture. Their text may be
        Japanese: the one font that this package carries is registered.
    ppi : int
        Dots an inch of 72 pixels.
    """

    def write(path: Path) -> None:
        spec = to_spec(charts[path])
        picture = _renderer().vegalite_to_png(spec, vl_version=VEGA_LITE, ppi=ppi)
        with atomic_write(path) as scratch:
            scratch.write_bytes(picture)

    for path in charts:
        write(path)


@cache
def _renderer() -> ModuleType:
    """Return vl_convert, which charts without pictures do not need, with this package's font."""
    require_extra("pipeline")
    import vl_convert

    vl_convert.register_font_directory(str(FONTS))
    return vl_convert


def titled(
    chart: alt.TopLevelMixin, title: str, note: str = "", width: int = WIDTH + 60
) -> alt.TopLevelMixin:
    """Set the title of a chart and a note below it, in lines no wider than the chart.

    Parameters
    ----------
    chart : Altair chart
        The chart itself is changed and returned.
    title, note : str
        Single texts, kept in `usermeta`; a page writes them above the figure as HTML.
    width : int
        Pixels of a line.
    """
    lines = {"text": wrapped(title, width / 14)}
    if note:
        lines["subtitle"] = wrapped(note, width / 11)
    chart.title = alt.TitleParams(**lines)
    meta = {} if chart.usermeta is alt.Undefined else chart.usermeta
    chart.usermeta = {**meta, "title": title, "note": note}
    return chart


def colours(
    names: Sequence[str],
    values: Sequence[str],
    field: str = "name",
    *,
    symbol: str = "square",
    width: int = WIDTH,
) -> alt.Color:
    """Return a colour for each name, and a legend in as many columns as there is room for.

    A single name needs no legend: the title or the axis says what is drawn. `symbol` is square
    for bars, stroke for lines, circle for points; of several layers Vega would take the first.
    """
    widest = max((width_of(name) for name in names), default=0) * 11 + 40
    columns = max(1, int(width / widest))
    look = {"symbolType": symbol, "symbolOpacity": 1, "columns": columns}
    legend = alt.Legend(**look) if len(names) > 1 else None
    scale = alt.Scale(domain=list(names), range=list(values))
    return alt.Color(f"{field}:N", scale=scale, legend=legend, sort=None)


def tips(*fields: tuple[str, ...]) -> list[alt.Tooltip]:
    """Return a tooltip of fields, each its shorthand, and its title and format where it has any."""
    tooltips = []
    for shorthand, *more in fields:
        title, form = [*more, "", ""][:2]
        # An empty title would show the field's name.
        options = {"format": form} if form else {}
        tooltips.append(alt.Tooltip(shorthand, title=title or " ", **options))
    return tooltips


def diverging(
    field: str, limit: float, title: str, *, signed: bool = True, form: str = "~g"
) -> alt.Color:
    """Return the one scale of relevance: blue lowers, paper does nothing, red raises.

    Not `signed`, for what is never negative, it has the half from paper to red.
    """
    domain = [-limit, 0, limit] if signed else [0, limit]
    scale = alt.Scale(
        domain=domain,
        range=[LOWERS, PAPER, RAISES][-len(domain) :],
        clamp=True,
        interpolate="lab",
    )
    return alt.Color(
        f"{field}:Q", scale=scale, legend=alt.Legend(title=title, format=form, type="gradient")
    )


def text_on(field: str, empty: str = "") -> dict[str, Any]:
    """Return the colour of a text on a cell of `diverging(field)`: dark on light, light on dark.

    The test reads the colour that the cell has, so it holds on a dark page too, where the middle
    of the scale is dark and both ends are light.
    """
    light = f"luminance(scale('color', datum['{field}'])) > 0.3"
    return alt.condition(light, alt.value("#101418"), alt.value("#f2f5f8"))


def months(
    field: str, table: pd.Series, title: str = "", *, band: bool = False, labels: bool = True
) -> alt.X:
    """Return a time axis for months: years, or months where the record is shorter than that.

    `band` gives each month its width, for bars and cells; without `labels` the axis is bare, for a
    panel above another one.
    """
    first, last = table.min(), table.max()
    years = last.year - first.year + 1
    if years > 2:
        step = 1 if years <= 12 else 2 if years <= 30 else 5
        axis = alt.Axis(format="%Y", tickCount={"interval": "year", "step": step})
    else:
        count = min(6, 12 * (last.year - first.year) + last.month - first.month + 1)
        axis = alt.Axis(format="%Y-%m", tickCount=count)
    axis.grid, axis.labels, axis.ticks, axis.labelFlush = False, labels, labels, False
    time = f"yearmonth({field}):T" if band else f"{field}:T"
    return alt.X(time, title=title or None, axis=axis, scale=alt.Scale(nice=False))


def per_cent(what: str, language: Language, digits: str = ".0%") -> dict[str, Any]:
    """Return title and axis of fractions that are shown as per cent; `what` is a key."""
    return {"title": t(what, language), "axis": alt.Axis(format=digits)}


# Only the first break is made: the rest stands in the second line, which labelLimit cuts.
_LONG = (
    "regexp('^((?=.{' + (letters + 1) + '}).{1,' + letters + '} |[ -~]{0,12}[^ -~]{' "
    "+ floor(letters / 2) + '}|(?=.{' + floor(letters * 0.75) + '}).*  )(?=.)')"
)
_BROKEN = f"split(replace(datum.label, {_LONG}, '$1\\n'), '\\n')"


def rows(field: str, names: Sequence[str], **settings: Any) -> alt.Y:
    """Return an axis of names that reads downwards, for plots of `ROW` pixels a row.

    A long name breaks once, at a space, between Japanese letters or before a value that follows
    it after two spaces; the page sets the parameter `letters` of `row_letters` lower where it is
    narrow. Without names the rows are in the order of the field `place`: a page hands them over.
    """
    # A second line would hang below its row's middle, so that the first one moves up.
    offset = alt.condition(f"test({_LONG}, datum.label)", alt.value(-6), alt.value(0))
    axis = alt.Axis(
        labelExpr=_BROKEN, labelOffset=offset, labelLineHeight=11, title=None, **settings
    )
    return alt.Y(f"{field}:N", sort=list(names) or BY_PLACE, axis=axis)


BY_PLACE = alt.EncodingSortField("place", op="min")
"""The order of rows that a page hands over; layers of a chart can share it for its `op`."""


def row_letters() -> alt.Parameter:
    """Return the parameter that `rows` needs: letters in a line of a name."""
    return alt.param(name="letters", value=40)


def zero_rule(along: str = "y", level: float = 0.0) -> alt.Chart:
    """Return a line across the plot at zero, or at a level, for the axis `along`.

    It never comes first in a chart: Vega-Lite takes the grid of an axis from the first layer.
    """
    datum = alt.YDatum(level) if along == "y" else alt.XDatum(level)
    rule = alt.Chart(alt.Data(values=[{}])).mark_rule(strokeWidth=1)
    return rule.encode(**{along: datum})


def rolling_mean(values: pd.Series, months: int = 12, least: int = 1) -> pd.Series:
    """Return the mean of the last months, where at least `least` of them are present."""
    return values.rolling(months, min_periods=least).mean()


def finite(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Return the rows of a table whose numbers can be drawn."""
    return table[np.isfinite(table[list(columns)].to_numpy(float)).all(axis=1)]
