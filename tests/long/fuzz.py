"""Fuzzing at length: `python tests/long/fuzz.py --examples 10000`."""

import argparse
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import fuzz_checks
import fuzz_commands
import fuzz_params

KINDS: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], str]]] = {
    "monthly": (fuzz_checks.MONTHLY, fuzz_checks.records_are_right_or_refused),
    "dated": (fuzz_checks.DATED, fuzz_checks.records_are_right_or_refused),
    "wide": (fuzz_checks.WIDE, fuzz_checks.records_are_right_or_refused),
    "params": (fuzz_params.spoilt_values(), fuzz_params.values_are_params_or_refused),
    "yaml": (fuzz_params.spoilt_yaml(), fuzz_params.yaml_is_params_or_refused),
    "commands": (fuzz_commands.typed(), fuzz_commands.ends_with_a_code),
}
"""Each kind: what is drawn, and what must hold of it."""

PART = 250
"""Examples between two lines of what was found."""


def run(kind: str, examples: int, number: int) -> tuple[Counter[str], dict[str, str]]:
    """Return how often each outcome was, and one example of each failure, by its place."""
    strategy, check = KINDS[kind]
    outcomes: Counter[str] = Counter()
    failures: dict[str, str] = {}

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        # A failure is noted and the next example drawn: shrinking is for the tests of the suite.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def one(case: Any) -> None:
        try:
            outcomes[check(case)] += 1
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{type(error).__name__} in {frame.filename}:{frame.lineno}"
            outcomes["FAILED"] += 1
            failures.setdefault(place, "".join(traceback.format_exception(error)) + f"\n{case}")

    one()
    return outcomes, failures


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS))
    parser.add_argument("--seed", type=int, default=1)
    typed = parser.parse_args()
    failed = False
    for kind in typed.kinds:
        outcomes: Counter[str] = Counter()
        failures: dict[str, str] = {}
        start = time.monotonic()
        # In parts, so that what is done by then is known wherever it is stopped.
        for part, first in enumerate(range(0, typed.examples, PART)):
            number = min(PART, typed.examples - first)
            more, found = run(kind, number, 1000 * typed.seed + part)
            outcomes += more
            seconds = time.monotonic() - start
            print(f"{kind}: {outcomes.total():,} in {seconds:,.0f} s: {dict(outcomes)}", flush=True)
            for place in found.keys() - failures.keys():
                print(f"--- {place}\n{found[place]}\n", flush=True)
            failures |= found
        failed |= bool(failures)
    return int(failed)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main())
