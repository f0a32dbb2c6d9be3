"""The page with standard errors in a browser: sentences, faded bars and cells, the switch."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from browsing import until
from konkyo.report import tables
from konkyo.report.tables.explained_panel import ExplainedPanel


@pytest.fixture
def opened(browser: Any, page_with_errors: Path) -> Iterator[Any]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    page.on("pageerror", lambda problem: complaints.append(str(problem)))
    page.goto(page_with_errors.as_uri())
    page.wait_for_selector("body[data-ready=true]")
    yield page
    assert complaints == []
    page.close()


def test_sentences_name_reliable_inputs_as_pythons_do(
    opened: Any, with_errors: ExplainedPanel, labels: pd.DataFrame
) -> None:
    for month in with_errors.months():
        rows = range(*with_errors.rows(month).indices(len(with_errors.index)))
        expected = tables.sentences(with_errors, rows, labels).set_index("stock")
        said = opened.evaluate(
            """async (label) => {
              const m = await konkyo.pack.month(label);
              return [...m.placeOf].map(([name, row]) => {
                const stock = konkyo.pack.stock(m, row);
                return [name, ...["en", "ja"].map((l) => konkyo.words.sentence(stock, l))];
              });
            }""",
            f"{month:%Y-%m}",
        )
        assert len(said) == len(rows)
        for name, english, japanese in said:
            assert [english, japanese] == expected.loc[name, ["en", "ja"]].tolist()


def test_the_first_lines_say_how_many_are_reliable(opened: Any) -> None:
    said = opened.locator("#reliable").inner_text()
    assert "20.0 per cent can be told from noise (1.0 per cent where the labels" in said


def test_bars_have_whiskers_and_the_switch_hides_noise(opened: Any) -> None:
    until(opened, "document.getElementById('attribution').rows")
    steps = opened.evaluate("document.getElementById('attribution').rows.steps")
    singles = [step for step in steps if "low" in step]
    assert singles and {step["reliable"] for step in singles} == {True, False}
    assert all(step["low"] <= step["end"] <= step["high"] for step in singles)
    opened.locator("#only-reliable").check()
    until(
        opened,
        "document.getElementById('attribution').rows.steps.every((one) => one.reliable !== false)",
    )
    fewer = opened.evaluate("document.getElementById('attribution').rows.steps")
    assert sum("low" in step for step in fewer) == sum(step["reliable"] for step in singles)
    # What is hidden is in the remainders: the last bar is still the score.
    assert fewer[-1]["end"] == pytest.approx(steps[-1]["end"])


def test_cells_that_are_not_reliable_are_faded(opened: Any) -> None:
    cells = opened.locator("#heat td[style]").count()
    unsure = opened.locator("#heat td.unsure").count()
    assert 0.5 * cells < unsure < cells
