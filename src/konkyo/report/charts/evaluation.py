"""Evaluation of attributions: deletion curves, agreement with the true contributions."""

import altair as alt
import pandas as pd

from konkyo.i18n import Language, display_name, t
from konkyo.report.charts.theme import ROW, colours, rows, tips, titled, zero_rule
from konkyo.report.style import COLOURS, INK, OTHER

PAPER_METHOD = "lrp_epsilon"
MEASURES = ("rank_per_input", "rank_per_stock")


def truth_agreement(agreement: pd.DataFrame, language: Language = "en") -> alt.LayerChart:
    """Return the rank correlation of each method's relevances with the true contributions.

    Parameters
    ----------
    agreement : DataFrame
        method, measure, mean, standard_error, months.
    language : str
        en or ja.

    Returns
    -------
    LayerChart
        Two marks a method, with bars of two standard errors; the best method on top.
    """
    rank_rows = agreement[agreement["measure"].isin(MEASURES)]
    best = rank_rows[rank_rows["measure"] == "rank_per_stock"].sort_values("mean", ascending=False)
    names = [display_name("method", name, language) for name in best["method"]]
    error = 2 * rank_rows["standard_error"].fillna(0.0)
    table = pd.DataFrame(
        {
            "name": [display_name("method", name, language) for name in rank_rows["method"]],
            "measure": [t(f"agreement.{measure}", language) for measure in rank_rows["measure"]],
            "mean": rank_rows["mean"],
            "low": rank_rows["mean"] - error,
            "high": rank_rows["mean"] + error,
        }
    )
    measures = [t(f"agreement.{measure}", language) for measure in MEASURES]
    emphasis = display_name("method", PAPER_METHOD, language)
    weight = alt.condition(alt.datum.value == emphasis, alt.value("bold"), alt.value("normal"))
    base = alt.Chart(table).encode(
        y=rows("name", names, labelFontWeight=weight),
        yOffset=alt.YOffset("measure:N", sort=measures),
        color=colours(measures, [COLOURS["long"], COLOURS["short"]], "measure", symbol="circle"),
    )
    title = t("axis.agreement", language)
    bars = base.mark_rule(strokeWidth=1).encode(x=alt.X("low:Q", title=title), x2="high:Q")
    marks = base.mark_point(filled=True, size=45, opacity=1).encode(
        x=alt.X("mean:Q", title=title),
        shape=alt.Shape(
            "measure:N", sort=None, scale=alt.Scale(domain=measures, range=["circle", "square"])
        ),
        tooltip=tips(("name:N",), ("measure:N",), ("mean:Q", title, ".3f")),
    )
    chart = alt.layer(bars, zero_rule("x"), marks)
    chart = chart.properties(height=ROW * len(names))
    return titled(chart, t("title.truth_agreement", language))


def deletion_curves(deletion: pd.DataFrame, language: Language = "en") -> alt.Chart:
    """Return how far scores move as inputs are replaced by their baseline, most relevant first.

    Parameters
    ----------
    deletion : DataFrame
        method, deleted (share of inputs), ordered and random (root mean square change of the
        score), area.
    language : str
        en or ja.

    Returns
    -------
    Chart
        The paper's rule, the methods with the largest and the smallest area, and random order.
    """
    areas = deletion_areas(deletion)
    parts, names = [], []
    for method, area in areas.items():
        called = display_name("method", method, language)
        names.append(t("legend.area", language, method=called, area=area))
        curve = deletion[deletion["method"] == method]
        parts.append(curve[["deleted"]].assign(change=curve["ordered"], name=names[-1]))
    random = t("legend.random_order", language)
    curve = deletion[deletion["method"] == next(iter(areas))]
    parts.append(curve[["deleted"]].assign(change=curve["random"], name=random))
    table = pd.concat(parts)
    paint = [*(INK, COLOURS["long"], COLOURS["short"])[: len(names)], OTHER]
    deleted, change = t("axis.deleted", language), t("axis.score_change", language)
    dash = alt.condition(alt.datum.name == random, alt.value([5, 4]), alt.value([1, 0]))
    chart = (
        alt.Chart(table)
        .mark_line(point="transparent", strokeWidth=1.8)
        .encode(
            x=alt.X("deleted:Q", title=deleted, axis=alt.Axis(format=".0%")),
            y=alt.Y("change:Q", title=change),
            color=colours([*names, random], paint, symbol="stroke"),
            strokeDash=dash,
            tooltip=tips(("name:N",), ("deleted:Q", deleted, ".0%"), ("change:Q", change, ".3f")),
        )
    )
    return titled(chart, t("title.deletion_curves", language))


def deletion_areas(deletion: pd.DataFrame) -> dict[str, float]:
    """Return the area of the paper's rule, of the best and of the worst of the other methods."""
    areas = deletion.drop_duplicates("method").set_index("method")["auc"].sort_values()
    others = [str(name) for name in areas.index if name != PAPER_METHOD]
    paper = [PAPER_METHOD] if PAPER_METHOD in areas.index else []
    return {name: float(areas[name]) for name in dict.fromkeys([*paper, *others[-1:], *others[:1]])}
