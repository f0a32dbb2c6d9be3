"""Writing a figure as a page of its own, plotly.js and the Japanese font beside it once."""

import json
from pathlib import Path

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from konkyo.io import atomic_write
from konkyo.report.figures.fonts import font_file
from konkyo.report.interactive.style import DARK, FONT, escape_html

LIBRARY = "plotly.min.js"
LEAST = 640
"""Pixels below which a page of its own scrolls sideways; `layout.meta.least` may ask for more."""
_FACE = '@font-face { font-family: IPAexGothic; src: local("IPAexGothic"), url("%s"); }'
_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
{face}
body {{ margin: 12px; background: #fefefe; color: #24292f; font-family: {family}; }}
h1 {{ font-size: 1.1rem; font-weight: 600; margin: 0 8px; }}
#figure {{ min-width: {least}px; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #0f141a; color: #e6edf3; }} }}
</style>
<script src="{library}"></script>
</head>
<body>
<h1 hidden>{title}</h1>
<div id="figure"></div>
<script>
const light = JSON.stringify({figure});
const dark = {dark};
const asked = window.matchMedia("(prefers-color-scheme: dark)");
function draw() {{
  let text = light;
  if (asked.matches) for (const [from, to] of dark) text = text.replaceAll(from, to);
  const figure = JSON.parse(text);
  delete figure.layout.title;
  figure.layout.margin.t = Math.max(20, figure.layout.margin.t - 20);
  Plotly.react("figure", figure.data, figure.layout, {{responsive: true, displaylogo: false}});
}}
asked.addEventListener("change", draw);
// Plotly measures letters when it draws: those of a font that comes later would not fit.
document.fonts.load("12px IPAexGothic", "漢字").finally(() => {{
  document.querySelector("h1").hidden = false;
  draw();
}});
</script>
</body>
</html>
"""


def write(figure: go.Figure, folder: Path, name: str, language: str = "en") -> Path:
    """Write `name`.html into a folder, and beside it what it needs, if that is not there yet.

    Parameters
    ----------
    figure : plotly Figure
        One of this room's.
    folder : Path
        Made if it is missing. The page needs no network; it follows the reader's light or dark.
    name : str
        The file's name without a suffix.
    language : str
        The language of the figure's texts, for readers and screen readers.

    Returns
    -------
    Path
        The page.
    """
    # Some MB each: written for the first figure only. The size tells an older version.
    beside = {LIBRARY: get_plotlyjs().encode()}
    if language == "ja":
        font = font_file()
        # The licence wants to go where the font goes.
        beside |= {one.name: one.read_bytes() for one in (font, *font.parent.glob("*License*"))}
    for name_beside, content in beside.items():
        place = folder / name_beside
        if not place.exists() or place.stat().st_size != len(content):
            with atomic_write(place) as scratch:
                scratch.write_bytes(content)
    page = _PAGE.format(
        language=language,
        title=figure.layout.title.text or escape_html(name),
        face=_FACE % font_file().name if language == "ja" else "",
        family=FONT,
        least=(figure.layout.meta or {}).get("least", LEAST),
        library=LIBRARY,
        figure=embedded(figure),
        dark=json.dumps(list(DARK.items())),
    )
    path = folder / f"{name}.html"
    with atomic_write(path) as scratch:
        scratch.write_text(page, encoding="utf-8")
    return path


def embedded(figure: go.Figure) -> str:
    """Return a figure's JSON so that no name in it can end the script that it stands in."""
    return str(figure.to_json()).replace("<", "\\u003c")
