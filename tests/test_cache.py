import shutil
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from imports import closure, modules
from konkyo import cache
from konkyo.artifacts import HERE, Artifacts
from konkyo.errors import ArtifactError
from konkyo.io import write_parquet
from konkyo.models import baselines, jobs
from konkyo.pipeline import verify
from konkyo.pipeline.month_evaluation import Truth
from konkyo.tuning import panels
from konkyo.windows import MonthSlices, rolling
from small_search import tables_at

PACKAGES = {
    "training": cache.TRAINING,
    "attribution": cache.ATTRIBUTION,
    "evaluation": cache.EVALUATION,
    "search panel": cache.SEARCH_PANEL,
}
MODULES = sorted({name for of_key in PACKAGES.values() for name in cache.modules_of(*of_key)})
NO_RESULT = cache.EXCLUDED | {
    "konkyo.cache",  # another digest is another key by itself
    "konkyo.errors",
    "konkyo.resilience",
    "konkyo.artifacts",  # where files are
    "konkyo.io",  # the bytes of a file, whose content is in the keys
    "konkyo.pipeline",  # how a stage is called, and that one runs at a time
    "konkyo.pipeline.locking",
}
"""What the packages of the keys import beside them."""


def decides_nothing(name: str) -> bool:
    # The params' values are in the keys.
    return name in NO_RESULT or name == "konkyo.config" or name.startswith("konkyo.config.")


@pytest.fixture
def copy(tmp_path):
    """Return a copy of the sources that the keys are of, for a test to change."""
    root = tmp_path / "copy"
    for name in {*MODULES, *cache.EXCLUDED}:
        target = root / modules()[name].relative_to(cache.SOURCES)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(modules()[name], target)
    return root


def edit(root: Path, name: str, before: str, after: str) -> None:
    path = cache.modules_of(name, root=root)[name]
    source = path.read_text(encoding="utf-8")
    assert source.count(before) == 1
    path.write_text(source.replace(before, after), encoding="utf-8")


def keys_with(monkeypatch, module, root, keys):
    """Return the keys that a module makes with the sources of a folder."""
    with monkeypatch.context() as patch:
        patch.setattr(module, "code_digest", partial(cache.code_digest, root=root))
        return keys()


@pytest.mark.parametrize("name", MODULES)
def test_a_line_of_a_module_changes_its_keys(name, copy):
    path = copy / modules()[name].relative_to(cache.SOURCES)
    path.write_text(path.read_text(encoding="utf-8") + "\n_ONE_MORE = 1\n", encoding="utf-8")
    for names in PACKAGES.values():
        same = cache.code_digest(*names, root=copy) == cache.code_digest(*names)
        assert same == (name not in cache.modules_of(*names))


@pytest.mark.parametrize("name", MODULES)
def test_words_and_layout_change_no_key(name, copy):
    path = copy / modules()[name].relative_to(cache.SOURCES)
    source = path.read_text(encoding="utf-8")
    assert source.startswith('"""')
    reworded = f'# A remark.\n\n\n"""Reworded. {source[3:]}\n\n"""Some words."""\n'
    path.write_text(reworded, encoding="utf-8")
    for names in PACKAGES.values():
        assert cache.code_digest(*names, root=copy) == cache.code_digest(*names)


@pytest.mark.parametrize("key", PACKAGES)
def test_a_new_module_changes_the_keys_of_its_package(key, copy):
    package = next(name for name in PACKAGES[key] if copy.joinpath(*name.split(".")).is_dir())
    copy.joinpath(*package.split("."), "one_more.py").write_text("", encoding="utf-8")
    assert cache.code_digest(*PACKAGES[key], root=copy) != cache.code_digest(*PACKAGES[key])


@pytest.mark.parametrize("key", PACKAGES)
def test_keys_name_all_that_their_packages_import(key):
    inside = cache.modules_of(*PACKAGES[key]).keys()
    imported = closure(inside, stop=decides_nothing)
    assert not {name for name in imported - inside if not decides_nothing(name)}


def test_exclusions_exist_and_are_of_some_key():
    names = [name for of_key in PACKAGES.values() for name in of_key]
    for excluded in cache.EXCLUDED:
        assert excluded in modules(), f"{excluded} is no module"
        assert any(excluded.startswith(f"{name}.") for name in names)
    for name in NO_RESULT:
        assert name in modules(), f"{name} is no module"


@pytest.mark.parametrize("name", sorted(cache.EXCLUDED))
def test_how_work_is_distributed_changes_no_key(name, copy):
    path = copy.joinpath(*name.split(".")).with_suffix(".py")
    path.write_text("_ONE = 1\n", encoding="utf-8")
    for names in PACKAGES.values():
        assert cache.code_digest(*names, root=copy) == cache.code_digest(*names)


def test_docstrings_of_all_kinds_are_no_code(tmp_path):
    bare = "X = 1\n\n\nclass A:\n    y = 2\n\n    def f(self):\n        return 'text'\n"
    (tmp_path / "bare.py").write_text(bare)
    said = (
        '"""A module."""\n# a remark\nX = 1\n"""A constant."""\nclass A:\n    """A class."""\n'
        '    y = 2\n\n    def f(self):\n        """A method."""\n\n        return "text"\n'
    )
    for folder in ("bare", "said"):
        (tmp_path / folder).mkdir()
    (tmp_path / "bare/m.py").write_text(bare)
    (tmp_path / "said/m.py").write_text(said)
    digest = cache.code_digest("m", root=tmp_path / "bare")
    assert cache.code_digest("m", root=tmp_path / "said") == digest
    (tmp_path / "other").mkdir()
    (tmp_path / "other/m.py").write_text(bare.replace("'text'", "'texts'"))
    assert cache.code_digest("m", root=tmp_path / "other") != digest


def test_a_name_of_no_module_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "absent", "absent.too"):
        with pytest.raises(ModuleNotFoundError, match=f"no module {name} "):
            cache.code_digest(name, root=tmp_path)


@pytest.mark.parametrize(
    ("module", "before", "after"),
    [
        ("jobs", "np.finfo(np.float32).max, sample_std)", "1, sample_std)"),
        ("jobs", "count % params.placebo_every == 0", "count % params.placebo_every == 1"),
        ("jobs", 'month, "shuffled labels")', 'month, "labels")'),
        ("fit", 'torch_generator(spec.seed, spec.month, "weights")', "torch_generator(spec.seed)"),
    ],
    ids=["market_scale", "entries", "shuffle_labels", "initial_network"],
)
def test_what_decides_weights_is_in_the_training_keys(
    module, before, after, panel, small, copy, monkeypatch
):
    windows = rolling(MonthSlices.of(panel.index["month"]), small.train.window_months)
    entries = jobs.network_specs(panel, windows, small.train)

    def keys() -> dict[str, str]:
        return jobs.keys(panel, windows, entries, small.train)

    assert keys_with(monkeypatch, cache, copy, keys) == keys()
    edit(copy, f"konkyo.models.{module}", before, after)
    # A digest is made once a process and folder: the changed code is another's.
    changed = keys_with(monkeypatch, cache, copy.rename(copy.with_name("changed")), keys)
    assert not set(changed.values()) & set(keys().values())


def test_stages_and_search_take_their_own_code(panel, records, small, copy, tmp_path, monkeypatch):
    windows = rolling(MonthSlices.of(panel.index["month"]), small.train.window_months)
    here = Artifacts(tmp_path)
    here.weights.mkdir(parents=True)
    for window in windows:
        here.weights_of(window.month).write_bytes(b"weights")
    monkeypatch.setattr(verify, "HERE", here)
    tables_at(tmp_path / "records", *records)
    rows = jobs.row_digests(panel, windows)

    def search() -> str:
        panels.write_panels(
            tmp_path / "records",
            tmp_path / "search",
            prepare=small.prepare,
            space=small.tune.space,
            before=None,
        )
        return {p.parent.name: p.read_text() for p in tmp_path.glob("search/panels/*/digest.txt")}

    keys = {
        "konkyo.models.baselines": (
            baselines,
            lambda: baselines.keys(panel, windows, 1.0, here.weights),
        ),
        "konkyo.attribution.lrp": (
            cache,
            lambda: cache.attribution_keys(here.weights, rows, 1e-3, "integrated_gradients"),
        ),
        "konkyo.attribution.methods": (
            verify,
            lambda: verify.cache_keys(small, panel, windows, {}, None),
        ),
        "konkyo.features.build": (panels, search),
    }
    for name in keys:
        path = copy.joinpath(*name.split(".")).with_suffix(".py")
        path.write_text(path.read_text(encoding="utf-8") + "\n_ONE_MORE = 1\n", encoding="utf-8")
    for module, of in keys.values():
        before = of()
        after = keys_with(monkeypatch, module, copy, of)
        assert before.keys() == after.keys() and before
        assert all(before[name] != after[name] for name in before)


def test_a_month_is_evaluated_on_its_own_truth(panel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = panel.index[["month", "stock"]]
    months = rows["month"].unique()
    table = rows.assign(expected=0.0, baseline=0.0, **dict.fromkeys(panel.names[:2], 0.01))
    table[panel.names[2]] = 0.0

    def digest(table: pd.DataFrame) -> str:
        write_parquet(table, HERE.truth)
        return Truth(panel).digest(months[1])

    before = digest(table)
    earlier = rows["month"] <= months[1]
    assert digest(table[earlier]) == before
    assert digest(table.assign(expected=1.0)) == before  # no input's contribution
    changed = table.copy()
    changed.loc[~earlier, panel.names[0]] = 0.02
    assert digest(changed) == before
    changed.loc[earlier, panel.names[0]] = 0.02
    assert digest(changed) != before
    other = table.copy()
    other.loc[~earlier, panel.names[2]] = 0.01  # an input that has an effect from now on
    assert digest(other) != before


def test_digest_depends_on_where_parts_end():
    assert cache.digest_of("ab", "c") != cache.digest_of("a", "bc")
    assert cache.digest_of("ab") == cache.digest_of(b"ab")


def test_changes_are_of_files_that_were_there_before(tmp_path):
    weights, tables = tmp_path / "weights", tmp_path / "tables"
    for folder, suffix in ((weights, "safetensors"), (tables, "parquet")):
        folder.mkdir()
        (folder / f"2001-01.{suffix}").write_bytes(b"one")
    months = ["2001-01", "2001-02"]
    before = cache.file_digests(weights, tables, months)
    (weights / "2001-02.safetensors").write_bytes(b"new")
    assert cache.changes(before, cache.file_digests(weights, tables, months)) == []
    (tables / "2001-01.parquet").write_bytes(b"other")
    (weights / "2001-01.safetensors").unlink()
    after = cache.file_digests(weights, tables, months)
    assert cache.changes(before, after) == ["2001-01 (attributions)", "2001-01 (weights)"]
    with pytest.raises(ArtifactError, match="is missing: run `dvc repro"):
        cache.weights_bytes(weights, "2001-01")
