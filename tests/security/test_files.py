"""Files that were put in the place of the project's own: nothing in them runs."""

import json
import os
import pickle
import struct
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException
from ruamel.yaml import YAML
from safetensors.numpy import save, save_file

from konkyo import config, io
from konkyo.errors import ArtifactError, ParamsError, TuningError
from konkyo.features import store as panels
from konkyo.models import store
from konkyo.models.batches import Hyperparameters, NetworkSpec
from konkyo.models.fit import fit, stack_task
from konkyo.tracking import servers
from konkyo.tuning.storage import open_storage
from processes import free_port
from small import small_params

GOOD = {
    "months": ["2001-01"],
    "keys": ["k"],
    "activation": "tanh",
    "output": "linear",
    "features": ["a", "b"],
}
TENSORS = {
    "scale.mean": np.zeros((1, 2), "f4"),
    "scale.std": np.ones((1, 2), "f4"),
    "layer.0.weight": np.zeros((1, 2, 3), "f4"),
    "layer.0.bias": np.zeros((1, 3), "f4"),
    "layer.1.weight": np.zeros((1, 3, 1), "f4"),
    "layer.1.bias": np.zeros((1, 1), "f4"),
}


class Trap:
    """What makes a file where it is unpickled."""

    def __reduce__(self):
        return (os.mkdir, ("trapped",))


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """See that no test sprang the trap."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert not (tmp_path / "trapped").exists()


def test_the_trap_would_spring(tmp_path):
    pickle.loads(pickle.dumps(Trap()))
    (tmp_path / "trapped").rmdir()


def header(described: dict | bytes, body: bytes = b"", length: int | None = None) -> bytes:
    text = described if isinstance(described, bytes) else json.dumps(described).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def tensor(shape: list[int], first: int, last: int) -> dict:
    return {"dtype": "F32", "shape": shape, "data_offsets": [first, last]}


TAMPERED = {
    "a pickle": pickle.dumps(Trap()),
    "nothing": b"",
    "a header longer than memory": header(b"{}", length=2**63),
    "a header longer than the file": header(b"{}", length=10**8),
    "no JSON": header(b"{not json"),
    "JSON nested deeply": header(b'{"a":' * 5000 + b"1" + b"}" * 5000),
    "no UTF-8": header(b'{"\xff": 1}'),
    "tensors that overlap": header({"a": tensor([2], 0, 8), "b": tensor([2], 4, 12)}, bytes(12)),
    "a tensor beyond the file": header({"a": tensor([2**40], 0, 2**42)}, bytes(8)),
    "a size that overflows": header({"a": tensor([2**62, 8], 0, 8)}, bytes(8)),
    "a negative offset": header({"a": tensor([2], -8, 0)}, bytes(8)),
    "a description that is a number": header({"__metadata__": {"konkyo": 5}}),
    "a description that is a list": header({"__metadata__": {"konkyo": "[1]"}}),
    "a description nested deeply": header({"__metadata__": {"konkyo": "[" * 100_000}}),
}


@pytest.mark.parametrize("content", TAMPERED.values(), ids=TAMPERED)
def test_a_weights_file_that_was_tampered_with(here, content):
    path = here / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="does not hold networks"):
        store.read(path)
    assert store.read_key(path) is None


DESCRIBED = [
    {"activation": ["tanh"]},
    {"activation": "os.system"},
    {"features": 5},
    {"features": "ab"},
    {"features": ["a", "b", "c"]},
    {"features": [["a"], "b"]},
    {"months": [5]},
    {"months": "2"},
    {"months": []},
    {"keys": [[1]]},
    {"keys": "k"},
    {"keys": ["k", "k"]},
]
SHAPES = [
    {"layer.1.weight": np.zeros((0, 3, 1), "f4")},
    {"layer.1.weight": np.zeros((1, 7, 1), "f4")},
    {"layer.1.weight": np.zeros((1, 3, 1), "i8")},
    {"layer.0.bias": np.array(3, "f4")},
    {"layer.0.weight": np.zeros(6, "f4")},
    {"layer.0.weight": np.zeros((2, 2, 3), "f4")},
    {"scale.mean": np.zeros((1, 9), "f4")},
    {name: array[:0] for name, array in TENSORS.items() if "layer" in name},
]


@pytest.mark.parametrize("described", DESCRIBED)
def test_a_description_of_other_kinds(here, described):
    path = here / "w.safetensors"
    save_file(TENSORS, path, {"konkyo": json.dumps(GOOD | described)})
    with pytest.raises(ArtifactError, match="does not hold networks"):
        store.read(path)


@pytest.mark.parametrize("tensors", SHAPES)
def test_tensors_that_do_not_fit(here, tensors):
    path = here / "w.safetensors"
    save_file(TENSORS | tensors, path, {"konkyo": json.dumps(GOOD)})
    with pytest.raises(ArtifactError, match="does not hold networks"):
        store.read(path)


def test_the_untampered_file_is_read(here):
    save_file(TENSORS, here / "w.safetensors", {"konkyo": json.dumps(GOOD)})
    (network,) = store.read(here / "w.safetensors")
    assert network.features == ("a", "b")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_damage_is_an_error_or_a_sound_network(here, data):
    content = bytearray(save(TENSORS, {"konkyo": json.dumps(GOOD)}))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = here / "w.safetensors"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        networks = store.read(path)
    except ArtifactError:
        return
    store.restack(networks)


STATES = {
    "a pickle": lambda path: path.write_bytes(pickle.dumps(Trap())),
    "a trap in a file of torch": lambda path: torch.save({"epoch": Trap()}, path),
    "another thing": lambda path: torch.save([1, 2], path),
    "no epoch": lambda path: torch.save({"state_dict": {}}, path),
    "an epoch alone": lambda path: torch.save({"epoch": 0}, path),
    "nothing": lambda path: path.write_bytes(b""),
}


@pytest.mark.parametrize("spoil", STATES.values(), ids=STATES)
def test_a_tampered_training_state_is_discarded(here, spoil):
    rng = np.random.default_rng(3)
    features = rng.normal(size=(40, 2)).astype(np.float32)
    labels = np.stack([features[:, 0]] * 2)
    spec = NetworkSpec(
        month="2001-01", rows=np.arange(40), mean=np.zeros(2, "f4"), std=np.ones(2, "f4"), seed=1,
        hyperparameters=Hyperparameters(learning_rate=0.001, dropout=0.4),
    )  # fmt: skip
    train = replace(small_params().train, hidden_sizes=(2,), batch_size=20, epochs=1)
    (here / "a").mkdir()
    undisturbed = fit(stack_task(features, labels, [spec], train), scratch=here / "a", name="s")
    (here / "b").mkdir()
    spoil(here / "b/s.ckpt")
    found = fit(stack_task(features, labels, [spec], train), scratch=here / "b", name="s")
    np.testing.assert_array_equal(found.losses, undisturbed.losses)


MATRICES = {
    "a pickle": pickle.dumps(Trap()),
    "code for a shape": b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, "
    b"'shape': (__import__('os').mkdir('trapped'),), }" + b" " * 20 + b"\n",
    "nothing": b"",
}


def write_panel(folder: Path) -> None:
    folder.mkdir()
    np.save(folder / "features.npy", np.zeros((1, 1), "f4"))
    pd.DataFrame({"month": [1]}).to_parquet(folder / "index.parquet")
    (folder / "catalogue.csv").write_text("name\nx\n")


@pytest.mark.parametrize("content", MATRICES.values(), ids=MATRICES)
@pytest.mark.parametrize("name", ["features.npy", "index.parquet"])
def test_a_panel_that_was_tampered_with(here, content, name):
    write_panel(here / "panel")
    assert panels.read(here / "panel").names == ["x"]
    (here / "panel" / name).write_bytes(content)
    with pytest.raises(ArtifactError, match=f"{name} is damaged or cannot be read"):
        panels.read(here / "panel")
    assert io.read_key(here / "panel/index.parquet") is None


def test_a_matrix_of_pickled_objects(here):
    write_panel(here / "panel")
    np.save(here / "panel/features.npy", np.array([[Trap()]], dtype=object), allow_pickle=True)
    with pytest.raises(ArtifactError, match=r"\(it is not a complete array of numbers\)"):
        panels.read(here / "panel")


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(Trap()),
        pickle.dumps(Trap(), 0),
        b'{"op_code": 99}\n',
        b"[1]\n",
    ],
)
def test_a_journal_that_is_none_is_not_written_on(here, content):
    (here / "journal.log").write_bytes(content)
    with pytest.raises(TuningError, match="is not a journal of Optuna"):
        open_storage("journal:journal.log")
    assert (here / "journal.log").read_bytes() == content


@pytest.mark.parametrize("tag", ["object/apply:os.mkdir [trapped]", "name:os.mkdir ''"])
def test_params_that_ask_for_code(here, tag):
    (here / "params.yaml").write_text(f"!!python/{tag}\n")
    with pytest.raises(ParamsError, match="not valid YAML"):
        config.load()


def test_a_served_model_with_a_pickle_is_refused(here, monkeypatch):
    """The model that this project logs is code and weights; a pickle in its place is another."""
    given: list[dict] = []
    monkeypatch.setattr(os, "execve", lambda *arguments: given.append(arguments[2]))
    servers.exec_server(["models", "serve"], {}, port=free_port(), announcement="")
    folder = here / "model"
    folder.mkdir()
    (folder / "python_model.pkl").write_bytes(pickle.dumps(Trap()))
    flavor = {
        "loader_module": "mlflow.pyfunc.model",
        "python_model": "python_model.pkl",
        "cloudpickle_version": "3.0.0",
    }
    with (folder / "MLmodel").open("w") as file:
        YAML().dump({"flavors": {"python_function": flavor}}, file)
    name = "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"
    monkeypatch.setenv(name, given[0][name])
    with pytest.raises(MlflowException, match="MLFLOW_ALLOW_PICKLE_DESERIALIZATION"):
        mlflow.pyfunc.load_model(str(folder))
