"""One file that a browser opens without a network: what the report and other pages share.

The page carries its style, its scripts, Vega and all data. Bulk lies in it as gzip in base64 and is
unpacked by the browser when it is first shown; a content security policy in the page forbids every
request. Texts are there in both languages, one is shown.

A page of its own, with a chart::

    {% from "words.html" import t, both, figure, named with context %}      (assets/mine.html)
    <section id="drift"><h2>{{ t("mine.drift") }}</h2>{{ figure("drift_lines", 320) }}</section>

    body = render("mine.html", ...)
    charts = {language: {"drift_lines": drift_lines(table, language)} for language in LANGUAGES}
    html = shell(Page(title, body, sections, charts=charts))

`figure(name, height)` of words.html (an element with `data-figure="name"`) shows the chart of that
name: assets/charts.js fits it to the width of its element, and draws it again in the page's other
language or theme. Title and note (`konkyo.report.charts.theme.titled`) stand above it as HTML. A
script shows another chart by `konkyo.charts.show(element, name)`, reaches data that a chart has by
name through `element.view.data(name, rows)`, and a `<select data-shows="id">` does the former by
itself. A table that several charts or both languages read lies in the page once.
"""

import base64
import io
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import vl_convert
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from konkyo.i18n import Text, section
from konkyo.report.charts.theme import FONT_FILE, VEGA_LITE, to_spec
from konkyo.report.style import GRID, INK, LOWERS, MUTED, PAPER, RAISES

_INKS = {INK: "--ink", MUTED: "--soft", GRID: "--line", PAPER: "--paper"}
"""Colours of a chart and the page's own that replace them."""


@dataclass(frozen=True)
class Page:
    """What a page is made of.

    Attributes
    ----------
    title : Text
        The page's name.
    body : Markup
        HTML of the sections, made by `render`, so that whatever came from data is escaped.
    sections : sequence of (str, Text)
        Identifier and name of each section, for the bar of links.
    data : mapping
        gzip by name; scripts get it by `konkyo.open(name)`.
    charts : mapping
        For each language, Altair charts by name, or their JSON by `to_spec`. An
        element with `data-figure="name"` shows one.
    styles, scripts : sequence of str
        Files of `assets` that this page has beside the shell's.
    language : str
        The language shown first, en or ja.
    """

    title: Text
    body: Markup
    sections: Sequence[tuple[str, Text]]
    data: Mapping[str, bytes] = field(default_factory=dict)
    charts: Mapping[str, Mapping[str, alt.TopLevelMixin]] = field(default_factory=dict)
    styles: Sequence[str] = ()
    scripts: Sequence[str] = ()
    language: str = "en"


Cell = tuple[Text, float | str | None]
"""What a cell shows, and the number that it is sorted by; None in a column of text."""


@dataclass(frozen=True)
class Table:
    """A sortable table, shown by `table(table, key)` of words.html.

    Attributes
    ----------
    heads : sequence of (Text, bool)
        Name of each column, and whether it has numbers.
    rows : sequence of sequence of Cell
        One cell a column.
    """

    heads: Sequence[tuple[Text, bool]]
    rows: Sequence[Sequence[Cell]]

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        heads: Mapping[str, Text],
        forms: Mapping[str, str],
    ) -> "Table":
        """Return the table of a data frame.

        Parameters
        ----------
        frame : DataFrame
            Cells are numbers, texts, `Text` or, where a number is more than its format, `Cell`.
        heads : mapping
            Name of each column that is shown, in their order.
        forms : mapping
            Format of each column of numbers, such as ".2f".
        """

        def cell(value: Any, form: str | None) -> Cell:
            if isinstance(value, tuple):
                return value
            if form is not None or pd.isna(value):
                return number_cell(value, form or "")
            return (value if isinstance(value, Text) else Text.same(str(value))), None

        shown = [forms.get(name) for name in heads]
        return cls(
            heads=[(words, name in forms) for name, words in heads.items()],
            rows=[
                [cell(value, form) for value, form in zip(row, shown, strict=True)]
                for row in frame[list(heads)].itertuples(index=False, name=None)
            ],
        )


def number_formats(frame: pd.DataFrame) -> dict[str, str]:
    """Return a format of each column of numbers: whole ones, large ones, and others."""
    formats = {}
    for name in frame.select_dtypes(("number", "bool")):
        numbers = frame[name].dropna().to_numpy(dtype=float)
        is_whole = bool((numbers == np.round(numbers)).all())
        digits = 0 if is_whole else 1 if np.abs(numbers).max() >= 100 else 3
        formats[str(name)] = f",.{digits}f"
    return formats


def number_cell(value: Any, form: str) -> Cell:
    """Return the cell of a number in a format such as ".2f"; a dash where it is missing."""
    if pd.isna(value):
        return Text.same("\u2013"), ""
    return Text.same(minus(format(float(value), form))), float(value)


def sections(area: str, names: Sequence[str]) -> list[tuple[str, Text]]:
    """Return the sections of a page for its bar of links, named in `<area>.section`."""
    return [(name, Text.of(f"{area}.section.{name}")) for name in names]


def shell(page: Page) -> str:
    """Return the whole page as one HTML string.

    Parameters
    ----------
    page : Page
        Its parts.

    Returns
    -------
    str
        A document that needs no other file and no network.
    """
    chunks = dict(page.data)
    texts = [page.title.en, page.title.ja, str(page.body)]
    if page.charts:
        chunks["vega"] = _vega()
        for name, text in chart_files(page.charts).items():
            chunks[name] = compress(text.encode())
            texts.append(text)
    styles = [asset(name) for name in ("shell.css", *page.styles)]
    scripts = [asset(name) for name in ("shell.js", "charts.js", *page.scripts)]
    texts += scripts
    texts += [words.ja for _, words in page.sections]
    texts += [words for texts_of in section("page").values() for words in texts_of.values()]
    texts += [_opened(block) for name, block in page.data.items() if name.endswith(".json")]
    return render(
        "shell.html",
        title=page.title,
        body=page.body,
        sections=page.sections,
        language=page.language,
        inks=json.dumps(_INKS),
        raises=RAISES,
        lowers=LOWERS,
        style=Markup("\n".join(styles)),  # nosec B704 # the project's own style
        font=font(frozenset("".join(texts))),
        chunks=[(name, base64.b64encode(block).decode()) for name, block in chunks.items()],
        scripts=[Markup(script) for script in scripts],  # nosec B704 # the project's own style
    )


def chart_files(charts: Mapping[str, Mapping[str, alt.TopLevelMixin]]) -> dict[str, str]:
    """Return the JSON of charts, chart/language/name, and of their tables, table/digest.

    A chart's `usermeta.tables` names the tables that it reads. A table is written by columns.
    """
    written = {}
    for language, by_name in charts.items():
        for name, chart in by_name.items():
            spec = dict(to_spec(chart))
            tables = spec.pop("datasets", {})
            meta = {"title": "", "note": ""} | spec.get("usermeta", {})
            spec["usermeta"] = meta | {"tables": list(tables)}
            written[f"chart/{language}/{name}"] = _json(spec)
            for digest, rows in tables.items():
                # Altair leaves no key out, so that the first row has all of them.
                columns = {key: [row[key] for row in rows] for key in (rows or [{}])[0]}
                written[f"table/{digest}"] = _json(columns)
    return written


def render(template: str, **values: Any) -> Markup:
    """Fill a template of `assets`; every value is escaped unless it is Markup.

    Parameters
    ----------
    template : str
        The file's name.
    **values
        What the template names; a name that is not given raises.
    """
    filled = _environment().get_template(template).render(**values)
    return Markup(filled)  # nosec B704 # the template has escaped every value


def compress(*parts: bytes) -> bytes:
    """Return the gzip of the parts, each coded by its own statistics; the same bytes every time."""
    # Level 9 is a third of a per cent smaller, and takes five times as long.
    packer = zlib.compressobj(7, zlib.DEFLATED, 31, 9)
    out = [packer.compress(part) + packer.flush(zlib.Z_BLOCK) for part in parts]
    return b"".join([*out, packer.flush()])


def pack_json(value: Any) -> bytes:
    """Return a value as JSON in gzip."""
    return compress(_json(value).encode())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def minus(number: str) -> str:
    """Return a number with a minus sign in place of the hyphen."""
    return number.replace("-", "\u2212")


def asset(name: str) -> str:
    """Return a text file of `assets`."""
    return (files("konkyo.report.pages") / "assets" / name).read_text(encoding="utf-8")


@cache
def font(characters: frozenset[str]) -> str:
    """Return a data URI of the IPAexGothic font with only the given characters beyond ASCII.

    Its licence, the IPA Font License 1.0 beside the font, allows to embed it in a document.
    """
    codepoints = {ord(c) for c in characters if ord(c) > 127}
    with TTFont(FONT_FILE, recalcTimestamp=False) as typeface:
        options = Options(flavor="woff", layout_features=[], hinting=False, notdef_outline=True)
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=codepoints)
        subsetter.subset(typeface)
        typeface.flavor = "woff"
        out = io.BytesIO()
        typeface.save(out)
    return "data:font/woff;base64," + base64.b64encode(out.getvalue()).decode()


@cache
def _vega() -> bytes:
    """Return the gzip of Vega, Vega-Lite and vega-embed, which vl-convert carries."""
    return compress(
        vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE).encode()
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("konkyo.report.pages", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["text_of"] = Text.of
    return environment


def _opened(block: bytes) -> str:
    """Return the text of a packed file, whose characters the font must have."""
    return zlib.decompress(block, 31).decode()
