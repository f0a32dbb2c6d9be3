"""Ask pip-audit for known vulnerabilities of what is installed; those accepted need a reason.

Without a vulnerability service nothing can be found: then this says so and does not fail.
"""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ACCEPTED = Path(__file__).with_name("accepted.csv")
"""package, id, reason: a line for each vulnerability that this project can live with."""
_SILENT = ("ConnectionError", "ServiceError", "Timeout", "Failed to connect", "Max retries")


def verdict(found: dict[str, Any], accepted: dict[tuple[str, str], str]) -> tuple[list[str], int]:
    """Return what to say of pip-audit's answer, and the exit code.

    Parameters
    ----------
    found : dict
        What `pip-audit --format json` prints.
    accepted : dict
        Reasons by package and id.
    """
    said, code = [], 0
    audited = [one for one in found["dependencies"] if "vulns" in one]
    skipped = [one for one in found["dependencies"] if "vulns" not in one]
    used = set()
    for package in audited:
        for one in package["vulns"]:
            keys = [(package["name"], name) for name in (one["id"], *one.get("aliases", []))]
            key = next((key for key in keys if key in accepted), None)
            if key is not None and accepted[key].strip():
                used.add(key)
                said.append(f"{key[0]} {key[1]}: accepted, {accepted[key]}")
            else:
                code = 1
                mends = ", ".join(one.get("fix_versions", [])) or "none"
                named = f"{package['name']} {package['version']}"
                said.append(f"{named}: {one['id']}, mended in {mends}")
    if audited:
        for name, number in sorted(set(accepted) - used):
            code = 1
            said.append(f"{name} {number}: accepted but no longer found, remove its line")
    if skipped:
        names = ", ".join(sorted(one["name"] for one in skipped)[:5])
        said.append(f"not audited, no service knows them: {len(skipped)} packages ({names} ...)")
    said.append(f"audited: {len(audited)} packages")
    return said, code


def read(path: Path) -> dict[tuple[str, str], str]:
    """Read the accepted vulnerabilities."""
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["package"], row["id"]): row["reason"] or "" for row in csv.DictReader(file)}


def main() -> int:
    """Run pip-audit and print the verdict."""
    command = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--format", "json"]
    done = subprocess.run([*command, *sys.argv[1:]], capture_output=True, text=True)
    try:
        found = json.loads(done.stdout)
    except json.JSONDecodeError:
        # pip-audit ends with 1 both for findings, which it prints, and for its own failures.
        silent = any(word in done.stderr for word in _SILENT)
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(f"pip-audit: {'not audited, no service answers' if silent else 'failed'}: {reason}")
        return 0 if silent else 1
    said, code = verdict(found, read(ACCEPTED))
    print("\n".join(f"pip-audit: {line}" for line in said))
    return code


if __name__ == "__main__":
    sys.exit(main())
