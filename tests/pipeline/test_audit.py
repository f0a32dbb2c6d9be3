"""`konkyo audit`: what it writes, prints and ends with; it touches nothing else."""

import json
from pathlib import Path

import pandas as pd
import pytest

from chain import write_params
from konkyo import config
from konkyo.features import build
from konkyo.pipeline import audit
from small import make_records, small_params


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Work in a folder with small records of the user's own."""
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "data/own"
    own.mkdir(parents=True)
    for name, table in zip(("stocks", "market"), make_records(), strict=True):
        table.to_parquet(own / f"{name}.parquet")
    values = config.as_dict(small_params())
    values["ingest"]["source"] = "tables"
    values["prepare"]["universe_size"] = 12
    write_params(tmp_path, values)
    return tmp_path


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_nothing_looks_ahead(folder, capsys):
    before = files(folder)
    audit.main(months=2)
    said = capsys.readouterr()
    assert files(folder) - before == {"data/audit.csv", "data/audit.json", "data/.results.lock"}
    result = json.loads(Path("data/audit.json").read_text())
    table = pd.read_csv("data/audit.csv")
    assert result["decision_months"] == ["2001-01", "2002-06"] and result["n_perturbed"] == 5
    assert result["moved"] == 0 and result["compared"] == table["compared"].sum()
    assert set(result["stages"]) == set(table["stage"])
    assert f"no look-ahead: {result['compared']:,} values of {len(table)} col" in said.out
    assert said.err == ""


def test_what_moved_is_named_and_ends_with_exit_code_1(folder, capsys, monkeypatch):
    own = build.returns_ahead
    monkeypatch.setattr(build, "returns_ahead", lambda returns, skip: own(returns, skip + 1))
    with pytest.raises(SystemExit) as ended:
        audit.main(months=1)
    assert ended.value.code == 1
    first, second, *_ = capsys.readouterr().err.splitlines()
    assert first.startswith("audit: ") and first.endswith(" values moved, by stage:")
    assert second.startswith("audit: prepare: ret moved in ")
    assert ", first in 2002-05 (" in second and " became " in second
    result = json.loads(Path("data/audit.json").read_text())
    assert result["stages"]["prepare"]["moved"] > 0 and result["stages"]["ingest"]["moved"] == 0
    table = pd.read_csv("data/audit.csv", keep_default_na=False)
    row = table[table["feature"] == "label"].iloc[0]
    assert (row["stage"], row["first_month"], row["decision_month"]) == (
        "prepare", "2002-05", "2002-06",
    )  # fmt: skip
