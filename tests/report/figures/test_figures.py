"""Figures show the numbers that they are given, leave no state behind, and save whole files."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import num2date
from matplotlib.figure import Figure

from konkyo.report import figures

_MONTHS = pd.date_range("2015-01-31", periods=30, freq="ME")
_PORTFOLIOS = ["long", "short", "spread", "spread_net", "market"]


@pytest.fixture
def cumulative() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frames = []
    for model, step in (("network", 1), ("ridge", 1), ("placebo", 4)):
        for portfolio in _PORTFOLIOS:
            months = _MONTHS[::step]
            value = np.cumprod(1 + rng.normal(0.01, 0.04, len(months))) - 1
            frames.append(
                pd.DataFrame(
                    {
                        "month": months + pd.offsets.MonthEnd(1),
                        "model": model,
                        "portfolio": portfolio,
                        "cumulative": value,
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


@pytest.fixture
def returns() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "month": _MONTHS,
            "earned": _MONTHS + pd.offsets.MonthEnd(1),
            "model": "network",
            "spread": rng.normal(0.005, 0.04, 30),
            "rank_ic": rng.normal(0.02, 0.1, 30),
        }
    )


@pytest.fixture
def quantiles() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model": ["network"] * 3 + ["ridge"] * 3 + ["placebo"] * 3,
            "quantile": [1, 2, 3] * 3,
            "annual_return": [0.02, 0.05, 0.11, 0.03, 0.04, 0.09, 0.5, 0.5, 0.5],
            "months": [30] * 6 + [8] * 3,
        }
    )


def _line(figure: Figure, label: str) -> np.ndarray:
    (line,) = (one for one in figure.axes[0].lines if one.get_label() == label)
    return np.asarray(line.get_ydata(), dtype="float64")


def _notes(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_portfolios_start_at_one_and_end_at_their_value(cumulative: pd.DataFrame) -> None:
    figure = figures.portfolio_growth(cumulative.sample(frac=1.0, random_state=0))
    assert sorted(_notes(figure)) == ["long", "long - short", "market", "short"]
    for portfolio in ("long", "short", "spread", "market"):
        rows = cumulative[
            (cumulative["model"] == "network") & (cumulative["portfolio"] == portfolio)
        ]
        np.testing.assert_array_equal(_line(figure, portfolio), [1, *(1 + rows["cumulative"])])
    assert "log scale" in figure.axes[0].get_ylabel()


def test_the_curve_starts_at_the_first_decision_month(cumulative: pd.DataFrame) -> None:
    left, right = figures.portfolio_growth(cumulative).axes[0].get_xlim()
    assert f"{num2date(left):%Y-%m-%d}" == "2015-01-31"
    assert f"{num2date(right):%Y-%m-%d}" == "2017-07-31"


def test_models_of_unequal_length_are_not_compared(cumulative: pd.DataFrame) -> None:
    assert sorted(_notes(figures.model_growth(cumulative))) == ["network", "ridge"]
    named = figures.model_growth(cumulative, ["network", "placebo"])
    assert sorted(_notes(named)) == ["network", "placebo (shuffled labels)"]


def test_labels_of_equal_lines_do_not_overlap(cumulative: pd.DataFrame) -> None:
    same = cumulative.assign(cumulative=0.1)
    places = sorted(text.xy[1] for text in figures.portfolio_growth(same).axes[0].texts)
    assert np.diff(places).min() > 0.05


@pytest.mark.parametrize("reach", [0.02, 0.3, 2.0, 30.0])
def test_the_value_axis_is_marked_at_every_range(cumulative: pd.DataFrame, reach: float) -> None:
    ramp = np.tile(np.linspace(0, reach, 30), 5)
    network = cumulative[cumulative["model"] == "network"].assign(cumulative=ramp)
    axes = figures.portfolio_growth(network).axes[0]
    low, high = axes.get_ylim()
    marks = [mark for mark in axes.get_yticks() if low <= mark <= high]
    assert 3 <= len(marks) <= 12
    assert any(mark == pytest.approx(1.0) for mark in marks)


@pytest.mark.parametrize(
    ("draw", "column"),
    [(figures.monthly_rank_ic, "rank_ic"), (figures.monthly_spread, "spread")],
)
def test_bars_are_the_months_and_the_line_their_mean_of_twelve(
    returns: pd.DataFrame, draw: Callable[[pd.DataFrame], Figure], column: str
) -> None:
    figure = draw(returns.iloc[::-1])
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    np.testing.assert_array_equal(heights, returns[column])
    mean = _line(figure, "12-month mean")
    assert np.isnan(mean[:11]).all()
    assert mean[11] == pytest.approx(returns[column][:12].mean())
    assert mean[-1] == pytest.approx(returns[column][-12:].mean())


def test_quantile_bars_and_points_of_models_as_long(quantiles: pd.DataFrame) -> None:
    figure = figures.quantile_returns(quantiles)
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == [0.02, 0.05, 0.11]
    np.testing.assert_array_equal(_line(figure, "ridge"), [0.03, 0.04, 0.09])
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["ridge"]
    assert figures.quantile_returns(quantiles[:3]).axes[0].get_legend() is None


def test_percent_axes_show_per_cent(quantiles: pd.DataFrame) -> None:
    axes = figures.quantile_returns(quantiles).axes[0]
    assert axes.yaxis.get_major_formatter()(0.025, 0) == "2.5"
    assert "per cent" in axes.get_ylabel()


def test_one_month_can_be_drawn(cumulative: pd.DataFrame, returns: pd.DataFrame) -> None:
    first = cumulative[cumulative["month"] == cumulative["month"].min()]
    for figure in (
        figures.portfolio_growth(first),
        figures.model_growth(first),
        figures.monthly_rank_ic(returns[:1]),
        figures.monthly_spread(returns[:1]),
    ):
        figure.canvas.draw()


def test_saving_replaces_the_file_at_the_dpi_asked(quantiles: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "new" / "quantiles.png"
    for dpi in (50, 80):
        figures.save(figures.quantile_returns(quantiles), path, dpi)
        header = path.read_bytes()[:24]
        assert header[:8] == b"\x89PNG\r\n\x1a\n"
        assert int.from_bytes(header[16:20], "big") == 8 * dpi
    assert [file.name for file in path.parent.iterdir()] == ["quantiles.png"]


def test_no_global_state_of_pyplot() -> None:
    code = "import sys, konkyo.report.figures; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_performance_as_markdown() -> None:
    table = pd.DataFrame(
        {
            "model": ["network"],
            "portfolio": ["spread"],
            "annual_return": [0.0754],
            "annual_volatility": [0.2011],
            "sharpe_ratio": [0.375],
            "max_drawdown": [-0.4],
            "hit_rate": [np.nan],
            "months": [191],
        }
    )
    lines = figures.performance_markdown(table).splitlines()
    assert len(lines) == 3
    assert lines[2] == "| network | spread | 7.5 | 20.1 | 0.38 | -40.0 | - | 191 |"
    assert len({line.count("|") for line in lines}) == 1


def test_agreement_has_the_best_method_on_top_and_names_the_papers():
    table = pd.DataFrame(
        {
            "method": ["lrp_epsilon"] * 2 + ["ridge"] * 2 + ["deep_lift"] * 2,
            "measure": ["rank_per_input", "rank_per_stock"] * 3,
            "mean": [0.5, 0.6, 0.3, 0.2, 0.4, 0.7],
            "standard_error": [0.05] * 6,
            "months": [15] * 6,
        }
    )
    axes = figures.truth_agreement(table).axes[0]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == [
        "ridge coefficients x input",
        "LRP epsilon (paper)",
        "DeepLIFT",
    ]
    assert [text.get_fontweight() for text in axes.get_yticklabels()] == [
        "normal",
        "bold",
        "normal",
    ]


def test_deletion_shows_the_papers_rule_the_extremes_and_chance():
    table = pd.DataFrame(
        {
            "method": ["lrp_epsilon"] * 2 + ["deep_lift"] * 2 + ["lrp_gamma"] * 2 + ["z"] * 2,
            "deleted": [0.0, 1.0] * 4,
            "ordered": [0.0, 1.0] * 4,
            "random": [0.0, 0.5] * 4,
            "auc": [0.3] * 2 + [0.5] * 2 + [0.2] * 2 + [0.25] * 2,
        }
    )
    axes = figures.deletion_curves(table).axes[0]
    labels = axes.get_legend_handles_labels()[1]
    assert labels == [
        "LRP epsilon (paper), area +0.30",
        "DeepLIFT, area +0.50",
        "LRP gamma, area +0.20",
        "random order",
    ]
