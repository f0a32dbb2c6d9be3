"""Charts of the reaction surfaces (figures 6-1, 6-2): wireframe, heat map, sections."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd
from scipy.interpolate import RegularGridInterpolator
from scipy.ndimage import binary_opening

from konkyo.dates import label
from konkyo.i18n import Language, t
from konkyo.report.charts.intervention import LINEAR, threshold_text
from konkyo.report.charts.theme import HEIGHT, WIDTH, titled
from konkyo.report.style import INK, MUTED

_CELLS = 41
"""Cells of the heat map in each direction, at most."""
_MESH = 21
"""Lines of the wireframe in each direction."""
_DENSE, _PIXELS = 900, 300
"""Points a side of the surface that fill the depth buffer, and its resolution."""
_SECTIONS = ("#440154", "#3B528B", "#21918C", "#5EC962", "#B8A70C")
"""Colours of the sections, viridis from the lowest to the highest value of the second input."""


@dataclass(frozen=True)
class Projection:
    """Orthographic projection of the box around a surface.

    Attributes
    ----------
    low, high : numpy.ndarray
        [3] ends of the box: first input, second input, reaction.
    azimuth : float
        Radians by which the box is turned about its vertical axis.
    """

    low: np.ndarray
    high: np.ndarray
    azimuth: float

    def __call__(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return horizontal and vertical position and distance from the viewer of [..., 3]."""
        a, b, c = np.moveaxis((points - self.low) / (self.high - self.low) - 0.5, -1, 0)
        cos, sin, tilt = np.cos(self.azimuth), np.sin(self.azimuth), np.radians(25)
        across, away, up = a * cos + b * sin, b * cos - a * sin, 0.65 * c
        vertical = up * np.cos(tilt) + away * np.sin(tilt)
        return across, vertical, away * np.cos(tilt) - up * np.sin(tilt)


def reaction_wireframe(
    surface: pd.DataFrame,
    months: pd.DataFrame,
    *,
    inputs: tuple[str, str],
    period: str,
    number: str,
    language: Language = "en",
) -> alt.LayerChart:
    """Draw the fitted reaction over two inputs as the paper does, a wireframe in projection.

    Parameters
    ----------
    surface : DataFrame
        One period: the two inputs (a full grid) and share (per cent of reserves).
    months : DataFrame
        The period's months: month, the two inputs and actual_share (per cent of reserves).
    inputs : tuple of str
        Names of the two inputs; all others are at their mean.
    period : str
        Display name of the period.
    number : str
        Number of the figure.
    language : str
        en or ja.

    Returns
    -------
    LayerChart
        One line mark for the visible part of the surface and for its box; filled points are months
        of intervention at their actual share, open ones are months without.
    """
    first, second = inputs
    grid = surface.pivot_table(index=first, columns=second, values="share")
    sides = grid.index.to_numpy(), grid.columns.to_numpy()
    shares = grid.to_numpy()
    top = max(float(shares.max()), float(months["actual_share"].max()))
    # The lower side of the surface is in front, or it would hide the rest.
    turn = 1 if shares[0].mean() > shares[-1].mean() else -1
    project = Projection(
        low=np.array([sides[0][0], sides[1][0], min(0.0, float(shares.min()))]),
        high=np.array([sides[0][-1], sides[1][-1], top]),
        azimuth=turn * np.radians(38),
    )
    mesh = _visible_mesh(RegularGridInterpolator(sides, shares), project)
    box, texts = _box(project, inputs, language)
    lines = pd.concat([mesh.assign(part="surface"), box.assign(part="box")])
    # Equal units in both directions; the names of the axes stand outside the box.
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-0.92, 0.92], nice=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[-0.72, 0.6], nice=False))
    line = (
        alt.Chart(lines)
        .mark_line(clip=True, strokeWidth=0.8)
        .encode(
            x=x,
            y=y,
            detail="line:N",
            order="order:Q",
            # By a scale: a page replaces the ink of the chart, but not what stands in its data.
            color=alt.Color(
                "part:N",
                scale=alt.Scale(domain=["surface", "box"], range=[INK, MUTED]),
                legend=None,
            ),
        )
    )
    points = _months(months, inputs, language)
    points["x"], points["y"], _ = project(months[[*inputs, "actual_share"]].to_numpy())
    text = (
        alt.Chart(texts)
        .mark_text(fontSize=11)
        .encode(x=x, y=y, text="text:N", angle=alt.Angle("angle:Q", scale=None))
    )
    chart = alt.layer(line, _points(points, x, y, language), text)
    chart = chart.resolve_scale(color="independent")
    chart = chart.properties(width=WIDTH, height=WIDTH * 1.32 / 1.84)
    return titled(chart, t("intervention.title.surface", language, period=period, number=number))


def reaction_map(
    surface: pd.DataFrame,
    months: pd.DataFrame,
    *,
    inputs: tuple[str, str],
    threshold: float,
    period: str,
    language: Language = "en",
) -> alt.LayerChart:
    """Draw the fitted reaction as a heat map, with the months on it.

    Parameters
    ----------
    surface, months, inputs, period, language
        As of `reaction_wireframe`.
    threshold : float
        Change of the rate at which the reaction begins, drawn where change is the first input;
        NaN without one.
    """
    first, second = inputs
    grid = surface.pivot_table(index=first, columns=second, values="share")
    step = -(-len(grid) // _CELLS)
    cells = grid.iloc[::step, ::step].reset_index().melt(first, value_name="share")
    # Cells overlap a little, or the background would show between them.
    widths = [0.54 * np.diff(side[::step]).mean() for side in (grid.index, grid.columns)]
    for name, width in zip(inputs, widths, strict=True):
        cells[f"{name}_from"], cells[f"{name}_to"] = cells[name] - width, cells[name] + width
    share = t("intervention.axis.share", language)
    titles = [t(f"intervention.axis.{name}", language) for name in inputs]
    exact = alt.Scale(nice=False, zero=False)
    x = alt.X(f"{first}_from:Q", title=titles[0], scale=exact, axis=alt.Axis(grid=False))
    y = alt.Y(f"{second}_from:Q", title=titles[1], scale=exact, axis=alt.Axis(grid=False))
    rect = (
        alt.Chart(cells)
        .mark_rect(strokeWidth=0)
        .encode(
            x=x,
            x2=f"{first}_to",
            y=y,
            y2=f"{second}_to",
            color=alt.Color(
                "share:Q", scale=alt.Scale(scheme="viridis"), legend=alt.Legend(title=share)
            ),
            tooltip=[
                alt.Tooltip(f"{first}:Q", title=titles[0], format=".2f"),
                alt.Tooltip(f"{second}:Q", title=titles[1], format=".1f"),
                alt.Tooltip("share:Q", title=share, format=".2f"),
            ],
        )
    )
    points = _months(months, inputs, language)
    layers = [
        rect,
        _points(
            points,
            alt.X(f"{first}:Q", title=titles[0]),
            alt.Y(f"{second}:Q", title=titles[1]),
            language,
        ),
    ]
    note = ""
    if first == "change" and np.isfinite(threshold):
        rule = alt.Chart(pd.DataFrame({first: [threshold]})).mark_rule(
            strokeDash=[5, 4], strokeWidth=1.6, color="#F2F5F8"
        )
        layers.insert(1, rule.encode(x=alt.X(f"{first}:Q", title=titles[0])))
        note = threshold_text(threshold, language)
    chart = alt.layer(*layers).resolve_scale(color="independent")
    chart = chart.properties(width=WIDTH, height=HEIGHT)
    return titled(chart, t("intervention.title.contour", language, period=period), note)


def reaction_sections(
    surface: pd.DataFrame, *, inputs: tuple[str, str], period: str, language: Language = "en"
) -> alt.Chart:
    """Draw sections of the fitted reaction: over the first input, at five values of the second.

    Parameters
    ----------
    surface, inputs, period, language
        As of `reaction_wireframe`; surface has std (across seeds) too.
    """
    first, second = inputs
    values = np.unique(surface[second])
    cuts = values[np.linspace(0, len(values) - 1, min(len(_SECTIONS), len(values))).astype(int)]
    table = surface[surface[second].isin(cuts)][[first, second, "share", "std"]]
    table = table.sort_values([second, first], ignore_index=True)
    # By a text: numbers of a chart are rounded, and would miss the domain of the colours.
    table["level"] = [f"{value:.3g}".replace("-", "\u2212") for value in table[second]]
    share = t("intervention.axis.share", language)
    titles = [t(f"intervention.axis.{name}", language) for name in inputs]
    levels = table["level"].unique().tolist()
    colour = alt.Color(
        "level:N",
        scale=alt.Scale(domain=levels, range=list(_SECTIONS[: len(levels)])),
        sort=None,
        legend=alt.Legend(title=titles[1], columns=len(levels)),
    )
    chart = (
        alt.Chart(table)
        .mark_line()
        .encode(
            x=alt.X(f"{first}:Q", title=titles[0], scale=alt.Scale(nice=False, zero=False)),
            y=alt.Y("share:Q", title=share),
            color=colour,
            tooltip=[
                alt.Tooltip("level:N", title=titles[1]),
                alt.Tooltip(f"{first}:Q", title=titles[0], format=".2f"),
                alt.Tooltip("share:Q", title=share, format=".2f"),
                alt.Tooltip("std:Q", title=t("intervention.column.std", language), format=".2f"),
            ],
        )
    )
    chart = chart.properties(width=WIDTH, height=HEIGHT)
    return titled(chart, t("intervention.title.sections", language, period=period))


def _visible_mesh(height: RegularGridInterpolator, project: Projection) -> pd.DataFrame:
    """Return the lines of the wireframe: line, order, x and y, missing where it is hidden.

    Hidden by a depth buffer rather than by sorting faces: it needs no polygons, and any surface
    over two inputs is right.
    """
    ends = list(zip(project.low[:2], project.high[:2], strict=True))
    dense = np.meshgrid(*(np.linspace(*end, _DENSE) for end in ends), indexing="ij")
    x, y, distance = project(_lifted(dense, height))
    nearest = np.full((_PIXELS, _PIXELS), np.inf)
    np.minimum.at(nearest, (_pixel(x), _pixel(y)), distance)
    parts = []
    for along in (0, 1):
        run = np.linspace(*ends[along], 4 * _MESH + 1)
        for i, level in enumerate(np.linspace(*ends[1 - along], _MESH)):
            pair = [run, np.full_like(run, level)][:: 1 if along == 0 else -1]
            x, y, distance = project(_lifted(pair, height))
            # A pixel spans some depth where the surface recedes: lines on it are not behind it.
            visible = distance <= nearest[_pixel(x), _pixel(y)] + 0.03
            # Single visible points at the edge of what hides a line are rounding of the pixels.
            visible = binary_opening(visible, np.ones(4))
            line = pd.DataFrame({"x": x, "y": np.where(visible, y, np.nan)})
            parts.append(line.assign(line=f"{along}/{i}", order=np.arange(len(line))))
    return pd.concat(parts, ignore_index=True)


def _lifted(inputs: Sequence[np.ndarray], height: RegularGridInterpolator) -> np.ndarray:
    """Return points of the surface over two inputs, [..., 3]."""
    pair = np.stack(inputs, axis=-1)
    return np.concatenate([pair, height(pair)[..., None]], axis=-1)


def _pixel(position: np.ndarray) -> np.ndarray:
    return np.clip(((position + 1) / 2 * _PIXELS).astype(int), 0, _PIXELS - 1)


def _box(
    project: Projection, inputs: tuple[str, str], language: Language
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the lines of the floor and the vertical axis with ticks, and the texts beside them."""
    (a0, b0, c0), (a1, b1, c1) = project.low, project.high
    right = project.azimuth > 0
    # The floor's nearest edge along the second input, and the corner at the left for the reaction.
    front, corner = (a1, (a0, b0)) if right else (a0, (a0, b1))
    floor = [(a0, b0, c0), (a1, b0, c0), (a1, b1, c0), (a0, b1, c0), (a0, b0, c0)]
    paths = [project(np.array(path))[:2] for path in (floor, [(*corner, c0), (*corner, c1)])]
    axes = (
        # Name, ends of the edge, and the direction in the picture that leads away from the box.
        (inputs[0], (a0, b0, c0), (a1, b0, c0), (-0.3 if right else 0.3, -1.0)),
        (inputs[1], (front, b0, c0), (front, b1, c0), (1.0 if right else -1.0, -0.6)),
        ("share", (*corner, c0), (*corner, c1), (-1.0, 0.0)),
    )
    texts: list[tuple[str, float, float, float]] = []
    for i, (name, start, end, (dx, dy)) in enumerate(axes):
        edge = np.array([start, end])
        (x0, x1), (y0, y1), _ = project(edge)
        for tick in _ticks(*edge[:, i]):
            part = (tick - edge[0, i]) / (edge[1, i] - edge[0, i])
            x, y = x0 + part * (x1 - x0), y0 + part * (y1 - y0)
            paths.append((np.array([x, x + 0.015 * dx]), np.array([y, y + 0.015 * dy])))
            texts.append((f"{tick:g}".replace("-", "\u2212"), x + 0.05 * dx, y + 0.05 * dy, 0.0))
        # The title runs along its edge, readable from below or from the left.
        angle = (-np.degrees(np.arctan2(y1 - y0, x1 - x0)) + 90) % 180 - 90
        title = t(f"intervention.axis.{name}", language)
        texts.append((title, (x0 + x1) / 2 + 0.14 * dx, (y0 + y1) / 2 + 0.14 * dy, angle))
    lines = [
        pd.DataFrame({"x": x, "y": y, "line": f"box/{i}", "order": range(len(x))})
        for i, (x, y) in enumerate(paths)
    ]
    return pd.concat(lines, ignore_index=True), pd.DataFrame(
        texts, columns=["text", "x", "y", "angle"]
    )


def _ticks(low: float, high: float) -> np.ndarray:
    """Return about five round numbers in a range."""
    rough = (high - low) / 6
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough)
    # Adding 0 turns -0 into 0.
    return np.round(np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step, 10) + 0.0


def _months(months: pd.DataFrame, inputs: Sequence[str], language: Language) -> pd.DataFrame:
    """Return the months as points: inputs, actual_share, label, and whether there was any."""
    occurred = months["actual_share"] > 0
    return months[[*inputs, "actual_share"]].assign(
        label=[label(month) for month in months["month"]],
        occurred=np.where(
            occurred,
            t("intervention.legend.with_intervention", language),
            t("intervention.legend.without_intervention", language),
        ),
    )


def _points(points: pd.DataFrame, x: alt.X, y: alt.Y, language: Language) -> alt.Chart:
    names = [
        t(f"intervention.legend.{key}", language)
        for key in ("with_intervention", "without_intervention")
    ]
    return (
        alt.Chart(points)
        .mark_point(filled=True, size=42, opacity=1, stroke="#101418", strokeWidth=0.8)
        .encode(
            x=x,
            y=y,
            fill=alt.Fill("occurred:N", scale=alt.Scale(domain=names, range=[LINEAR, "#FFFFFF"])),
            tooltip=[
                alt.Tooltip("label:N", title=" "),
                alt.Tooltip(
                    "actual_share:Q", title=t("intervention.axis.share", language), format=".2f"
                ),
            ],
        )
    )
