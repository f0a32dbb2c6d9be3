"""A small recurrent network over the returns of twelve months, beside all other inputs."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from konkyo.models.ranking_module import RankingModule

MONTHS = [*(f"return_lag_{k}" for k in range(11, 0, -1)), "return_1"]
"""The sequence, oldest first: the returns of t-11 .. t."""


class GRURanker(RankingModule):
    """A gated recurrent unit reads the returns; its last state and the other inputs give the score.

    Parameters
    ----------
    features : sequence of str
        Names of the inputs; those of `MONTHS` must be among them.
    hidden_size : int
        Units of the recurrent layer and of the layer behind it.
    dropout, learning_rate, weight_decay : float
        As in params.yaml.
    """

    def __init__(
        self,
        features: Sequence[str],
        hidden_size: int = 16,
        dropout: float = 0.0,
        learning_rate: float = 0.001,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, weight_decay)
        missing = [name for name in MONTHS if name not in features]
        if missing:
            raise ValueError(f"add to prepare.characteristics: {', '.join(missing)}")
        self.sequence = [features.index(name) for name in MONTHS]
        self.others = [i for i, name in enumerate(features) if name not in MONTHS]
        self.gru = nn.GRU(1, hidden_size, batch_first=True)
        self.output = nn.Sequential(
            nn.Linear(hidden_size + len(self.others), hidden_size),
            nn.Tanh(),
            nn.Dropout(dropout),
            nn.Linear(hidden_size, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores [rows] of inputs [rows, features]."""
        _, last = self.gru(x[:, self.sequence].unsqueeze(2))
        return self.output(torch.cat([last[0], x[:, self.others]], dim=1)).squeeze(1)
