"""Colours of series and the widths of texts: what charts, pages and workbooks share."""

import re
from unicodedata import east_asian_width

INK, MUTED, GRID, PAPER = "#24292f", "#6e7781", "#dfe3e8", "#fefefe"
"""Text, secondary text, grid and background on white paper. A page puts its own colours of light or
dark in their places, so nothing else in a chart may have exactly these values."""

# Okabe and Ito's colours, which remain distinct under colour blindness. Long is on the red side and
# short on the blue one, as what raises a score is red and what lowers it is blue.
COLOURS = {
    "long": "#D55E00",
    "short": "#0072B2",
    "spread": INK,
    "spread_net": "#CC79A7",
    "market": "#7A7A7A",
    "benchmark": "#56B4E9",
    "network": INK,
    "ridge": "#0072B2",
    "placebo": "#E69F00",
    "named": "#009E73",
    "characteristic": "#0072B2",
    "sector": "#E69F00",
    "calendar": "#CC79A7",
    "market_group": "#009E73",
    "absorbed": "#7A7A7A",
}
OTHER = "#009E73"
SERIES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7A7A7A")
RAISES, LOWERS = "#D6604D", "#4393C3"
"""Ends of the diverging scale, ColorBrewer's RdBu; its middle is `PAPER`."""


def width_of(text: str) -> float:
    """Return the approximate width of a text in em: Japanese letters are square."""
    return sum(1.0 if east_asian_width(letter) in "WF" else 0.55 for letter in text)


def wrapped(text: str, width: float) -> list[str]:
    """Return a text as lines of at most about this width in em.

    Lines break at spaces and between Japanese letters, not before closing marks; a longer word
    stands alone.
    """
    lines, line = [], ""
    for part in re.findall(r"[ -~]+?(?: |$|(?=[^ -~]))|[^ -~][、。）」]*", text):
        if line and width_of(line + part.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += part
    return [*lines, line]
