import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import konkyo
from konkyo import io
from konkyo.errors import ArtifactError


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "table.csv"
    io.write_csv(pd.DataFrame({"a": [1]}), path)
    with pytest.raises(RuntimeError), io.atomic_write(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "a\n1\n"
    assert list(tmp_path.iterdir()) == [path]


def test_written_files_are_as_readable_as_any_other(tmp_path):
    io.write_json({"a": 1}, tmp_path / "a.json")
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "a.json").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert io.read_json(tmp_path / "a.json") == {"a": 1}


def test_arrays_and_digests(tmp_path):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    io.write_array(array, tmp_path / "x.npy")
    assert (np.load(tmp_path / "x.npy", mmap_mode="r") == array).all()
    (tmp_path / "abc").write_bytes(b"abc")
    assert io.sha256_of(tmp_path / "abc").startswith("ba7816bf8f01cfea")


@pytest.mark.parametrize("name", ["NA", "null", "nan", "None", "inf", "true", "007", "1e3"])
def test_a_table_of_names_comes_back_as_written(tmp_path, name):
    names = ("name", "feature", "stock", "sector", "group", "series")
    frame = pd.DataFrame({column: [name] for column in names} | {"value": [1.5]}).astype(
        dict.fromkeys(names, "str")
    )
    io.write_csv(frame, tmp_path / "a.csv")
    pd.testing.assert_frame_equal(io.read_csv(tmp_path / "a.csv"), frame)


def test_tables_are_read_in_one_place():
    """Elsewhere, pandas' own missing words and its guesses of types and days would be back."""
    source = Path(konkyo.__file__).parent
    other = re.compile(r"pd\.read_(csv|table|json|excel)\(|parse_dates|infer_datetime_format")
    found = {
        str(path.relative_to(source))
        for path in source.rglob("*.py")
        if other.search(path.read_text(encoding="utf-8"))
    }
    # The scoring server must not import the package before the model brings its code.
    assert found == {"io.py", "tracking/scoring/csv_server.py"}


def test_days_of_texts_are_read_in_one_place():
    """`to_datetime` without a format guesses: 201012 is a day of 2020, 05.04.2010 is in May."""
    source = Path(konkyo.__file__).parent
    guess = re.compile(
        r"pd\.to_datetime\((?![^;]{0,120}(format=|unit=))|dateutil|pd\.Period\(|strptime\("
    )
    found = {
        str(path.relative_to(source))
        for path in source.rglob("*.py")
        if guess.search(" ".join(path.read_text(encoding="utf-8").split()))
    }
    # Year, month and day as numbers.
    assert found <= {"data/daily.py"}


def test_files_of_one_table_are_read_as_one(tmp_path):
    frames = [pd.DataFrame({"stock": ["a", None], "score": [n, 2.0]}) for n in range(3)]
    paths = [tmp_path / f"{n}.parquet" for n in range(3)]
    for frame, path in zip(frames, paths, strict=True):
        io.write_parquet(frame, path)
    expected = pd.concat(map(io.read_parquet, paths), ignore_index=True)
    pd.testing.assert_frame_equal(io.read_parquets(paths), expected)
    io.write_parquet(frames[1].rename(columns={"score": "other"}), paths[1])
    assert io.read_parquets(paths).columns.tolist() == ["stock", "score", "other"]
    paths[1].write_bytes(b"PAR1")
    with pytest.raises(ArtifactError, match=r"1\.parquet"):
        io.read_parquets(paths)
    paths[2].unlink()
    with pytest.raises(ArtifactError, match=r"1\.parquet"):
        io.read_parquets(paths)
