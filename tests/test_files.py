import numpy as np
import pandas as pd
import pytest

from konkyo import files


def test_a_failed_write_leaves_the_old_file_and_no_scratch(tmp_path):
    path = tmp_path / "table.csv"
    files.write_csv(pd.DataFrame({"a": [1]}), path)
    with pytest.raises(RuntimeError), files.replacing(path) as scratch:
        scratch.write_text("half")
        raise RuntimeError
    assert path.read_text() == "a\n1\n"
    assert list(tmp_path.iterdir()) == [path]


def test_written_files_are_as_readable_as_any_other(tmp_path):
    files.write_json({"a": 1}, tmp_path / "a.json")
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "a.json").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert files.read_json(tmp_path / "a.json") == {"a": 1}


def test_digest_depends_on_where_parts_end():
    assert files.digest_of("ab", "c") != files.digest_of("a", "bc")
    assert files.digest_of("ab") == files.digest_of(b"ab")


def test_arrays_and_digests(tmp_path):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    files.write_array(array, tmp_path / "x.npy")
    assert (np.load(tmp_path / "x.npy", mmap_mode="r") == array).all()
    (tmp_path / "abc").write_bytes(b"abc")
    assert files.sha256_of(tmp_path / "abc").startswith("ba7816bf8f01cfea")
