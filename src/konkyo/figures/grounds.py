"""How far the grounds can be trusted: agreement with the truth, deletion curves."""

import pandas as pd
from matplotlib.figure import Figure

from konkyo.figures.style import COLOURS, OTHER, canvas

PAPER = "lrp_epsilon"
METHODS = {
    "lrp_epsilon": "LRP epsilon (the paper's)",
    "lrp_gamma": "LRP gamma",
    "lrp_alpha2_beta1": "LRP alpha 2 beta 1",
    "lrp_alpha1_beta0": "LRP alpha 1 beta 0",
    "lrp_z_plus": "LRP z-plus",
    "gradient_input": "gradient x input",
    "integrated_gradients": "integrated gradients",
    "deep_lift": "DeepLIFT",
    "shapley_sampling": "Shapley sampling",
    "linear": "linear model's coefficients x input",
}
_MEASURES = {
    "rank_per_input": "over stocks, by input",
    "rank_per_stock": "over inputs, by stock",
}


def truth_agreement(agreement: pd.DataFrame) -> Figure:
    """Draw the rank correlation of each method's relevances with the true contributions.

    Parameters
    ----------
    agreement : DataFrame
        method, measure, mean, standard_error, months.

    Returns
    -------
    Figure
        Two marks a method, with bars of two standard errors; the best method on top.
    """
    figure, axes = canvas("Rank correlation of relevances with the true contributions")
    table = agreement.pivot_table(index="method", columns="measure", values="mean")
    errors = agreement.pivot_table(index="method", columns="measure", values="standard_error")
    order = table["rank_per_stock"].sort_values().index
    marks = {"rank_per_input": ("o", COLOURS["long"]), "rank_per_stock": ("s", COLOURS["short"])}
    for shift, (measure, label) in zip((0.12, -0.12), _MEASURES.items(), strict=True):
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
            label=label,
        )
    axes.set_yticks(range(len(order)), [METHODS.get(name, name) for name in order])
    for label_text, name in zip(axes.get_yticklabels(), order, strict=True):
        label_text.set_fontweight("bold" if name == PAPER else "normal")
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)
    axes.axvline(0, color="#666666", linewidth=0.8)
    axes.set_xlabel("rank correlation, mean over months (bars: two standard errors)", fontsize=9)
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    return figure


def deletion_curves(deletion: pd.DataFrame) -> Figure:
    """Draw how far scores move as inputs are put to the centre, most relevant first.

    Parameters
    ----------
    deletion : DataFrame
        method, deleted (share of inputs), ordered and random (root mean square change of the
        score), area.

    Returns
    -------
    Figure
        The paper's rule and the methods with the largest and the smallest area, and chance.
    """
    figure, axes = canvas("Change of the score as inputs are put to the centre")
    areas = deletion.drop_duplicates("method").set_index("method")["area"].sort_values()
    named = {PAPER: (COLOURS["spread"], 2.2)}
    others = [name for name in areas.index if name != PAPER]
    named[others[-1]] = (COLOURS["long"], 1.4)
    named[others[0]] = (COLOURS["short"], 1.4)
    for name, (colour, width) in named.items():
        curve = deletion[deletion["method"] == name]
        label = f"{METHODS.get(name, name)}, area {areas[name]:+.2f}"
        axes.plot(curve["deleted"], curve["ordered"], color=colour, linewidth=width, label=label)
    chance = deletion[deletion["method"] == PAPER]
    axes.plot(
        chance["deleted"], chance["random"], color=OTHER, linestyle="--", label="random order"
    )
    axes.set_xlabel("share of inputs put to the centre, most relevant first", fontsize=9)
    axes.set_ylabel("root mean square change of the score", fontsize=9)
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    return figure
