"""A user's package with LightningModules, good and bad, and where tests find it."""

import sys
from pathlib import Path
from textwrap import dedent

SOURCE = dedent(
    '''
    import torch
    from torch import nn
    from pytorch_lightning import LightningModule
    from konkyo.models.ranking_module import RankingModule


    class Small(RankingModule):
        """Two layers; `steps` counts forward passes and is a whole number."""

        def __init__(self, n_inputs, width=3, learning_rate=0.01, dropout=0.0):
            super().__init__(learning_rate)
            self.net = nn.Sequential(
                nn.Linear(n_inputs, width), nn.Tanh(), nn.Dropout(dropout), nn.Linear(width, 1)
            )
            self.register_buffer("steps", torch.tensor(0))

        def forward(self, x):
            if self.training:
                self.steps += 1
            return self.net(x).squeeze(1)


    class Plain(LightningModule):
        """No class of konkyo."""

        def __init__(self, features):
            super().__init__()
            self.line = nn.Linear(len(features), 1)

        def forward(self, x):
            return self.line(x)[:, 0]

        def training_step(self, batch, batch_idx):
            x, y = batch
            return (self(x) - y).abs().mean()

        def validation_step(self, batch, batch_idx):
            pass

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.01)


    class Recurrent(Small):
        def __init__(self, n_inputs):
            super().__init__(n_inputs)
            self.gru = nn.GRU(1, 2, batch_first=True)

        def forward(self, x):
            return self.gru(x.unsqueeze(2))[1].sum((0, 2))


    class Column(Small):
        def forward(self, x):
            return self.net(x)


    class Explodes(Small):
        def training_step(self, batch, batch_idx):
            return super().training_step(batch, batch_idx) * float("nan")


    class Picky(Small):
        def __init__(self, n_inputs):
            raise ValueError("add return_lag_1")


    not_a_class = 3


    class NotLightning(nn.Module):
        pass
    '''
)


def write_package(folder: Path, name: str = "users_rankers", source: str = SOURCE) -> str:
    """Write the package into a folder that is searched for modules; return its module's name."""
    package = folder / name
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "nets.py").write_text(source, encoding="utf-8")
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    return f"{name}.nets"
