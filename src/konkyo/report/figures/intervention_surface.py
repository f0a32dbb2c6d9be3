"""The reaction surface of a period, in three dimensions and as contours (the paper's figure 6)."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from konkyo.i18n import Language, t
from konkyo.report.figures.fonts import apply_font
from konkyo.report.figures.intervention_series import LINEAR, NETWORK
from konkyo.report.figures.style import despine, new_figure, suptitle


def reaction_surface(
    surface: pd.DataFrame,
    months: pd.DataFrame,
    inputs: tuple[str, str],
    threshold: float,
    period: str,
    language: Language = "en",
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
    threshold : float
        The change of the rate at which the reaction begins, drawn where change is the first input
        and there is one.
    period : str
        What the period is called.
    language : str
        en or ja.

    Returns
    -------
    Figure
        Filled points are months of intervention, at its height; open ones are months without.
    """
    figure = new_figure(11.0, 4.8)
    suptitle(figure, t("intervention.title.surface", language, period=period))
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
    solid.set_xlabel(t(f"intervention.axis.{first}", language), fontsize=8)
    solid.set_ylabel(t(f"intervention.axis.{second}", language), fontsize=8)
    solid.set_zlabel(t("intervention.axis.share", language), fontsize=8)
    solid.tick_params(labelsize=7)
    rises_left = height[:, 0].mean() > height[:, -1].mean()
    solid.view_init(elev=25, azim=-50 if rises_left else -130)
    solid.set_box_aspect(None, zoom=0.88)

    flat = figure.add_subplot(1, 2, 2)
    filled = flat.contourf(a, b, height, levels=12, cmap="viridis", alpha=0.85)
    figure.colorbar(filled, ax=flat).set_label(t("intervention.axis.share", language), fontsize=8)
    flat.scatter(
        months[first][acted], months[second][acted], s=26, c="#D55E00", edgecolors="#000000",
        linewidths=0.6, label=t("intervention.legend.acted", language), clip_on=False, zorder=5,
    )  # fmt: skip
    flat.scatter(
        months[first][~acted], months[second][~acted], s=26, c="#FFFFFF", edgecolors="#000000",
        linewidths=0.6, label=t("intervention.legend.none", language), clip_on=False, zorder=5,
    )  # fmt: skip
    if first == "change" and np.isfinite(threshold):
        flat.axvline(
            threshold, color="#000000", linestyle="--", linewidth=1.2,
            label=t("intervention.legend.threshold", language, at=threshold),
        )  # fmt: skip
    flat.set_xlabel(t(f"intervention.axis.{first}", language), fontsize=9)
    flat.set_ylabel(t(f"intervention.axis.{second}", language), fontsize=9)
    flat.tick_params(labelsize=8)
    figure.legend(
        *flat.get_legend_handles_labels(), loc="outside upper right", ncols=3, frameon=False,
        fontsize=8,
    )  # fmt: skip
    return apply_font(figure, language)


def reaction_curves(
    curves: pd.DataFrame,
    thresholds: pd.DataFrame,
    periods: dict[str, str],
    language: Language = "en",
) -> Figure:
    """Draw the reaction to the month's move, with the spread between seeds, a panel a period.

    Parameters
    ----------
    curves : DataFrame
        period, move (per cent), share and spread (per cent of reserves), planted where the records
        are simulated.
    thresholds : DataFrame
        period, threshold (per cent of move).
    periods : dict
        Name of a period: what it is called.
    language : str
        en or ja.

    Returns
    -------
    Figure
        The line is the mean of the seeds, the band one deviation to either side.
    """
    rows = -(-len(periods) // 2)
    figure = new_figure(8.0, 0.6 + 2.5 * rows)
    panels = figure.subplots(rows, min(2, len(periods)), squeeze=False).ravel()
    for unused in panels[len(periods) :]:
        unused.remove()
    at = thresholds.set_index("period")["threshold"]
    for axes, (name, title) in zip(panels, periods.items(), strict=False):
        own = curves[curves["period"] == name]
        low, high = own["share"] - own["spread"], own["share"] + own["spread"]
        axes.fill_between(own["move"], low, high, color=NETWORK, alpha=0.2, linewidth=0)
        axes.plot(
            own["move"],
            own["share"],
            color=NETWORK,
            label=t("intervention.value.network", language),
        )
        if "planted" in own and own["planted"].notna().any():
            axes.plot(
                own["move"], own["planted"], color=LINEAR, linestyle="--",
                label=t("intervention.value.planted", language),
            )  # fmt: skip
        if np.isfinite(at[name]):
            axes.axvline(at[name], color="#000000", linestyle=":", linewidth=1.2)
        axes.set_title(f"{title}\n{threshold_text(at[name], language)}", fontsize=9)
        despine(axes)
        axes.tick_params(labelsize=8)
    suptitle(figure, t("intervention.title.curves", language))
    figure.supxlabel(t("intervention.axis.move", language), fontsize=9)
    figure.supylabel(t("intervention.axis.share", language), fontsize=9)
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside upper right", ncols=2, frameon=False,
        fontsize=8,
    )  # fmt: skip
    return apply_font(figure, language)


def threshold_text(at: float, language: Language) -> str:
    """Return a threshold in words; not every period's function has one."""
    if not math.isfinite(at):
        return t("intervention.legend.no_threshold", language)
    return t("intervention.legend.threshold", language, at=at)
