"""The report in a browser: pickers, sums, sentences, sorting, widths, the dark, hostile names."""

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from browsing import draw_all, until
from konkyo.config import Report
from konkyo.errors import ArtifactError
from konkyo.report import tables
from konkyo.report.pages.report import PERFORMANCE, report
from konkyo.report.tables.explained_panel import ExplainedPanel

COLUMNS = ("size", "roe_forecast")
HOSTILE = "<script>window.hurt=1</script>\"'&"


@dataclass
class Opened:
    """A page in a browser, and what it complained of."""

    page: Any
    complaints: list[str] = field(default_factory=list)

    def parts(self, chart: str) -> list[int]:
        """Return the steps that the page handed to a chart, in units of the packed score."""
        return self.page.evaluate(
            "id => document.getElementById(id).rows.steps.map((row) => row.part)", chart
        )

    def shows(self, stock: str, month: str, language: str = "en") -> None:
        until(
            self.page,
            "wanted => document.getElementById('one').dataset.shown === wanted",
            f"{stock} {month} {language}",
        )


@pytest.fixture
def visit(browser: Any, page: Path) -> Iterator[Callable[..., Opened]]:
    contexts = []

    def open_page(width: int = 1280, theme: str = "light", place: str = "", **more: Any) -> Opened:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, **more
        )
        contexts.append(context)
        opened = Opened(context.new_page())
        opened.page.on(
            "console",
            lambda m: opened.complaints.append(m.text) if m.type in ("error", "warning") else None,
        )
        opened.page.on("pageerror", lambda problem: opened.complaints.append(str(problem)))
        opened.page.on(
            "request",
            lambda asked: (
                opened.complaints.append(asked.url)
                if not asked.url.startswith(("file:", "data:", "blob:"))
                else None
            ),
        )
        opened.page.goto(page.as_uri() + place)
        opened.page.wait_for_selector("body[data-ready=true]")
        return opened

    yield open_page
    for context in contexts:
        context.close()


def test_the_bars_of_every_stock_add_up_to_its_score(
    visit: Callable[..., Opened], evidence: ExplainedPanel
) -> None:
    opened = visit()
    unit = opened.page.evaluate("konkyo.pack.head().step")
    for month in ("2020-01", "2020-03"):
        opened.page.select_option("#month", month)
        selected = evidence.index[evidence.index["month"].dt.strftime("%Y-%m") == month]
        for stock, score in zip(
            selected["stock"].iloc[::3], selected["score"].iloc[::3], strict=True
        ):
            opened.page.fill("#name", stock)
            opened.page.press("#name", "Tab")
            opened.shows(stock, month)
            *parts, whole = opened.parts("attribution")
            assert sum(parts) == whole
            assert abs(whole * unit - score) <= unit / 2 + 1e-9
    assert opened.complaints == []


def test_a_stocks_chart_draws_steps_that_add_up(visit: Callable[..., Opened]) -> None:
    opened = visit(place="#stock=S05&month=2020-03")
    draw_all(opened.page)
    for stock in ("S05", "S07"):
        opened.page.fill("#name", stock)
        opened.page.press("#name", "Tab")
        chart = "document.getElementById('attribution')"
        until(opened.page, f"{chart}.shown === {chart}.rows")
        steps = f"{chart}.view.data('steps').map((row) => [row.start, row.end])"
        drawn = opened.page.evaluate(steps)
        assert all(abs(a[1] - b[0]) < 1e-9 for a, b in itertools.pairwise(drawn[:-1]))
        assert drawn[-1][0] == 0 and abs(drawn[-1][1] - drawn[-2][1]) < 1e-9
    assert opened.complaints == []


def test_change_leads_from_the_last_score_to_this_one(
    visit: Callable[..., Opened], evidence: ExplainedPanel
) -> None:
    months = [set(evidence.index["stock"][evidence.rows(m)]) for m in evidence.months()]
    both = sorted((months[1] & months[2]) - {HOSTILE})
    new = sorted(months[2] - months[1])[0]
    opened = visit(place=f"#stock={both[0]}&month=2020-03")
    unit = opened.page.evaluate("konkyo.pack.head().step")
    for stock in both[:6]:
        opened.page.fill("#name", stock)
        opened.page.press("#name", "Tab")
        opened.shows(stock, "2020-03")
        start, *parts, end = opened.parts("past")
        assert start + sum(parts) == end
        scores = evidence.index[evidence.index["stock"] == stock].set_index("month")["score"]
        assert abs(start * unit - scores[evidence.months()[1]]) <= unit / 2 + 1e-9
        assert abs(end * unit - scores[evidence.months()[2]]) <= unit / 2 + 1e-9
    opened.page.fill("#name", new)
    opened.page.press("#name", "Tab")
    opened.shows(new, "2020-03")
    assert "not ranked in 2020-02" in opened.page.inner_text(".no-past")


def test_sentences_equal_pythons_in_both_languages(
    visit: Callable[..., Opened], evidence: ExplainedPanel, labels: pd.DataFrame
) -> None:
    opened = visit()
    for month in (0, 2):
        when = evidence.months()[month]
        rows = np.arange(len(evidence.index))[evidence.rows(when)]
        expected = tables.sentences(evidence, rows, labels).set_index("stock")
        said = opened.page.evaluate(
            """async (month) => {
              const m = await konkyo.pack.month(month);
              return [...m.placeOf].map(([name, row]) => {
                const stock = konkyo.pack.stock(m, row);
                return [name, ...["en", "ja"].map((l) => konkyo.words.sentence(stock, l))];
              });
            }""",
            f"{when:%Y-%m}",
        )
        assert len(said) == len(expected)
        for name, en, ja in said:
            assert en == expected.loc[name, "en"]
            assert ja == expected.loc[name, "ja"]
    expected = tables.sentences(evidence, _row(evidence, HOSTILE, 2), labels)
    for language in ("en", "ja"):
        if language == "ja":
            opened.page.click("#language")
        opened.shows(HOSTILE, "2020-03", language)
        shown = opened.page.evaluate("document.querySelector('.sentence').textContent")
        assert shown == expected[language][0]


def _row(evidence: ExplainedPanel, stock: str, month: int) -> list[int]:
    selected = (evidence.index["stock"] == stock) & (
        evidence.index["month"] == evidence.months()[month]
    )
    return [int(np.flatnonzero(selected)[0])]


def test_a_hostile_name_is_shown_and_does_nothing(visit: Callable[..., Opened]) -> None:
    opened = visit()
    opened.shows(HOSTILE, "2020-03")
    assert opened.page.inner_text(".who") == HOSTILE
    opened.page.click("#all summary")
    opened.page.wait_for_selector("#all tbody tr")
    assert opened.page.locator("#all a", has_text=HOSTILE).count() == 1
    assert opened.page.locator("#heat a", has_text=HOSTILE).count() == 1
    assert opened.page.evaluate("window.hurt") is None
    opened.page.locator("#heat a").first.click()
    opened.page.locator("#heat a", has_text=HOSTILE).click()
    opened.shows(HOSTILE, "2020-03")
    assert opened.complaints == []


def test_month_and_rank_buttons_and_the_address(
    visit: Callable[..., Opened], evidence: ExplainedPanel
) -> None:
    ranks = evidence.index[evidence.rows(evidence.months()[0])].sort_values("rank")["stock"]
    here = next(i for i in range(5, 20) if ranks.iloc[i].startswith("S"))
    stock = ranks.iloc[here]
    opened = visit(place=f"#stock={stock}&month=2020-01")
    opened.shows(stock, "2020-01")
    opened.page.click("#better")
    opened.shows(ranks.iloc[here - 1], "2020-01")
    opened.page.click("#worse")
    opened.shows(stock, "2020-01")
    assert opened.page.is_disabled("#earlier")
    opened.page.select_option("#month", "2020-02")
    until(opened.page, "document.getElementById('heat').dataset.shown === '2020-02 en'")
    assert opened.page.evaluate("location.hash") == f"#stock={stock}&month=2020-02"
    opened.page.fill("#name", "nobody")
    opened.page.press("#name", "Tab")
    opened.page.wait_for_selector("#one-missing:not([hidden])")
    assert opened.complaints == []


def test_the_month_picker_turns_figures_8_to_10(
    visit: Callable[..., Opened], evidence: ExplainedPanel, labels: pd.DataFrame
) -> None:
    opened = visit()
    page, month = opened.page, evidence.months()[1]
    draw_all(page)
    page.select_option("#factors select.month", "2020-02")
    until(page, "document.getElementById('means').dataset.shown === '2020-02 en'")
    for figure in ("factor-bars", "factor-figure"):
        node = f"document.getElementById('{figure}')"
        page.locator(f"#{figure}").scroll_into_view_if_needed()
        until(page, f"{node}.shown === {node}.rows")
        assert "2020-02" in page.inner_text(f"#{figure} figcaption")
    assert page.input_value("#month") == "2020-02"
    assert page.locator("#heat tbody tr").count() >= 6
    # Figure 9: the means of the month, largest difference first.
    means = tables.factor_means(evidence, month).set_index("feature")
    means = means.loc[means["difference"].abs().sort_values(ascending=False).index]
    names = labels.set_index("feature")["en"]
    assert page.locator("#means tbody td:first-child").all_inner_texts() == [
        names[feature] for feature in means.index
    ]
    bars = page.evaluate("document.getElementById('factor-bars').view.data('bars')")
    shown = means[(means[["long", "short"]] != 0).any(axis=1)]
    np.testing.assert_allclose(
        [bar["value"] for bar in bars], shown[["long", "short"]].to_numpy().ravel(), rtol=1e-3
    )
    assert [bar["stars"] for bar in bars[::2]] == shown["stars"].tolist()
    # Figure 10: the stocks of both portfolios.
    points = pd.DataFrame(
        page.evaluate("document.getElementById('factor-figure').view.data('points')")
    ).set_index(["side", "who"])
    exact = tables.factor_points(evidence, ["return_1"], month).set_index(["side", "stock"])
    assert set(points.index) == set(exact.index)
    for column, near in (("value", 0.0034), ("relevance", 0.0006)):
        difference = points[column] - exact[column].reindex(points.index)
        assert difference.abs().max() <= near
    page.click("#language")
    until(page, "document.getElementById('means').dataset.shown === '2020-02 ja'")
    assert opened.complaints == []


def test_a_month_without_portfolios_has_no_factors(
    browser: Any, evidence: ExplainedPanel, labels: pd.DataFrame, chosen: Report, tmp_path: Path
) -> None:
    first = evidence.index["month"] == evidence.months()[0]
    raw = evidence.features * np.float32(1000)
    panel = replace(
        evidence,
        index=evidence.index.assign(
            quantile=evidence.index["quantile"].astype("Int64").mask(first)
        ),
        raw=raw,
    )
    shape = tables.factor_shape(panel, ["size"])
    performance = pd.DataFrame(columns=["model", "portfolio", *PERFORMANCE], dtype=float)
    text = report(
        panel, {"performance": performance, "factor_shape": shape},
        source={"source": "tables"}, charts={"en": {}, "ja": {}}, labels=labels,
        config=replace(chosen, month="2020-01", columns=COLUMNS),
        in_per_cent=True,
    )  # fmt: skip
    path = tmp_path / "report.html"
    path.write_text(text, encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready=true]")
    assert page.inner_text("#no-portfolios") == "In 2020-01 no portfolios were formed."
    assert page.is_hidden("#factor-bars") and page.is_hidden("#means")
    # Figure 8 has the columns of the params, raw, shorts on top, and a return in per cent.
    heads = page.locator("#heat thead th").all_inner_texts()
    assert heads[2:] == ["predicted return", *labels.set_index("feature")["en"][list(COLUMNS)]]
    ranks = [int(text) for text in page.locator("#heat tbody td:nth-child(2)").all_inner_texts()]
    assert ranks == sorted(ranks, reverse=True)
    lowest = panel.index[first].sort_values("rank").index[-1]
    cells = page.locator("#heat tbody tr:first-child td").all_inner_texts()
    step = page.evaluate("konkyo.pack.head().step")
    score = float(cells[1].removesuffix("%").replace("\u2212", "-"))
    assert abs(score - 100 * panel.index["score"][lowest]) <= 50 * step + 0.0051
    value = float(cells[2].split()[0].replace("\u2212", "-").replace(",", ""))
    assert value == pytest.approx(raw[lowest, 1], rel=0.006)
    page.select_option("#factors select.month", "2020-02")
    until(page, "document.getElementById('means').dataset.shown === '2020-02 en'")
    assert page.is_visible("#means")
    page.close()


def test_tables_sort_by_number_with_gaps_last(visit: Callable[..., Opened]) -> None:
    opened = visit()
    column = opened.page.locator("#performance tbody td:nth-child(7)")
    head = opened.page.locator("#performance th:nth-child(7) button")
    assert column.all_inner_texts() == ["0.90", "\u22120.10", "–"]
    head.click()
    assert column.all_inner_texts() == ["0.90", "\u22120.10", "–"]
    head.press("Enter")
    assert column.all_inner_texts() == ["\u22120.10", "0.90", "–"]
    assert opened.page.get_attribute("#performance th:nth-child(7)", "aria-sort") == "ascending"
    months = opened.page.locator("#performance tbody td:last-child")
    opened.page.locator("#performance th:last-child button").click()
    assert months.all_inner_texts() == ["100", "20", "3"]


@pytest.mark.parametrize("width", [1280, 390])
def test_no_width_scrolls_sideways_or_logs_errors(visit: Callable[..., Opened], width: int) -> None:
    opened = visit(width)
    opened.page.click("#all summary")
    for language in ("en", "ja"):
        if language == "ja":
            opened.page.click("#language")
        draw_all(opened.page, language)
        assert opened.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert opened.page.is_hidden("#trouble")
        assert opened.complaints == []


def test_dark_theme_by_preference_and_by_button(visit: Callable[..., Opened]) -> None:
    opened = visit(theme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = opened.page.evaluate(background)
    assert sum(map(int, re.findall(r"\d+", dark))) < 150
    draw_all(opened.page)
    ink = "document.querySelector('.plot').result.spec.config.axis.labelColor"
    assert opened.page.evaluate(ink) == "#e6e9ee"
    opened.page.locator(".plot").first.scroll_into_view_if_needed()
    opened.page.click("#theme")
    assert opened.page.evaluate(background) == "rgb(255, 255, 255)"
    until(opened.page, f"{ink} === '#1b1f24'")
    assert opened.complaints == []


def test_the_first_lines_say_what_the_records_are(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    head = text[text.index("<h1>") : text.index('<section id="overview">')]
    for words in (
        "own files",
        "point in time (no later revisions)",
        "with survivorship bias: delisted stocks are missing",
        "利用者のファイル",
        "後の改訂を含まない",
        "上場廃止銘柄を含まない",
    ):
        assert words in head


def test_it_works_in_a_sandboxed_frame(browser: Any, page: Path) -> None:
    frame = browser.new_page()
    problems: list[str] = []
    frame.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    frame.on("pageerror", lambda problem: problems.append(str(problem)))
    # As the artifact view of MLflow shows a file: no storage, no origin, no way to the top.
    frame.set_content("<iframe sandbox='allow-scripts' style='width:100%;height:800px'></iframe>")
    frame.evaluate(
        "text => { document.querySelector('iframe').srcdoc = text; }",
        page.read_text(encoding="utf-8"),
    )
    inside = frame.frame_locator("iframe")
    inside.locator("body[data-ready=true]").wait_for()
    inside.locator("#later").wait_for()
    inside.locator("#month").select_option("2020-01")
    inside.locator("#one[data-shown$='2020-01 en']").wait_for()
    inside.locator("#theme").click()
    assert problems == []
    frame.close()


def test_an_input_without_a_label_is_refused(
    evidence: ExplainedPanel, labels: pd.DataFrame, chosen: Report
) -> None:
    with pytest.raises(ArtifactError, match="no label for size"):
        without = labels[labels["feature"] != "size"]
        report(evidence, {}, source={}, charts={}, labels=without, config=chosen)


def test_a_month_without_a_ranking_is_refused(
    evidence: ExplainedPanel, labels: pd.DataFrame, chosen: Report
) -> None:
    earlier = replace(chosen, month="2019-05")
    with pytest.raises(ArtifactError, match="no stock was ranked in 2019-05"):
        report(evidence, {}, source={}, charts={"en": {}, "ja": {}}, labels=labels, config=earlier)


def test_chunks_hold_no_markup(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "window.hurt" not in text
    blocks = dict(re.findall(r'data-chunk="([^"]+)">([^<]*)</script>', text))
    assert {"pack/head.json", "pack/2020-02", "vega", "words.json"} <= set(blocks)
    assert all(re.fullmatch(r"[A-Za-z0-9+/=]+", block) for block in blocks.values())
