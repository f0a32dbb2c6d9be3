"""The performance table."""

import pandas as pd
import plotly.graph_objects as go

from konkyo.i18n import Language, display_name, t
from konkyo.report.figures.table import COLUMNS, cell
from konkyo.report.interactive.style import CLEAR, GRID, base_layout, escape_html


def performance_table(performance: pd.DataFrame, language: Language = "en") -> go.Figure:
    """Show the performance of every model and portfolio (the paper's figure 7).

    Takes what `figures.table.performance_table` takes.
    """
    columns = []
    for name in COLUMNS:
        own = performance[name].tolist()
        words = name in ("model", "portfolio")
        columns.append(
            [
                escape_html(display_name(name, str(x), language)) if words else cell(name, x)
                for x in own
            ]
        )
    align = ["left" if name in ("model", "portfolio") else "right" for name in COLUMNS]
    look = {"line": {"color": GRID}, "fill": {"color": CLEAR}, "align": align}
    head = [f"<b>{t(f'performance.{name}', language)}</b>" for name in COLUMNS]
    return base_layout(
        [
            go.Table(
                header={"values": head, "height": 44, **look},
                cells={"values": columns, "height": 26, **look},
                columnwidth=[1.3, 1.7, 1, 1, 1, 1, 1, 0.7],
            )
        ],
        t("title.performance", language),
        height=140 + 26 * len(performance),
        margin={"l": 8, "r": 8, "t": 50, "b": 8},
    )
