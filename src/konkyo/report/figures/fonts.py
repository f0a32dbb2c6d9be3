"""The Japanese font, known to matplotlib without a change to its settings."""

from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.text import Text

from konkyo.errors import ArtifactError
from konkyo.i18n import Language

_LATIN = "DejaVu Sans"


def font_file() -> Path:
    """Return the path of IPAexGothic, which the package matplotlib-fontja carries.

    The package is found and not imported: its import sets the font of every figure drawn later.

    Raises
    ------
    ArtifactError
        The package or its file is missing.
    """
    spec = find_spec("matplotlib_fontja")
    places = list(spec.submodule_search_locations or []) if spec else []
    files = [path for place in places for path in sorted(Path(place).glob("fonts/*.ttf"))]
    if not files:
        raise ArtifactError(
            "no Japanese font is installed: run `pip install -r requirements.txt`, "
            "which brings matplotlib-fontja"
        )
    return files[0]


@cache
def _registered() -> str:
    """Add the font to matplotlib's list, once, and return its name."""
    fontManager.addfont(font_file())
    entry = fontManager.ttflist[-1]
    # There is no bold one: the same letters stand in for it, or each title would be warned of.
    fontManager.ttflist.append(replace(entry, weight=700))
    return str(entry.name)


def apply_font(figure: Figure, language: Language) -> Figure:
    """Set the font of everything written in a figure, and return the figure.

    Both fonts are named in either language, so that a Japanese name in an English figure is drawn.
    """
    japanese = _registered()
    family = [japanese, _LATIN] if language == "ja" else [_LATIN, japanese]
    for written in figure.findobj(Text):
        written.set_fontfamily(family)
    # Marks of an axis are made when it is drawn.
    for axes in figure.findobj(Axes):
        axes.tick_params(axis="both", which="both", labelfontfamily=family)
    return figure
