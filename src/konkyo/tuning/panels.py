"""The panels that trials train on: one for each transform of label and inputs."""

import json
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path

from konkyo.cache import SEARCH_PANEL, code_digest, digest_of
from konkyo.config import Prepare, Space
from konkyo.features import store
from konkyo.features.build import build
from konkyo.io import atomic_write, read_parquet, write_parquet
from konkyo.tuning import holdout

_DIGEST = "digest.txt"


def write_panels(
    records: Path, folder: Path, prepare: Prepare, space: Space, held: str | None
) -> None:
    """Write the records before the holdout and every panel of the space made from them.

    Panels that are there and of the same records, params and code stay as they are.

    Parameters
    ----------
    records : Path
        data/records: stocks.parquet, market.parquet.
    folder : Path
        Receives records/ and panels/<standardise>-<label>/. Whoever reads this folder alone
        cannot know anything later.
    prepare : Prepare
        The prepare section; its label and standardise give way to those of the space.
    space : Space
        Which labels and standardisings there are.
    held : str or None
        First decision month of the holdout, YYYY-MM; None takes the records whole.

    Raises
    ------
    ArtifactError
        The records are missing.
    """
    tables = {}
    for name in ("stocks", "market"):
        table = read_parquet(records / f"{name}.parquet")
        tables[name] = table if held is None else holdout.cut(table, held)
        write_parquet(tables[name], folder / "records" / f"{name}.parquet")
    code = code_digest(*SEARCH_PANEL)
    brought = [(folder / "records" / f"{name}.parquet").read_bytes() for name in tables]
    for label, standardise in product(space.label, space.standardise):
        chosen = replace(prepare, label=label, standardise=standardise)
        digest = digest_of(json.dumps(asdict(chosen), sort_keys=True), code, *brought)
        own = path_of(folder, label, standardise)
        if digest_at(own) == digest:
            continue
        (own / _DIGEST).unlink(missing_ok=True)
        panel, missing = build(tables["stocks"], tables["market"], chosen)
        store.write(panel, missing, own)
        # The digest is written last: it says that the panel is whole.
        with atomic_write(own / _DIGEST) as scratch:
            scratch.write_text(digest, encoding="ascii")


def path_of(folder: Path, label: str, standardise: str) -> Path:
    """Return the folder of one panel."""
    return folder / "panels" / f"{standardise}-{label}"


def digest_at(path: Path) -> str | None:
    """Return what the panel of a folder was made from, None where there is no whole one."""
    file = path / _DIGEST
    return file.read_text(encoding="ascii") if file.exists() else None
