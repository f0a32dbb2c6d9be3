"""Every stage of DVC depends on the sources that its script imports, through others too."""

from pathlib import Path

import pytest
import yaml

from imports import closure, modules

ROOT = Path(__file__).parents[1]
PIPELINES = ("dvc.yaml", "src/konkyo/intervention/stages.yaml")
STAGES = {
    name: stage
    for file in PIPELINES
    for name, stage in yaml.safe_load((ROOT / file).read_text())["stages"].items()
}
NO_RESULT = {
    "konkyo",
    "konkyo.errors",
    "konkyo.artifacts",
    "konkyo.retry",
    "konkyo.io",
    "konkyo.resilience",
    "konkyo.pipeline",
    "konkyo.pipeline.locking",
    "konkyo.pipeline.check",
    "konkyo.pipeline.preflight",
}
"""What reads, writes, refuses and reports; the params are named in `params` by their values."""

OF_TRAINING = {"konkyo.intervention.records", "konkyo.models.jobs"}
OF_DRAWING = {
    "konkyo.report.tables.factors",
    "konkyo.intervention.attribution",
    "konkyo.intervention.samples",
    "konkyo.intervention.surface",
}
NAMES_ONLY = {
    "intervention-estimate": OF_TRAINING,
    "intervention-forecast": OF_TRAINING,
    "intervention-report": OF_DRAWING,
}
"""Modules of which the second study takes a name or a function that needs none of their imports."""


def decides_nothing(name: str) -> bool:
    return name in NO_RESULT or name == "konkyo.config" or name.startswith("konkyo.config.")


@pytest.mark.parametrize("name", STAGES)
def test_deps_cover_what_the_script_imports(name):
    script = "konkyo.pipeline." + STAGES[name]["cmd"].split()[1].replace("-", "_")
    outside = NAMES_ONLY.get(name, set())
    needed = closure([script], lambda one: decides_nothing(one) or one in outside)
    deps = [ROOT / dep for dep in STAGES[name]["deps"]]
    assert not {
        module
        for module in needed
        if not decides_nothing(module)
        and not any(dep == modules()[module] or dep in modules()[module].parents for dep in deps)
    }


@pytest.mark.parametrize("name", STAGES)
def test_deps_on_sources_exist(name):
    for dep in STAGES[name]["deps"]:
        assert not dep.startswith("src/") or (ROOT / dep).exists()
