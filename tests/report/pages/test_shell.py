"""The shell needs no network, escapes what is data, and carries the letters that it shows."""

import base64
import io
import re
import zlib
from pathlib import Path
from typing import Any

import pytest
from fontTools.ttLib import TTFont
from markupsafe import Markup

from browsing import until
from konkyo.i18n import Text
from konkyo.report.pages.codec import compress
from konkyo.report.pages.html import Page, font, shell


@pytest.fixture(scope="module")
def html() -> str:
    figure = {
        "data": [{"type": "bar", "x": ["</script><b>"], "y": [1]}],
        "layout": {"title": {"text": "鯨"}, "template": {"layout": {"bulk": 1}}},
    }
    return shell(
        Page(
            title=Text("<b>Title", "題名"),
            body=Markup("<section id='one'>here</section>"),
            sections=[("one", Text("a&b", "鰯"))],
            data={"names.json": compress('["鮪"]'.encode())},
            figures={"en": {"bars": figure}, "ja": {"bars": figure}},
        )
    )


def test_nothing_is_asked_of_a_network(html: str) -> None:
    own = re.sub(r'<script type="application/octet-stream".*?</script>', "", html, flags=re.S)
    assert not re.search(r'(src|href)="?(https?:)?//', own)
    assert "default-src 'none'" in own


def test_words_from_data_are_escaped(html: str) -> None:
    assert "<b>" not in html
    assert "&lt;b&gt;Title" in html
    assert "a&amp;b" in html


def test_a_figure_is_packed_without_its_template(html: str) -> None:
    block = re.search(r'data-chunk="figure/ja/bars">([^<]*)<', html)
    assert block is not None
    text = zlib.decompress(base64.b64decode(block[1]), 31).decode()
    assert "鯨" in text
    assert "bulk" not in text


def test_the_font_has_the_letters_of_title_figures_and_data_alone(html: str) -> None:
    found = re.search(r"data:font/woff;base64,([^\"]+)", html)
    assert found is not None
    letters = TTFont(io.BytesIO(base64.b64decode(found[1]))).getBestCmap()
    assert {ord(c) for c in "題名鰯鯨鮪日本語"} <= set(letters)
    assert ord("鮫") not in letters
    assert len(base64.b64decode(found[1])) < 100_000


def test_a_figure_may_have_any_kind_of_title(browser: Any, tmp_path: Path) -> None:
    titles = [{"text": "A <b>bold</b><br>title"}, {"font": {"size": 9}}, "A"]
    figures, body = {}, ""
    for place, title in enumerate(titles):
        bar = {"orientation": "h", "title": title}
        trace = {"type": "heatmap", "z": [[1, 2]], "colorbar": bar}
        axes = {"xaxis": {"title": title}, "yaxis": {"title": title}}
        figures[str(place)] = {"data": [trace], "layout": {"title": title, "height": 99, **axes}}
        body += f'<figure class="plot" data-figure="{place}"><figcaption></figcaption>'
        body += '<div class="canvas"></div></figure>'
    path = tmp_path / "page.html"
    made = Page(Text("T", "T"), Markup(body), [], figures={"en": figures})
    path.write_text(shell(made), encoding="utf-8")
    page = browser.new_page(viewport={"width": 390, "height": 700})
    problems: list[str] = []
    page.on("pageerror", lambda problem: problems.append(str(problem)))
    page.goto(path.as_uri())
    until(
        page,
        "() => document.querySelectorAll('.plot[data-drawn]').length === 3"
        " || !document.getElementById('trouble').hidden",
    )
    assert page.is_hidden("#trouble"), page.inner_text("#trouble")
    assert page.locator("figcaption").all_text_contents() == ["A bold title", "", "A"]
    assert problems == []
    page.close()


def test_the_same_letters_make_the_same_font() -> None:
    first = font(frozenset("根拠"))
    font.cache_clear()
    assert font(frozenset("根拠")) == first
