"""Write golden.json anew: `python tests/golden/write.py`.

Allowed only where numbers change on purpose: a fault mended, a method changed, a figure added or
dropped, the main job run again with other results. The commit that brings the new golden.json says
which numbers moved and why. Never to make a failing test pass after a redesign that should change
nothing; for a rename add a line to names.csv instead.

It prints every difference. Numbers within their tolerance stay as they were written, renamed ones
under their old names, so that the diff of golden.json shows what changed and nothing else.
"""

import json
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:1] = [str(TESTS), str(TESTS / "support")]

from golden import measure  # noqa: E402
from golden.measure import Numbers, rename  # noqa: E402


def merge(golden: Numbers, numbers: Numbers, names: list[tuple[str, str]]) -> Numbers:
    """Return the golden numbers after replacing, adding and dropping what changed."""
    additions = dict(numbers)
    result = {}
    for old, value in golden.items():
        key = rename(old, names)
        if key in additions:
            number = additions.pop(key)
            result[old] = value if measure.equal(old, number, value) else number
    if clashes := [key for key in additions if rename(key, names) != key]:
        raise SystemExit(f"names.csv renames what is new: {clashes[:5]}; narrow its old names")
    return result | additions


def text(numbers: Numbers) -> str:
    """Return JSON with a line for the numbers that differ in the last component only."""
    parts: dict[str, Numbers] = {}
    for key, value in sorted(numbers.items()):
        part, _, name = key.rpartition("/")
        # Of results that are computed anew twelve digits are more than the tolerances see.
        short = value is None or part.startswith("main/")
        parts.setdefault(part, {})[name] = value if short else float(f"{value:.12g}")
    lines = [f"{json.dumps(part)}: {json.dumps(values)}" for part, values in parts.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    """Measure all runs, print what changed and write golden.json."""
    names = measure.read_names()
    golden = measure.read_golden() if measure.GOLDEN.exists() else {}
    numbers = {key: value for run in measure.RUNS.values() for key, value in run().items()}
    lines = measure.differences(golden, numbers, names)
    measure.GOLDEN.write_text(text(merge(golden, numbers, names)), encoding="utf-8")
    print("\n".join([*lines, f"{len(numbers)} numbers, {len(lines)} differences"]))


if __name__ == "__main__":
    main()
