"""The paper's 126 inputs by name (figures 13 and 14), in the order of the panel's columns."""

from importlib.resources import files

import pandas as pd

from konkyo.io import read_csv


def catalogue() -> pd.DataFrame:
    """Return every input's name, group, transform, english and japanese name.

    Returns
    -------
    DataFrame
        33 characteristics of stocks (ranks), 33 industries and 12 calendar months (dummies), and 24
        market series in two transforms each; names are those of the panel's features.
    """
    return read_csv(files(__package__) / "catalogue.csv", na_values=[])


_ALL = catalogue()


def _names(group: str) -> tuple[str, ...]:
    return tuple(_ALL.loc[_ALL["group"] == group, "name"])


CHARACTERISTICS = _names("characteristic")
"""For `prepare.characteristics`: figure 13."""

COMPUTED = ("return_1", "return_3", "return_6", "return_12", "return_36", "beta_36", "size")
"""Those that the panel computes from `return` and `size`; the others are columns of the stocks."""

COLUMNS = tuple(name for name in CHARACTERISTICS if name not in COMPUTED)
"""The further columns of the stocks."""

SECTORS = tuple(name.removeprefix("sector_") for name in _names("sector"))
"""For `prepare.sectors`: the 33 industries, in the exchange's order."""

MARKET = {
    name: ("level", second)
    for name, second in zip(
        _ALL.loc[(_ALL["group"] == "market") & (_ALL["transform"] == "level"), "name"],
        _ALL.loc[(_ALL["group"] == "market") & (_ALL["transform"] != "level"), "transform"],
        strict=True,
    )
}
"""For `prepare.market`: figure 14, each series as its level and its change or difference."""
