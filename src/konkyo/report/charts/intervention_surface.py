"""Charts of the reaction surfaces (figures 6-1, 6-2): the paper's wireframe, and a heat map."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

from konkyo.dates import label
from konkyo.i18n import Language, t
from konkyo.report.charts.intervention import LINEAR, threshold_text
from konkyo.report.charts.theme import HEIGHT, WIDTH, tips, titled
from konkyo.report.style import INK, MUTED, PAPER

_CELLS = 41
"""Cells of the heat map in each direction, at most."""
_MESH = 21
"""Lines of the wireframe in each direction, at most."""


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
        """Return horizontal and vertical position, and distance on the floor, of [..., 3]."""
        a, b, c = np.moveaxis((points - self.low) / (self.high - self.low) - 0.5, -1, 0)
        cos, sin, tilt = np.cos(self.azimuth), np.sin(self.azimuth), np.radians(25)
        away = b * cos - a * sin
        return a * cos + b * sin, 0.65 * c * np.cos(tilt) + away * np.sin(tilt), away


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
        The surface in meshes, and its box; filled points are months of intervention at their
        actual share, open ones are months without.
    """
    grid = surface.pivot_table(index=inputs[0], columns=inputs[1], values="share")
    shares = grid.to_numpy()
    top = max(float(shares.max()), float(months["actual_share"].max()))
    # The lower side of the surface is in front, or it would hide the rest.
    turn = 1 if shares[0].mean() > shares[-1].mean() else -1
    project = Projection(
        low=np.array([grid.index[0], grid.columns[0], min(0.0, float(shares.min()))]),
        high=np.array([grid.index[-1], grid.columns[-1], top]),
        azimuth=turn * np.radians(38),
    )
    box, texts = _box(project, inputs, language)
    # Equal units in both directions; the names of the axes stand outside the box.
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-0.92, 0.92], nice=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[-0.72, 0.6], nice=False))
    points = _months(months, inputs, language)
    points["x"], points["y"], _ = project(months[[*inputs, "actual_share"]].to_numpy())
    path = {"x": x, "y": y, "detail": "line:N", "order": "order:Q"}
    # Meshes are drawn from the farthest to the nearest, which hide what is behind them.
    mesh = alt.Chart(_mesh(grid, project)).mark_line(stroke=INK, fill=PAPER, strokeWidth=0.7)
    text = alt.Chart(texts).mark_text(fontSize=11)
    chart = alt.layer(
        alt.Chart(box).mark_line(color=MUTED, strokeWidth=0.8).encode(**path),
        mesh.encode(**path),
        _points(points, x, y, language),
        text.encode(x=x, y=y, text="text:N", angle=alt.Angle("angle:Q", scale=None)),
    )
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
    share, *titles = (t(f"intervention.axis.{name}", language) for name in ("share", *inputs))
    look = {"scale": alt.Scale(nice=False, zero=False), "axis": alt.Axis(grid=False)}
    rect = alt.Chart(cells).mark_rect(strokeWidth=0)
    rect = rect.encode(
        x=alt.X(f"{first}_from:Q", title=titles[0], **look),
        x2=f"{first}_to",
        y=alt.Y(f"{second}_from:Q", title=titles[1], **look),
        y2=f"{second}_to",
        color=alt.Color(
            "share:Q", scale=alt.Scale(scheme="viridis"), legend=alt.Legend(title=share)
        ),
        tooltip=tips(
            (f"{first}:Q", titles[0], ".2f"),
            (f"{second}:Q", titles[1], ".1f"),
            ("share:Q", share, ".2f"),
        ),
    )
    x, y = alt.X(f"{first}:Q", title=titles[0]), alt.Y(f"{second}:Q", title=titles[1])
    layers, note = [rect, _points(_months(months, inputs, language), x, y, language)], ""
    if first == "change" and np.isfinite(threshold):
        rule = alt.Chart(pd.DataFrame({first: [threshold]})).mark_rule(
            strokeDash=[5, 4], strokeWidth=1.6, color="#F2F5F8"
        )
        layers.insert(1, rule.encode(x=x))
        note = threshold_text(threshold, language)
    chart = alt.layer(*layers).resolve_scale(color="independent")
    chart = chart.properties(width=WIDTH, height=HEIGHT)
    return titled(chart, t("intervention.title.contour", language, period=period), note)


def _mesh(grid: pd.DataFrame, project: Projection) -> pd.DataFrame:
    """Return the meshes of the wireframe, the farthest first: line, order, x and y of corners.

    Over a floor seen from one side no mesh hides one that is nearer, so that drawing them in this
    order leaves what is visible.
    """
    rows, columns = (
        np.unique(np.linspace(0, size - 1, min(size, _MESH)).astype(int)) for size in grid.shape
    )
    thin = grid.iloc[rows, columns]
    sides = np.meshgrid(thin.index, thin.columns, indexing="ij")
    x, y, away = project(np.stack([*sides, thin.to_numpy()], axis=-1))
    corners = [(slice(i, i - 1 or None), slice(j, j - 1 or None)) for i, j in _CORNERS]
    x, y, away = (np.stack([side[c] for c in corners], -1).reshape(-1, 5) for side in (x, y, away))
    nearest = np.argsort(-away.mean(1), kind="stable")
    lines = {"line": np.repeat(np.arange(len(x)), 5), "order": np.tile(np.arange(5), len(x))}
    return pd.DataFrame({**lines, "x": x[nearest].ravel(), "y": y[nearest].ravel()})


_CORNERS = ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))
"""The corners of a mesh in order, back to the first."""


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
        pd.DataFrame({"x": x, "y": y, "line": i, "order": range(len(x))})
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


def _occurred(language: Language) -> list[str]:
    return [t(f"intervention.legend.{key}_intervention", language) for key in ("with", "without")]


def _months(months: pd.DataFrame, inputs: Sequence[str], language: Language) -> pd.DataFrame:
    """Return the months as points: inputs, actual_share, label, and whether there was any."""
    return months[[*inputs, "actual_share"]].assign(
        label=[label(month) for month in months["month"]],
        occurred=np.where(months["actual_share"] > 0, *_occurred(language)),
    )


def _points(points: pd.DataFrame, x: alt.X, y: alt.Y, language: Language) -> alt.Chart:
    scale = alt.Scale(domain=_occurred(language), range=[LINEAR, "#FFFFFF"])
    share = t("intervention.axis.share", language)
    chart = alt.Chart(points).mark_point(
        filled=True, size=42, opacity=1, stroke="#101418", strokeWidth=0.8
    )
    tooltip = tips(("label:N",), ("actual_share:Q", share, ".2f"))
    return chart.encode(x=x, y=y, fill=alt.Fill("occurred:N", scale=scale), tooltip=tooltip)
