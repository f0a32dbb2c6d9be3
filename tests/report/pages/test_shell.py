"""The shell needs no network, escapes what is data, and carries the letters that it shows."""

import base64
import io
import json
import re
import zlib
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import pytest
from fontTools.ttLib import TTFont
from markupsafe import Markup

from browsing import until
from konkyo.i18n import Text
from konkyo.report.charts.theme import titled
from konkyo.report.pages.html import Page, compress, font, shell


def bars(title: str, name: str = "</script><b>") -> alt.Chart:
    table = pd.DataFrame({"x": [1.0], "y": [name]})
    return titled(alt.Chart(table).mark_bar().encode(x="x:Q", y="y:N"), title)


@pytest.fixture(scope="module")
def html() -> str:
    return shell(
        Page(
            title=Text("<b>Title", "題名"),
            body=Markup("<section id='one'>here</section>"),
            sections=[("one", Text("a&b", "鰯"))],
            data={"names.json": compress('["鮪"]'.encode())},
            charts={"en": {"bars": bars("whale")}, "ja": {"bars": bars("鯨")}},
        )
    )


def test_nothing_is_asked_of_a_network(html: str) -> None:
    rows = re.sub(r'<script type="application/octet-stream".*?</script>', "", html, flags=re.S)
    assert not re.search(r'(src|href)="?(https?:)?//', rows)
    assert "default-src 'none'" in rows


def test_words_from_data_are_escaped(html: str) -> None:
    assert "<b>" not in html
    assert "&lt;b&gt;Title" in html
    assert "a&amp;b" in html


def unpacked(html: str, name: str) -> str:
    block = re.search(rf'data-chunk="{name}">([^<]*)<', html)
    assert block is not None
    return zlib.decompress(base64.b64decode(block[1]), 31).decode()


def test_charts_of_both_languages_read_one_table(html: str) -> None:
    specs = [json.loads(unpacked(html, f"chart/{language}/bars")) for language in ("en", "ja")]
    assert [spec["usermeta"]["title"] for spec in specs] == ["whale", "鯨"]
    assert specs[0]["usermeta"]["tables"] == specs[1]["usermeta"]["tables"]
    (table,) = specs[0]["usermeta"]["tables"]
    assert json.loads(unpacked(html, f"table/{table}")) == {"x": [1.0], "y": ["</script><b>"]}
    assert html.count('data-chunk="table/') == 1 and html.count('data-chunk="vega"') == 1


def test_the_font_has_only_the_letters_of_the_page(html: str) -> None:
    result = re.search(r"data:font/woff;base64,([^\"]+)", html)
    assert result is not None
    letters = TTFont(io.BytesIO(base64.b64decode(result[1]))).getBestCmap()
    assert {ord(c) for c in "題名鰯鯨鮪日本語"} <= set(letters)
    assert ord("鮫") not in letters
    assert len(base64.b64decode(result[1])) < 100_000


def test_charts_of_every_kind_fit_their_place(browser: Any, tmp_path: Path) -> None:
    one = bars("A <b>bold</b> title", "a name of sixty letters that is too long for a telephone")
    plain = (
        alt.Chart(pd.DataFrame({"x": [1, 2]})).mark_point().encode(x="x:Q").properties(width=300)
    )
    charts = {"one": one, "plain": plain, "two": plain & plain, "beside": plain | plain}
    names = "".join(
        f'<figure class="plot" data-figure="{name}" style="--height: 90px">'
        '<figcaption></figcaption><div class="canvas"></div></figure>'
        for name in charts
    )
    path = tmp_path / "page.html"
    page_of = Page(Text("T", "T"), Markup(names), [], charts={"en": charts})
    path.write_text(shell(page_of), encoding="utf-8")
    page = browser.new_page(viewport={"width": 390, "height": 900})
    problems: list[str] = []
    page.on("pageerror", lambda problem: problems.append(str(problem)))
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    page.goto(path.as_uri())
    until(
        page,
        "() => document.querySelectorAll('.plot[data-drawn]').length === 4"
        " || !document.getElementById('trouble').hidden",
    )
    assert page.is_hidden("#trouble"), page.inner_text("#trouble")
    assert page.locator("figcaption").first.text_content() == "A <b>bold</b> title"
    for node in page.locator(".plot").all():
        place = node.locator(".canvas").first.bounding_box()["width"]
        picture = node.locator("canvas, svg").first
        drawn = picture.bounding_box()["width"]
        # A single view fills its place; composed ones keep their size where there is room.
        assert drawn <= place + 2
        assert drawn >= place - 12 or node.locator("svg").count()
    page.set_viewport_size({"width": 700, "height": 900})
    wide = "[...document.querySelectorAll('canvas')].every((c) => c.clientWidth > 600)"
    until(page, wide)
    assert problems == []
    page.close()


def test_the_same_letters_make_the_same_font() -> None:
    first = font(frozenset("根拠"))
    font.cache_clear()
    assert font(frozenset("根拠")) == first
