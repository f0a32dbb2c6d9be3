import pytest

from konkyo import config
from konkyo.errors import ParamsError
from konkyo.tuning import apply
from small import PARAMS

SETTINGS = {
    "train": {"hidden_sizes": (32, 16), "learning_rate": 0.00031, "dropout": 0.25, "epochs": 20},
    "prepare": {"label": "zscore"},
}


def test_only_lines_of_changed_values_change(tmp_path):
    path = tmp_path / "params.yaml"
    before = PARAMS.read_text(encoding="utf-8")
    path.write_text(before, encoding="utf-8")
    said = apply.write(path, SETTINGS)
    lines = [line for line in said.splitlines() if line[:1] in "+-" and line[:3] not in "---+++"]
    assert lines == [
        "-  label: rank                  # zscore | rank | raw: cross-sectional return from t to"
        " t+1",
        "+  label: zscore                # zscore | rank | raw: cross-sectional return from t to"
        " t+1",
        "-  hidden_sizes: [64, 64, 32]   # paper, figure 15",
        "+  hidden_sizes: [32, 16]       # paper, figure 15",
        "-  dropout: 0.4                 # share of hidden units left out at a step",
        "-  learning_rate: 0.001         # of Adam",
        "+  dropout: 0.25                # share of hidden units left out at a step",
        "+  learning_rate: 0.00031       # of Adam",
    ]
    after = config.load(path)
    assert (after.train.hidden_sizes, after.train.learning_rate) == ((32, 16), 0.00031)
    assert after.prepare.label == "zscore"


def test_a_value_on_another_line_is_refused():
    text = "train:  # here\n  hidden_sizes:\n    - 64\n    - 32\n"
    text += "  dropout: 0.4  # share\nprepare: {}\n"
    after = apply.apply(text, {"train": {"dropout": 0.1}})
    assert after == text.replace("0.4", "0.1")
    with pytest.raises(ParamsError, match=r"train\.hidden_sizes .*line of the key"):
        apply.apply(text, {"train": {"hidden_sizes": (8,)}})


def test_an_invalid_value_leaves_the_file_unchanged(tmp_path):
    path = tmp_path / "params.yaml"
    before = PARAMS.read_text(encoding="utf-8")
    path.write_text(before, encoding="utf-8")
    with pytest.raises(ParamsError):
        apply.write(path, {"train": {"dropout": 1.5}})
    assert path.read_text(encoding="utf-8") == before
