"""The same records, params and seed give the same bytes, and nearly the same on other machines."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import chain

pytestmark = pytest.mark.slow

STAGES = ("prepare", "train", "attribute", "backtest")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the results of the small records, made in this process."""
    folder = tmp_path_factory.mktemp("here")
    chain.lay(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        chain.run(STAGES)
    return folder


def test_another_process_gives_the_same_bytes(here: Path, tmp_path: Path):
    chain.lay(tmp_path)
    threads = {"OMP_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "3", "PYTHONHASHSEED": "7"}
    code = f"import chain; chain.run({STAGES})"
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, check=True, capture_output=True,
        env=os.environ | threads | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    ours, theirs = chain.results(here), chain.results(tmp_path)
    assert {"metrics.json", "attributions/2001-01.parquet", "models/baselines.parquet"} <= set(ours)
    assert [name for name in ours if ours[name] != theirs.get(name)] == []
    assert ours.keys() == theirs.keys()


def test_figures_of_another_machine(here: Path):
    """Literal figures; `tests/long/determinism.py` says how far instruction sets move them."""
    grounds = pd.read_parquet(here / "data/attributions/2002-06.parquet").set_index("stock")
    expected = {
        "score": [-0.627226, -0.652941],
        "return_1": [0.008055, 0.004974],
        "beta_6": [0.017589, -0.010375],
        "sector_Autos": [0.020502, 0.0],
        "MKT": [-0.230283, -0.215964],
        "absorbed": [-0.480744, -0.479269],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(grounds.loc[["S000", "S010"], name], values, atol=1e-5)
    baselines = pd.read_parquet(here / "data/models/baselines.parquet")
    newest = baselines[baselines["month"] == "2002-06-30"].set_index("stock")["ridge"]
    np.testing.assert_allclose(newest[["S000", "S010"]], [0.056188, 0.291340], atol=1e-5)
    metrics = json.loads((here / "data/metrics.json").read_text())
    # Two stocks whose scores are equal but for the last digits may change places.
    assert metrics["network"]["rank_ic"] == pytest.approx(0.034716, abs=2e-3)
    assert metrics["network"]["spread"]["annual_return_arithmetic"] == pytest.approx(
        0.120451, abs=2e-2
    )
    assert metrics["ridge"]["rank_ic"] == pytest.approx(0.004416, abs=2e-3)
