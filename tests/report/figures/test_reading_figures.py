"""The figures of the grounds show the numbers of their tables, in both languages."""

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

import small_tables as small
from konkyo.i18n import Language
from konkyo.report import figures

DRAW: dict[str, Callable[[Language], Figure]] = {
    "stocks": lambda lang: figures.stock_heat(small.stocks(), small.LABELS, lang),
    "change": lambda lang: figures.change_bars(small.changes(), small.LABELS, "A", lang),
    "factors": lambda lang: figures.factor_bars(small.means(), small.LABELS, lang),
    "scatter": lambda lang: figures.factor_scatter(
        small.points(), small.shape(), small.LABELS, "return_1", lang
    ),
    "market": lambda lang: figures.market_lines(small.over_time(), small.LABELS, lang),
    "quantiles": lambda lang: figures.market_quantile_bars(small.quantiles(), small.LABELS, lang),
    "groups": lambda lang: figures.group_lines(small.groups(), small.LABELS, lang),
    "effects": lambda lang: figures.effect_map(small.effects(), small.LABELS, lang),
    "exposure": lambda lang: figures.exposure_lines(small.exposure(), small.LABELS, lang),
    "sectors": lambda lang: figures.exposure_bars(small.exposure(), small.LABELS, lang),
    "turnover": lambda lang: figures.relevance_turnover_bars(small.turnover(), small.LABELS, lang),
}


def _words(figure: Figure) -> list[str]:
    return [one.get_text() for one in figure.findobj(Text) if one.get_text()]


def _widths(figure: Figure) -> list[float]:
    return [bar.get_width() for bar in figure.axes[0].patches]


@pytest.mark.parametrize("name", DRAW)
def test_no_letter_is_missing_and_nothing_is_warned_of(
    name: str, recwarn: pytest.WarningsRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    for language in ("en", "ja"):
        DRAW[name](language).canvas.draw()
    assert [str(one.message) for one in recwarn if one.category is UserWarning] == []
    assert caplog.messages == []


@pytest.mark.parametrize("name", DRAW)
def test_japanese_figures_speak_japanese(name: str) -> None:
    english, japanese = _words(DRAW[name]("en")), _words(DRAW[name]("ja"))
    shared = {word for word in english if word[:1].isalpha() and word.isascii()} & set(japanese)
    assert shared <= {"A", "D", "C", "TOPIX", "vix", "foods"}


def test_the_settings_of_matplotlib_are_left_alone_and_it_is_quiet() -> None:
    code = (
        "import matplotlib, pandas as pd; before = dict(matplotlib.rcParams)\n"
        "from konkyo.report import figures\n"
        "frame = pd.DataFrame({'month': pd.to_datetime(['2020-01-31']), 'model': 'network',"
        " 'rank_ic': 0.1})\n"
        "figures.monthly_rank_ic(frame, language='ja').canvas.draw()\n"
        "assert dict(matplotlib.rcParams) == before"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    # The font has no bold letters, which matplotlib would tell once a process.
    assert "findfont" not in ran.stderr


def test_a_japanese_name_is_drawn_in_an_english_figure(recwarn: pytest.WarningsRecorder) -> None:
    table = small.stocks().replace({"stock": {"A": "日興證券"}})
    figures.stock_heat(table, small.LABELS).canvas.draw()
    assert [str(one.message) for one in recwarn if "missing" in str(one.message)] == []


def test_cells_have_the_values_and_are_red_where_relevance_is_positive() -> None:
    figure = figures.stock_heat(small.stocks(), small.LABELS, most=2)
    axes = figure.axes[0]
    words = _words(figure)
    assert "0.90" in words and "-1.00" in words and "2 inputs" in " ".join(words)
    (picture,) = axes.images
    low, high = picture.get_clim()
    assert low == -high == pytest.approx(-0.4)
    red, _, blue, _ = picture.cmap(picture.norm(0.4))
    assert red > blue
    red, _, blue, _ = picture.cmap(picture.norm(-0.4))
    assert blue > red
    np.testing.assert_allclose(picture.cmap(picture.norm(0.0))[:3], 1.0, atol=0.01)


def test_change_bars_add_up() -> None:
    figure = figures.change_bars(small.changes(), small.LABELS, "A")
    np.testing.assert_allclose(_widths(figure), [0.1, 0.25, -0.1, 0.04, 0.0, 0.01, 0.3], atol=1e-12)
    names = [one.get_text() for one in figure.axes[0].get_yticklabels()]
    assert names[0] == "score 2020-02" and names[-1] == "score 2020-03"
    assert names[-2] == "Absorbed"


def test_factor_bars_show_the_largest_difference_first_with_both_stars() -> None:
    figure = figures.factor_bars(small.means(), small.LABELS, most=3)
    names = [one.get_text() for one in figure.axes[0].get_yticklabels()]
    assert names == ["TOPIX", "Return", "Size"]
    np.testing.assert_allclose(_widths(figure), [-0.03, 0.02, 0.0, 0.04, -0.01, 0.01])
    stars = [one.get_text() for one in figure.axes[0].texts if "*" in one.get_text()]
    assert stars == ["**", "**", "*", "**", "**"]
    assert any("3 of 4 inputs" in words for words in _words(figure))


def test_the_scatter_has_its_own_points_and_curve() -> None:
    axes = DRAW["scatter"]("en").axes[0]
    long = axes.collections[0].get_offsets()
    np.testing.assert_allclose(long, [[-1.0, 0.4], [-0.5, 0.2], [0.0, 0.0]])
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [0.3, 0.0, -0.3])
    assert axes.get_xlabel() == "Return: rank"


def test_marked_months_are_named_in_their_panel() -> None:
    first, second = DRAW["market"]("en").axes
    assert [one.get_text() for one in first.texts] == ["2020-03", "2020-02"]
    assert [one.get_text() for one in second.texts] == ["2020-02"]
    np.testing.assert_allclose(first.lines[1].get_ydata(), [0.01, -0.06, 0.04])
    assert first.get_ylim() == second.get_ylim()


def test_the_bars_of_the_end_quantiles() -> None:
    figure = DRAW["quantiles"]("en")
    np.testing.assert_allclose(_widths(figure), [0.1, -0.4, -0.1, 0.5])
    assert "quantile 3: 12 stocks, mean relevance +0.300" in _words(figure)


def test_group_lines_are_months_and_their_mean() -> None:
    upper, lower = DRAW["groups"]("en").axes
    np.testing.assert_allclose(upper.lines[0].get_ydata(), [0.2, 0.4, 0.6])
    np.testing.assert_allclose(upper.lines[1].get_ydata(), [0.2, 0.3, 0.4])
    np.testing.assert_allclose(lower.lines[0].get_ydata(), [0.7, 0.8, 0.9])


def test_the_effect_map_has_the_strongest_attribute_on_top() -> None:
    axes = DRAW["effects"]("en").axes[0]
    assert [one.get_text() for one in axes.get_yticklabels()] == ["Return", "Size"]
    np.testing.assert_allclose(
        np.ma.filled(axes.images[0].get_array(), np.nan), [[-0.3, -0.2, -0.4], [0.1, np.nan, 0.1]]
    )


def test_sectors_are_means_of_all_months_or_those_of_one() -> None:
    figure = DRAW["sectors"]("en")
    names = [one.get_text() for one in figure.axes[0].get_yticklabels()]
    assert names == ["foods", "no sector", "Banks"]
    np.testing.assert_allclose(_widths(figure), [0.55, 0.15, 0.3, 0.45, 0.05, 0.5])
    one = figures.exposure_bars(small.exposure(), small.LABELS, month=small.MONTHS[1])
    np.testing.assert_allclose(_widths(one), [0.6, 0.4, 0.4, 0.6])


def test_the_legend_states_the_whole_turnover() -> None:
    figure = figures.relevance_turnover_bars(small.turnover(), small.LABELS, most=1)
    assert {"long: 50.0%", "short: 40.0%"} <= set(_words(figure))
    assert "The other 2: long 10.0, short 20.0 per cent a month." in _words(figure)
    np.testing.assert_allclose(_widths(figure), [0.4, 0.2])


def test_the_performance_table_as_a_picture() -> None:
    table = pd.DataFrame(
        {
            "model": ["network", "my own"],
            "portfolio": ["spread", "long"],
            "annual_return": [0.0754, 0.1],
            "annual_volatility": [0.2011, 0.2],
            "sharpe_ratio": [0.375, 0.5],
            "max_drawdown": [-0.4, -0.1],
            "hit_rate": [np.nan, 0.5],
            "months": [191, 192],
        }
    )
    words = _words(figures.performance_table(table))
    assert {"7.5", "20.1", "0.38", "-40.0", "-", "191", "long - short", "my own"} <= set(words)
