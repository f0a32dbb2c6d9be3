"""How far the grounds can be trusted: agreement with the truth, deletion curves."""

import pandas as pd
from matplotlib.figure import Figure

from konkyo.i18n import Language, display_name, t
from konkyo.report.figures.fonts import apply_font
from konkyo.report.figures.style import COLOURS, OTHER, canvas

PAPER = "lrp_epsilon"
MEASURES = ("rank_per_input", "rank_per_stock")


def truth_agreement(agreement: pd.DataFrame, language: Language = "en") -> Figure:
    """Draw the rank correlation of each method's relevances with the true contributions.

    Parameters
    ----------
    agreement : DataFrame
        method, measure, mean, standard_error, months.
    language : str
        en or ja.

    Returns
    -------
    Figure
        Two marks a method, with bars of two standard errors; the best method on top.
    """
    figure, axes = canvas(t("title.truth_agreement", language))
    table = agreement.pivot_table(index="method", columns="measure", values="mean")
    errors = agreement.pivot_table(index="method", columns="measure", values="standard_error")
    order = table["rank_per_stock"].sort_values().index
    marks = {"rank_per_input": ("o", COLOURS["long"]), "rank_per_stock": ("s", COLOURS["short"])}
    for shift, measure in zip((0.12, -0.12), MEASURES, strict=True):
        marker, colour = marks[measure]
        axes.errorbar(
            table.loc[order, measure],
            [place + shift for place in range(len(order))],
            xerr=2 * errors.reindex(order)[measure] if measure in errors else None,
            linestyle="none",
            marker=marker,
            markersize=5,
            color=colour,
            elinewidth=1,
            label=t(f"agreement.{measure}", language),
        )
    axes.set_yticks(range(len(order)), [display_name("method", name, language) for name in order])
    for label_text, name in zip(axes.get_yticklabels(), order, strict=True):
        label_text.set_fontweight("bold" if name == PAPER else "normal")
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)
    axes.axvline(0, color="#666666", linewidth=0.8)
    axes.set_xlabel(t("axis.agreement", language), fontsize=9)
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    return apply_font(figure, language)


def deletion_curves(deletion: pd.DataFrame, language: Language = "en") -> Figure:
    """Draw how far scores move as inputs are put to the centre, most relevant first.

    Parameters
    ----------
    deletion : DataFrame
        method, deleted (share of inputs), ordered and random (root mean square change of the
        score), auc.
    language : str
        en or ja.

    Returns
    -------
    Figure
        The paper's rule and the methods with the largest and the smallest area, and chance.
    """
    figure, axes = canvas(t("title.deletion_curves", language))
    areas = areas_of(deletion)
    colours = (COLOURS["spread"], COLOURS["long"], COLOURS["short"])
    for name, colour, width in zip(areas, colours, (2.2, 1.4, 1.4), strict=False):
        curve = deletion[deletion["method"] == name]
        label = t(
            "legend.area", language, method=display_name("method", name, language), area=areas[name]
        )
        axes.plot(curve["deleted"], curve["ordered"], color=colour, linewidth=width, label=label)
    chance = deletion[deletion["method"] == PAPER]
    label = t("legend.random_order", language)
    axes.plot(chance["deleted"], chance["random"], color=OTHER, linestyle="--", label=label)
    axes.set_xlabel(t("axis.deleted", language), fontsize=9)
    axes.set_ylabel(t("axis.score_change", language), fontsize=9)
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    return apply_font(figure, language)


def areas_of(deletion: pd.DataFrame) -> dict[str, float]:
    """Return the area of the paper's rule, of the best and of the worst of the other methods.

    Parameters
    ----------
    deletion : DataFrame
        method, auc.
    """
    areas = deletion.drop_duplicates("method").set_index("method")["auc"].sort_values()
    others = [name for name in areas.index if name != PAPER]
    return {name: float(areas[name]) for name in (PAPER, *others[-1:], *others[:1])}
