"""Keys of cached results: digests of the data, the params and the code that decide a result.

A stage computes only the months whose key changed. A key names whole packages: a list of single
modules forgets one sooner or later, and a stale result costs more than one that is computed twice.
"""

import ast
import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from konkyo.artifacts import missing
from konkyo.errors import ParamsError
from konkyo.io import read_json

TRAINING = (
    "konkyo.models",
    "konkyo.features.store",
    "konkyo.windows",
    "konkyo.dates",
    "konkyo.random",
)
"""What decides a network's weights and a baseline's scores. The panel's rows are in the keys, so
that the code that builds it is not."""

# A stage's script is named where the key does not hold all that the script hands on: which rows
# are explained, say. `models.train` and `models.baselines` get nothing that their keys do not hold.
ATTRIBUTION = (
    *TRAINING,
    "konkyo.attribution",
    "konkyo.pipeline.attribute",
    "konkyo.pipeline.standard_errors",
)
"""What decides the attributions of a month's network, whose weights are data, and their errors."""

EVALUATION = (*ATTRIBUTION, "konkyo.pipeline.verify", "konkyo.pipeline.month_evaluation")
"""What decides how the attribution methods fare on a month."""

SEARCH_PANEL = ("konkyo.features", "konkyo.windows", "konkyo.dates", "konkyo.tuning.panels")
"""What decides the panels that a search trains on."""

EXCLUDED = frozenset(
    {
        "konkyo.models.accelerator",  # which device, and how much fits on it
        "konkyo.models.backends",  # which process runs a job
        "konkyo.models.progress",  # the progress bar
        "konkyo.models.panel_cache",  # how a worker gets the panel, whose digest it checks
    }
)
"""Modules of the packages above that move work around and decide no result."""

SOURCES = Path(__file__).parents[1]
"""The folder that holds the package konkyo."""

Digests = dict[str, dict[str, str]]
"""Of each month, YYYY-MM: the digest of its file of weights and that of its attributions."""


def digest_of(*parts: bytes | str) -> str:
    """Return the hexadecimal BLAKE2b digest (32 characters) of the parts, in order."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        state.update(len(data).to_bytes(8, "little"))
        state.update(data)
    return state.hexdigest()


def modules_of(*names: str, root: Path = SOURCES) -> dict[str, Path]:
    """Return the source file of each module that is named or lies below a named package.

    Parameters
    ----------
    *names : str
        Dotted names of packages or modules.
    root : Path
        The folder that holds the top-level package.

    Returns
    -------
    dict of str to Path
        Sorted by the modules' names, without those in `EXCLUDED`.

    Raises
    ------
    ModuleNotFoundError
        A name is that of no package or module.
    """
    files: dict[str, Path] = {}
    for name in names:
        path = root.joinpath(*name.split("."))
        below = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
        if not below or not below[0].is_file():
            raise ModuleNotFoundError(f"there is no module {name} in {root}", name=name)
        for file in below:
            parts = file.relative_to(root).with_suffix("").parts
            files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return {name: files[name] for name in sorted(files.keys() - EXCLUDED)}


@cache
def code_digest(*names: str, root: Path = SOURCES) -> str:
    """Return a digest of the code of packages and modules, without importing them.

    Comments, docstrings and layout are no part of it. A change of any other line is, harmless ones
    too, such as that of an error's words: what depends on these packages is then made once more.

    Parameters
    ----------
    *names : str
        Dotted names of packages or modules; of a package, every module below it counts but those
        in `EXCLUDED`. Imported modules of other packages must be named too.
    root : Path
        The folder that holds the top-level package.

    Raises
    ------
    ModuleNotFoundError
        A name is that of no package or module.

    Notes
    -----
    Versions of Python print a syntax tree differently, so that their digests differ. The sources
    are read when a process first asks for a digest: do not edit them while a stage runs.
    """
    parts = []
    for name, path in modules_of(*names, root=root).items():
        parts += [name, _code_of(path.read_bytes())]
    return digest_of(*parts)


def training_code(module: str) -> str:
    """Return the digest of the code that decides the weights of `train.module`.

    Parameters
    ----------
    module : str
        stacked, lightning, or the dotted name of a class: then every source file of its topmost
        package counts as well. What that imports from other packages does not.

    Raises
    ------
    ParamsError
        The source of the class is not on this machine.
    """
    code = code_digest(*TRAINING)
    if "." not in module:
        return code
    source = source_of(module)
    return digest_of(code, code_digest(source.stem, root=source.parent))


def source_of(module: str) -> Path:
    """Return the source of the topmost package, or the file, that holds a class.

    Raises
    ------
    ParamsError
        It is not on this machine.
    """
    top = module.partition(".")[0]
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        spec = None
    places = spec and (spec.submodule_search_locations or [spec.origin or ""])
    source = Path(next(iter(places or [""])))
    if not (source.is_dir() or source.suffix == ".py") or not source.name:
        raise ParamsError(
            f"train.module = {module!r}: there is no source of {top} on this machine: put it into "
            "data/own/modules/, or install it"
        )
    return source


@cache
def _code_of(source: bytes) -> str:
    """Return a digest of a module's syntax tree; most modules are of several keys."""
    return digest_of(ast.dump(_WithoutDocstrings().visit(ast.parse(source))))


class _WithoutDocstrings(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        """Drop a statement that is nothing but a string, of a module constant's too."""
        text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if text else node


def attribution_keys(
    weights: Path, rows: Mapping[str, str], epsilon: float, method: str
) -> dict[str, str]:
    """Return the key of each month's attributions: all that they depend on.

    Parameters
    ----------
    weights : Path
        Folder of the networks, one file a month. Their bytes count, not what they were made from:
        a network that is trained anew beside others may differ in its last digits.
    rows : mapping of str to str
        A digest of what each decision month scores.
    epsilon : float
        Of the relevance rule.
    method : str
        That of a user's module.

    Raises
    ------
    ArtifactError
        A month has no network.
    """
    code = code_digest(*ATTRIBUTION)
    return {
        month: digest_of(code, repr((epsilon, method)), weights_bytes(weights, month), digest)
        for month, digest in rows.items()
    }


def weights_bytes(weights: Path, month: str) -> bytes:
    """Return the bytes of a month's file of weights.

    Raises
    ------
    ArtifactError
        The file is missing.
    """
    path = weights / f"{month}.safetensors"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise missing(path) from None


def file_digests(weights: Path, attributions: Path, months: Iterable[str]) -> Digests:
    """Return the digests of the months' files of weights and of attributions, as far as there."""
    digests: Digests = {}
    for month in months:
        paths = {
            "attributions": attributions / f"{month}.parquet",
            "weights": weights / f"{month}.safetensors",
        }
        digests[month] = {
            kind: digest_of(path.read_bytes()) for kind, path in paths.items() if path.exists()
        }
    return digests


def read_digests(path: Path) -> Digests:
    """Return the digests that the last run wrote, none where there was none."""
    return read_json(path) if path.exists() else {}


def changes(before: Digests, after: Digests) -> list[str]:
    """Return the months of `before` whose files are not the same in `after`, as month and kind.

    A file that `before` did not have is no change.
    """
    return [
        f"{month} ({kind})"
        for month, files in before.items()
        for kind, digest in files.items()
        if after.get(month, {}).get(kind) != digest
    ]
