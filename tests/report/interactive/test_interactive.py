"""Interactive figures show what the pictures show, are slim, and bear any name."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

import small_tables as small
from konkyo.i18n import Language
from konkyo.report import figures, interactive
from konkyo.report.interactive.style import INK

HOSTILE = "</script><script>alert(1)</script>"

_MONTHS = pd.date_range("2015-01-31", periods=30, freq="ME")


def _cumulative() -> pd.DataFrame:
    rows = [
        pd.DataFrame(
            {
                "month": _MONTHS + pd.offsets.MonthEnd(1),
                "model": model,
                "portfolio": portfolio,
                "cumulative": np.linspace(0, end, 30),
            }
        )
        for model, end in (("network", 1.0), ("ridge", 0.5))
        for portfolio in ("long", "short", "spread", "market")
    ]
    return pd.concat(rows, ignore_index=True)


def _returns() -> pd.DataFrame:
    values = np.linspace(-0.1, 0.1, 30)
    earned = _MONTHS + pd.offsets.MonthEnd(1)
    return pd.DataFrame(
        {"month": _MONTHS, "earned": earned, "model": "network", "spread": values}
    ).assign(rank_ic=values)


def _performance() -> pd.DataFrame:
    measures = ["annual_return", "annual_volatility", "sharpe_ratio", "max_drawdown", "hit_rate"]
    row = {"model": "network", "portfolio": "spread", **dict.fromkeys(measures, 0.1), "months": 9}
    return pd.DataFrame([row])


_DECILES = pd.DataFrame(
    {
        "model": ["network"] * 3 + ["ridge"] * 3 + ["placebo"] * 3,
        "quantile": [1, 2, 3] * 3,
        "annual_return": [0.02, 0.05, 0.11, 0.03, 0.04, 0.09, 0.5, 0.5, 0.5],
        "months": [30] * 6 + [8] * 3,
    }
)
_DELETION = pd.DataFrame(
    {
        "method": ["lrp_epsilon"] * 2 + ["deep_lift"] * 2 + ["lrp_gamma"] * 2,
        "deleted": [0.0, 1.0] * 3,
        "ordered": [0.0, 1.0] * 3,
        "random": [0.0, 0.5] * 3,
        "auc": [0.3] * 2 + [0.5] * 2 + [0.2] * 2,
    }
)
_AGREEMENT = pd.DataFrame(
    {
        "method": ["lrp_epsilon"] * 2 + ["ridge"] * 2,
        "measure": ["rank_per_input", "rank_per_stock"] * 2,
        "mean": [0.5, 0.6, 0.3, 0.7],
        "standard_error": [0.05] * 4,
        "months": [15] * 4,
    }
)

DRAW: dict[str, Callable[[Language], go.Figure]] = {
    "portfolio_growth": lambda lang: interactive.portfolio_growth(_cumulative(), language=lang),
    "model_growth": lambda lang: interactive.model_growth(_cumulative(), language=lang),
    "monthly_rank_ic": lambda lang: interactive.monthly_rank_ic(_returns(), language=lang),
    "monthly_spread": lambda lang: interactive.monthly_spread(_returns(), language=lang),
    "quantile_returns": lambda lang: interactive.quantile_returns(_DECILES, language=lang),
    "performance_table": lambda lang: interactive.performance_table(_performance(), language=lang),
    "deletion_curves": lambda lang: interactive.deletion_curves(_DELETION, language=lang),
    "truth_agreement": lambda lang: interactive.truth_agreement(_AGREEMENT, language=lang),
    "stock_heat": lambda lang: interactive.stock_heat(small.stocks(), small.LABELS, lang),
    "change_bars": lambda lang: interactive.change_bars(small.changes(), small.LABELS, "A", lang),
    "factor_bars": lambda lang: interactive.factor_bars(small.means(), small.LABELS, lang),
    "factor_scatter": lambda lang: interactive.factor_scatter(
        small.points(), small.shape(), small.LABELS, "return_1", lang
    ),
    "market_lines": lambda lang: interactive.market_lines(small.over_time(), small.LABELS, lang),
    "market_quantile_bars": lambda lang: interactive.market_quantile_bars(
        small.quantiles(), small.LABELS, lang
    ),
    "group_lines": lambda lang: interactive.group_lines(small.groups(), small.LABELS, lang),
    "effect_map": lambda lang: interactive.effect_map(small.effects(), small.LABELS, lang),
    "exposure_lines": lambda lang: interactive.exposure_lines(small.exposure(), small.LABELS, lang),
    "exposure_bars": lambda lang: interactive.exposure_bars(small.exposure(), small.LABELS, lang),
    "relevance_turnover_bars": lambda lang: interactive.relevance_turnover_bars(
        small.turnover(), small.LABELS, lang
    ),
}


def test_every_picture_has_its_twin() -> None:
    pictures = set(figures.__all__) - {"performance_markdown", "save"}
    assert pictures == set(DRAW) == set(interactive.__all__) - {"DARK", "embedded", "write"}


@pytest.mark.parametrize("name", DRAW)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_figures_are_slim_and_transparent(name: str, language: Language) -> None:
    figure = DRAW[name](language)
    layout = json.loads(figure.to_json())["layout"]
    assert not layout.get("template")
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
    assert layout["font"]["color"] == INK
    assert layout["title"]["text"]
    # Black would be lost on a dark page: the ink is replaced there.
    assert "#000000" not in figure.to_json()
    assert bool(re.search("[ぁ-ん一-龥ァ-ヴ]", layout["title"]["text"])) == (language == "ja")


def test_the_colours_of_dark_pages_are_no_parts_of_each_other() -> None:
    light, dark = list(interactive.DARK), list(interactive.DARK.values())
    assert len(set(light + dark)) == 2 * len(light)
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in light + dark)


def test_cells_tell_value_and_relevance_and_rows_add_up() -> None:
    cells, rest = interactive.stock_heat(small.stocks(), small.LABELS, most=2).data
    assert [row[0] for row in cells.text] == ["0.90", "0.50", "0.00", "-1.00"]
    np.testing.assert_allclose(cells.z[3], [-0.40, -0.05])
    assert cells.zmax == -cells.zmin == pytest.approx(0.4)
    assert cells.customdata[1][0] == "&lt;b&gt;B<br>Return"
    assert list(rest.text) == ["+0.00", "+0.05", "+0.01", "+0.05"]


def test_change_bars_add_up() -> None:
    (bars,) = DRAW["change_bars"]("en").data
    np.testing.assert_allclose(bars.x, [0.1, 0.25, -0.1, 0.04, 0.0, 0.01, 0.3], atol=1e-6)
    ends = np.asarray(bars.base, dtype=float) + np.asarray(bars.x, dtype=float)
    np.testing.assert_allclose(ends, [0.1, 0.35, 0.25, 0.29, 0.29, 0.3, 0.3], atol=1e-6)


def test_factor_bars_have_both_stars() -> None:
    figure = DRAW["factor_bars"]("en")
    np.testing.assert_allclose(figure.data[0].x, [-0.03, 0.02, 0.0, 0.01], atol=1e-7)
    stars = [note.text for note in figure.layout.annotations if "*" in note.text]
    assert stars == ["**", "**", "*", "**", "**"]
    assert list(figure.layout.yaxis.ticktext) == ["TOPIX", "Return", "Size", "Banks"]


def test_the_scatter_has_points_histograms_band_and_mean() -> None:
    figure = DRAW["factor_scatter"]("en")
    by_name = {trace.name: trace for trace in figure.data if trace.name}
    np.testing.assert_allclose(by_name["long"].x, [-1.0, -0.5, 0.0])
    np.testing.assert_allclose(by_name["mean of all stocks"].y, [0.3, 0.0, -0.3], atol=1e-7)
    assert by_name["long"].customdata[2] == "&lt;i&gt;, 2020-03"
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert [int(np.sum(bar.x if bar.orientation == "h" else bar.y)) for bar in bars] == [3] * 4


def test_marked_months_are_named_in_their_panels() -> None:
    figure = DRAW["market_lines"]("en")
    named = [(n.text, n.yref) for n in figure.layout.annotations if n.yref != "paper"]
    assert named == [("2020-03", "y"), ("2020-02", "y"), ("2020-02", "y2")]
    assert figure.layout.yaxis.range == figure.layout.yaxis2.range


def test_turnover_states_the_whole() -> None:
    figure = interactive.relevance_turnover_bars(small.turnover(), small.LABELS, most=1)
    assert [trace.name for trace in figure.data] == ["long: 50.0%", "short: 40.0%"]
    assert "The other 2" in figure.layout.xaxis.title.text


def test_pages_share_one_library_and_the_font_goes_with_its_licence(tmp_path: Path) -> None:
    interactive.write(DRAW["group_lines"]("en"), tmp_path, "groups")
    assert {one.name for one in tmp_path.iterdir()} == {"groups.html", "plotly.min.js"}
    written = (tmp_path / "plotly.min.js").stat().st_mtime_ns
    interactive.write(DRAW["group_lines"]("ja"), tmp_path, "grounds", "ja")
    assert (tmp_path / "plotly.min.js").stat().st_mtime_ns == written
    assert (tmp_path / "ipaexg.ttf").stat().st_size > 1e6
    assert len(list(tmp_path.glob("IPA_Font_License*"))) == 1
    page = (tmp_path / "grounds.html").read_text(encoding="utf-8")
    assert '<html lang="ja">' in page and "ipaexg.ttf" in page
    assert "http" not in page


def test_a_hostile_name_ends_no_script(tmp_path: Path) -> None:
    table = small.changes().replace({"stock": {"A": HOSTILE}})
    figure = interactive.change_bars(table, small.LABELS, HOSTILE)
    page = interactive.write(figure, tmp_path, "change").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert page.count("</script>") == 2
