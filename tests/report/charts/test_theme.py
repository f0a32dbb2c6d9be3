"""The theme: fonts, names in lines, colours of numbers in cells, files."""

import struct

import altair as alt
import pandas as pd
import pytest
import vl_convert

from konkyo.report.charts.theme import (
    FONT_FILE,
    VEGA_LITE,
    months,
    save_pngs,
    to_spec,
    zero_rule,
)  # fmt: skip


def svg(chart: alt.TopLevelMixin) -> str:
    return vl_convert.vegalite_to_svg(to_spec(chart), vl_version=VEGA_LITE)


def test_a_picture_has_its_resolution(tmp_path):
    chart = alt.Chart(pd.DataFrame({"x": [1, 2]})).mark_bar().encode(x="x:Q")
    chart = chart.properties(width=200, height=50)
    widths = []
    for ppi in (72, 144):
        save_pngs({tmp_path / "new" / "a.png": chart}, ppi)
        widths.append(struct.unpack(">I", (tmp_path / "new" / "a.png").read_bytes()[16:20])[0])
    assert widths[1] == pytest.approx(2 * widths[0], abs=2)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.png"]


def test_japanese_letters_use_the_packages_font(tmp_path):
    """Letters that no font has are all drawn as the same box."""
    assert FONT_FILE.with_name("IPA_Font_License_Agreement_v1.0.txt").exists()
    pictures = []
    for text in ("鮪", "鯨"):
        chart = alt.Chart(pd.DataFrame({"t": [text]})).mark_text(fontSize=30).encode(text="t:N")
        save_pngs({tmp_path / "t.png": chart}, 72)
        pictures.append((tmp_path / "t.png").read_bytes())
    assert pictures[0] != pictures[1]


@pytest.mark.parametrize(("count", "form"), [(10, "%Y-%m"), (24, "%Y-%m"), (193, "%Y")])
def test_a_short_record_is_marked_by_months(count, form):
    record = pd.date_range("2001-01-31", periods=count, freq="ME").to_series()
    assert months("month", record).to_dict()["axis"]["format"] == form


def test_rows_beyond_altairs_limit_are_embedded_once():
    table = pd.DataFrame({"x": range(6000), "y": 0.123456789})
    base = alt.Chart(table).encode(x="x:Q", y="y:Q")
    spec = to_spec(alt.layer(base.mark_line(), zero_rule(), base.mark_point()))
    (rows_of,) = spec["datasets"].values()
    assert len(rows_of) == 6000 and rows_of[0]["y"] == 0.123457
