"""The example of a recurrent network: what it reads, and what it asks for."""

import importlib.util
from pathlib import Path

import pytest
import torch

from konkyo.config import load

EXAMPLE = Path(__file__).parents[2] / "data/examples/gru"


@pytest.fixture(scope="module")
def gru_ranker():
    spec = importlib.util.spec_from_file_location("gru_ranker", EXAMPLE / "gru_ranker.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_its_params_have_its_returns(gru_ranker):
    params = load(EXAMPLE / "params.yaml")
    assert params.train.module == "gru_ranker.GRURanker"
    assert set(gru_ranker.MONTHS) < set(params.prepare.characteristics)
    assert gru_ranker.MONTHS[0] == "return_lag_11" and gru_ranker.MONTHS[-1] == "return_1"


def test_it_reads_the_returns_in_their_order(gru_ranker):
    """The columns may stand in any order; the order of the months matters."""
    names = [*sorted(gru_ranker.MONTHS), "size"]
    torch.manual_seed(1)
    model = gru_ranker.GRURanker(names, hidden_size=4).eval()
    x = torch.randn(5, len(names))
    oldest_first = x[:, [names.index(name) for name in gru_ranker.MONTHS]]
    _, last = model.gru(oldest_first.unsqueeze(2))
    by_hand = model.output(torch.cat([last[0], x[:, -1:]], dim=1))[:, 0]
    torch.testing.assert_close(model(x), by_hand)
    assert (model(x) - model(x.flip(0)).flip(0)).abs().max() < 1e-6


def test_it_says_what_it_lacks(gru_ranker):
    with pytest.raises(ValueError, match=r"add to prepare\.characteristics: return_lag_11"):
        gru_ranker.GRURanker(["size", "return_1"])
