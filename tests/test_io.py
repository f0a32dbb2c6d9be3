import numpy as np
import pandas as pd
import pytest

from konkyo import io


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
