"""requirements.lock has every dependency of requirements.txt, within its bounds."""

import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]


def lines(name: str) -> list[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_lock_keeps_every_bound():
    direct, locked = lines("requirements.txt"), lines("requirements.lock")
    assert "-e ." in direct and "-e ." in locked
    exact = dict(line.split("==") for line in locked if line != "-e .")
    assert all(re.fullmatch(r"[\w.]+", version) for version in exact.values())
    versions = {canonicalize_name(name): Version(version) for name, version in exact.items()}
    assert len(versions) == len(locked) - 1
    for line in direct:
        if line != "-e .":
            requirement = Requirement(line)
            assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)])
