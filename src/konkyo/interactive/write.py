"""Writing a figure as a page of its own, plotly.js beside it once."""

import json
from pathlib import Path

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from konkyo.files import replacing
from konkyo.interactive.style import DARK, safe

LIBRARY = "plotly.min.js"
_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 12px; background: #fefefe; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #0f141a; }} }}
</style>
<script src="{library}"></script>
</head>
<body>
<div id="figure"></div>
<script>
const light = JSON.stringify({figure});
const dark = {dark};
const asked = window.matchMedia("(prefers-color-scheme: dark)");
function draw() {{
  let text = light;
  if (asked.matches) for (const [from, to] of dark) text = text.replaceAll(from, to);
  const figure = JSON.parse(text);
  Plotly.react("figure", figure.data, figure.layout, {{responsive: true, displaylogo: false}});
}}
asked.addEventListener("change", draw);
draw();
</script>
</body>
</html>
"""


def write(figure: go.Figure, folder: Path, name: str, language: str = "en") -> Path:
    """Write `name`.html into a folder, and plotly.js beside it if it is not there yet.

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
    library = folder / LIBRARY
    code = get_plotlyjs().encode()
    # The size tells an older version; the file is 5 MB, and written for the first figure only.
    if not library.exists() or library.stat().st_size != len(code):
        with replacing(library) as scratch:
            scratch.write_bytes(code)
    page = _PAGE.format(
        language=language,
        title=safe(figure.layout.title.text or name),
        library=LIBRARY,
        figure=embedded(figure),
        dark=json.dumps(list(DARK.items())),
    )
    path = folder / f"{name}.html"
    with replacing(path) as scratch:
        scratch.write_text(page, encoding="utf-8")
    return path


def embedded(figure: go.Figure) -> str:
    """Return a figure's JSON so that no name in it can end the script that it stands in."""
    return str(figure.to_json()).replace("<", "\\u003c")
