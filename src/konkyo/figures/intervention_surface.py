"""The reaction surface of a period, in three dimensions and as contours (the paper's figure 6)."""

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

AXES = {
    "change": "change of the rate (per cent)",
    "change_before": "change one month before (per cent)",
    "deviation": "deviation from parity (yen)",
    "balance": "trade balance (per cent of GDP)",
}


def reaction_surface(
    surface: pd.DataFrame,
    months: pd.DataFrame,
    inputs: tuple[str, str],
    threshold: float | None,
    title: str,
) -> Figure:
    """Draw the fitted reaction over two inputs, with the months that it was fitted on.

    Parameters
    ----------
    surface : DataFrame
        One period: the two inputs (a full grid) and share (per cent of reserves).
    months : DataFrame
        The period's months: the two inputs and actual_share (per cent of reserves).
    inputs : tuple of str
        The two inputs, the first on the x axis; the others are at their mean.
    threshold : float or None
        The change of the rate at which the reaction begins, drawn where change is the first input.
    title : str
        The period.

    Returns
    -------
    Figure
        Filled points are months of intervention, at its height; open ones are months without.
    """
    figure = Figure(figsize=(11.0, 4.8), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    first, second = inputs
    grid = surface.pivot_table(index=second, columns=first, values="share")
    a, b = np.meshgrid(grid.columns.to_numpy(), grid.index.to_numpy())
    height = grid.to_numpy()
    acted = (months["actual_share"] > 0).to_numpy()

    solid = figure.add_subplot(1, 2, 1, projection="3d")
    solid.plot_surface(a, b, height, cmap="viridis", alpha=0.75, linewidth=0, rcount=60, ccount=60)
    for which, face in ((acted, "#D55E00"), (~acted, "#FFFFFF")):
        own = months[which]
        solid.scatter(
            own[first], own[second], own["actual_share"], s=16, c=face, edgecolors="#000000",
            linewidths=0.6, depthshade=False,
        )  # fmt: skip
    solid.set_xlabel(AXES[first], fontsize=8)
    solid.set_ylabel(AXES[second], fontsize=8)
    solid.set_zlabel("intervention (per cent of reserves)", fontsize=8)
    solid.tick_params(labelsize=7)
    rises_left = height[:, 0].mean() > height[:, -1].mean()
    solid.view_init(elev=25, azim=-50 if rises_left else -130)
    solid.set_box_aspect(None, zoom=0.88)

    flat = figure.add_subplot(1, 2, 2)
    filled = flat.contourf(a, b, height, levels=12, cmap="viridis", alpha=0.85)
    figure.colorbar(filled, ax=flat).set_label("intervention (per cent of reserves)", fontsize=8)
    flat.scatter(
        months[first][acted], months[second][acted], s=26, c="#D55E00", edgecolors="#000000",
        linewidths=0.6, label="intervention", clip_on=False, zorder=5,
    )  # fmt: skip
    flat.scatter(
        months[first][~acted], months[second][~acted], s=26, c="#FFFFFF", edgecolors="#000000",
        linewidths=0.6, label="none", clip_on=False, zorder=5,
    )  # fmt: skip
    if threshold is not None and first == "change" and np.isfinite(threshold):
        flat.axvline(
            threshold, color="#000000", linestyle="--", linewidth=1.2,
            label=f"threshold {threshold:+.2f} per cent",
        )  # fmt: skip
    flat.set_xlabel(AXES[first], fontsize=9)
    flat.set_ylabel(AXES[second], fontsize=9)
    flat.tick_params(labelsize=8)
    figure.legend(
        *flat.get_legend_handles_labels(), loc="outside upper right", ncols=3, frameon=False,
        fontsize=8,
    )  # fmt: skip
    return figure
