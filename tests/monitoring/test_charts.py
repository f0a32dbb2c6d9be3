"""Charts of the monitor: their data and encodings."""

import numpy as np
import pandas as pd

from konkyo.monitoring.figures import check_line
from konkyo.report.charts.theme import to_spec

MONTHS = pd.date_range("2021-01-31", periods=3, freq="ME")


def test_a_check_marks_what_is_beyond_its_limit():
    history = pd.DataFrame(
        {"month": MONTHS, "value": [1.0, 5.0, np.nan], "breached": [False, True, False]}
    )
    chart = check_line(history, "market_z", limit=4.0, form=".1f")
    spec = to_spec(chart)
    series = next(rows for rows in spec["datasets"].values() if "breached" in rows[0])
    assert [row["value"] for row in series] == [1, 5]
    assert [row["breached"] for row in series] == [False, True]
    limit = next(rows for rows in spec["datasets"].values() if "breached" not in rows[0])
    assert limit == [{"value": 4.0}]
    assert chart.usermeta["note"] == "limit 4.0; \u25cf limit exceeded"
    assert chart.usermeta["title"].startswith("largest |z|")


def test_a_check_without_breaches_shows_its_limit():
    history = pd.DataFrame({"month": MONTHS, "value": -1.0, "breached": False})
    chart = check_line(history, "rank_ic", limit=-2.0, form=".1f", language="ja")
    assert chart.usermeta["note"].endswith("-2.0")
    assert not to_spec(chart)["layer"][0]["encoding"]["y"]["scale"]["zero"]
