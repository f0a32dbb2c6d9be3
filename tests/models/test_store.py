import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from konkyo.errors import ArtifactError
from konkyo.models import store
from konkyo.models.fit import initial_network


@pytest.fixture
def networks(task):
    stack = initial_network(
        task.specs, hidden_sizes=task.params.hidden_sizes, activation=task.params.activation
    )
    names = [f"f{i}" for i in range(5)]
    months = [spec.month for spec in task.specs]
    return stack, store.unstack(stack, months=months, keys=["k"] * len(months), features=names)


def test_round_trip_through_files(networks, tmp_path):
    stack, parts = networks
    for part in parts:
        store.write([part], tmp_path / "one.safetensors")
        (back,) = store.read(tmp_path / "one.safetensors")
        assert (back.month, back.key, back.activation) == (part.month, "k", "tanh")
        assert back.features == ("f0", "f1", "f2", "f3", "f4")
        np.testing.assert_array_equal(back.weights[1], part.weights[1])
        np.testing.assert_array_equal(back.std, part.std)
    assert store.read_key(tmp_path / "one.safetensors") == "k"
    store.write(parts, tmp_path / "all.safetensors")
    for before, after in zip(parts, store.read(tmp_path / "all.safetensors"), strict=True):
        assert (after.month, after.key) == (before.month, before.key)
        for a, b in zip(before.weights + before.biases, after.weights + after.biases, strict=True):
            np.testing.assert_array_equal(a, b)
    assert store.read_key(tmp_path / "all.safetensors") == "k"
    store.write([parts[0], replace(parts[1], key="other")], tmp_path / "two.safetensors")
    assert store.read_key(tmp_path / "two.safetensors") is None
    x = torch.randn(5, 3, 5)
    again = store.restack(parts)
    assert torch.equal(again(again.scale_(x.clone())), stack(stack.scale_(x.clone())))


def test_networks_that_differ_do_not_stack(networks):
    other = replace(networks[1][1], activation="relu")
    with pytest.raises(ArtifactError, match="2001-01 and 2001-02 differ"):
        store.restack([networks[1][0], other])


def test_missing_file_names_the_remedy(tmp_path):
    with pytest.raises(ArtifactError, match=r"1999-01\.safetensors is missing: run `dvc"):
        store.read(tmp_path / "1999-01.safetensors")
    assert store.read_key(tmp_path / "1999-01.safetensors") is None


class Trap:
    def __reduce__(self):
        return (open, ("trapped", "w"))


def test_a_file_that_is_no_network_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "w.safetensors"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ArtifactError, match="does not hold networks"):
        store.read(path)
    assert store.read_key(path) is None
    assert not (tmp_path / "trapped").exists()
    save_file({"a": np.zeros(2)}, path, {"month": "2001-01"})
    with pytest.raises(ArtifactError, match="does not hold networks"):
        store.read(path)
