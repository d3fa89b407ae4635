"""Known weaknesses of the locked dependencies, where the network tells; exit 1 if one has a mended version."""

from __future__ import annotations

import json
import subprocess
import sys

PATIENCE_S = 120


def main() -> int:
    """Prints one line per weakness, or why nothing could be learned."""
    try:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip_audit", "--requirement", "requirements.lock"),
                *("--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off"),
                *("--timeout", "10"),
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        report = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        sys.stdout.write("not checked, the list of weaknesses cannot be reached\n")
        return 0
    found = [
        f"{package['name']} {package['version']}: {weakness['id']}, mended in {', '.join(weakness['fix_versions'])}"
        for package in report["dependencies"]
        for weakness in package.get("vulns", [])
        if weakness["fix_versions"]
    ]
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
