"""The pages of a whole small job in a browser: nothing complains."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from browsing import draw_all
from chain import STAGES, lay, run
from konkyo import config
from konkyo.pipeline import tune
from small import small_params

PAGES = {
    "report": "report/report.html",
    "monitor": "monitor/monitor.html",
    "tuning": "tuning/main/tuning.html",
    "intervention": "intervention/report/intervention.html",
}
SECOND_STUDY = ("ingest", "estimate", "forecast", "report")


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run every stage that ends in a page."""
    folder = tmp_path_factory.mktemp("job")
    params = small_params()
    search = replace(
        params.tune, trials=4, holdout=6, workers=1, trials_per_stack=2, refit_every=2,
        space=replace(params.tune.space, window_months=(4, 6), epochs=(2, 3), batch_size=(8, 16)),
    )  # fmt: skip
    lay(folder, replace(params, tune=search))
    yaml = YAML(typ="safe", pure=True)
    values = yaml.load((folder / "params.yaml").read_text(encoding="utf-8"))
    values["report"]["dpi"] = 50
    study = values["intervention"]
    study["periods"] = study["periods"][:2]
    study["network"].update(iterations=20, penalties=[0.0, 0.01], seeds=2, workers=1)
    study["surface"]["points"] = 5
    with (folder / "params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(values, file)
    config.load(folder / "params.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run(STAGES[:-1])
        try:
            run(STAGES[-1:])
        except SystemExit as breached:
            assert breached.code == 1
        tune.main()
        run(f"intervention_{name}" for name in SECOND_STUDY)
    return folder / "data"


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize("name", PAGES)
def test_no_page_complains(job: Path, browser: Any, name: str, width: int, theme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda problem: complaints.append(str(problem)))
    page.goto((job / PAGES[name]).as_uri())
    for language in ("en", "ja"):
        if language == "ja":
            page.click("#language")
        draw_all(page, language)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        names = page.eval_on_selector_all(".scroll", "all => all.map((one) => one.ariaLabel)")
        assert names and all(names)
        assert bool(re.search("[ぁ-ん一-龥ァ-ヴ]", "".join(names))) == (language == "ja")
    assert page.is_hidden("#trouble")
    assert complaints == []
    context.close()
