"""The whole API under Schemathesis, with a token of each kind, against an installation of its own.

Requests are made from the description: right ones and wrong ones, of things that are there and of things that are not.
No answer may be a server error or another than described, nothing wrong may be taken, and `verify` is clean afterwards.
Longer: JITAPP_FUZZ=100 (requests of each operation), as `make nightly` has it; SEED gives others.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.shop import Shop

EXAMPLES = int(os.environ.get("JITAPP_FUZZ", "0"))
SEED = os.environ.get("SEED", "1")
# What is wrong in a body or a header may be refused with any of these.
REFUSED = [400, 401, 403, 404, 405, 406, 409, 411, 412, 413, 415, 422, 428, 429]
# Lists whose rows are answered one by one: a wrong row says why within 200.
ROW_BY_ROW = ("/api/v1/scans/batch", "/api/v1/upserts", "/api/v1/tag-reads")
# Where things that are there are named: lists by the member that names one of them, and places by their list.
NAMED = {
    "loops": "code",
    "stations": "code",
    "suppliers": "code",
    "areas": "code",
    "cards": "code",
    "parts": "number",
    "turns": "id",
}
PLACES = {
    "loops/": ("path.code", "loops"),
    "stations/": ("path.code", "stations"),
    "suppliers/": ("path.code", "suppliers"),
    "areas/": ("path.code", "areas"),
    "cards/": ("path.code", "cards"),
    "bins/": ("path.code", "cards"),
    "parts/": ("path.number", "parts"),
    "bills/": ("path.part", "parts"),
    "turns/": ("path.id", "turns"),
    "boards/": ("path.station", "stations"),
}
MEMBERS = {
    "query.station": "stations",
    "query.area": "areas",
    "query.loop": "loops",
    "body.station": "stations",
    "body.code": "cards",
    "body.loop": "loops",
    "body.part": "parts",
    "body.supply": "stations",
    "body.demand": "stations",
}


def program() -> list[str]:
    """How Schemathesis is started here; skips without it."""
    if named := os.environ.get("SCHEMATHESIS"):
        return [named]
    if importlib.util.find_spec("schemathesis") is None:
        pytest.skip("No Schemathesis here: `make test` installs it, or name its program in SCHEMATHESIS.")
    return [sys.executable, "-m", "schemathesis.cli"]


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """What is fuzzed, and where its reports and settings stand."""

    shop: Shop
    folder: Path

    def token(self, kind: str) -> str:
        """Of a device made for it."""
        return self.shop.manage("api_token", f"fuzzed {uuid4()}", "--kind", kind).stdout.strip()

    def known(self, token: str, name: str) -> list[str]:
        """Things of a list, by the member that names them."""
        return [row[NAMED[name]] for row in self.send(token, f"{name}?limit=500")["results"]]

    def send(self, token: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The answer of the API."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.shop.url}/api/v1/{path}",
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)

    def begin(self) -> None:
        """A few containers are emptied, so that there are turns to act on."""
        token = self.token("erp")
        answers = [
            self.send(token, "scans", {"id": str(uuid4()), "code": code, "intent": "empty"})
            for code in self.known(token, "cards")[::3]
        ]
        assert self.known(token, "turns"), answers

    def settings(self, token: str) -> Path:
        """Schemathesis' settings file, with what is there."""

        def bound(name: str, probability: float) -> str:
            return f'{{ dictionary = "{name}", probability = {probability} }}'

        lines = [
            *("[checks.negative_data_rejection]", f"expected-statuses = {REFUSED}"),
            # Whether a right request can be carried out depends on the state of the floor.
            *("[checks.positive_data_acceptance]", "enabled = false"),
        ]
        for name in NAMED:
            lines += [f"[dictionaries.{name}]", f"values = {json.dumps(self.known(token, name))}"]
        lines += ["[parameters]", *(f'"{place}" = {bound(name, 0.7)}' for place, name in MEMBERS.items())]
        for path, (place, name) in PLACES.items():
            lines += ["[[operations]]", f'include-path-regex = "^/api/v1/{path}"']
            lines += [f'parameters = {{ "{place}" = {bound(name, 0.8)} }}']
        for path in ROW_BY_ROW:
            lines += ["[[operations]]", f'include-path = "{path}"']
            lines += ["checks = { negative_data_rejection = { enabled = false } }"]
        file = self.folder / "schemathesis.toml"
        file.write_text("\n".join(lines) + "\n")
        return file


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    """The demonstration shop at rest; nobody else uses what is written to here."""
    program()
    folder = tmp_path_factory.mktemp("fuzzed")
    shop = Shop(folder)
    try:
        shop.start()
        fuzzed = Fuzzed(shop, folder)
        fuzzed.begin()
        yield fuzzed
    finally:
        shop.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.xdist_group("fuzzed")  # one installation for all kinds
@pytest.mark.timeout(0)
@pytest.mark.parametrize(
    ("kind", "phases"), [("erp", "coverage,fuzzing"), ("scanner", "fuzzing,stateful"), ("reader", "fuzzing")]
)
def test_every_answer_is_as_described_and_the_rules_hold(fuzzed: Fuzzed, kind: str, phases: str) -> None:
    token, before = fuzzed.token(kind), len(fuzzed.shop.log)
    done = subprocess.run(
        [
            *(*program(), "--config-file", str(fuzzed.settings(token))),
            *("run", f"{fuzzed.shop.url}/api/v1/openapi.json", "--header", f"Authorization: Bearer {token}"),
            *("--phases", "coverage,fuzzing,stateful" if EXAMPLES else phases),
            *("--max-examples", str(EXAMPLES or 3), "--seed", SEED, "--continue-on-failure", "--no-color"),
            *("--suppress-health-check", "all", "--request-timeout", "60", "--workers", "2"),
        ],
        cwd=fuzzed.folder,
        env={"PATH": os.environ["PATH"], "HOME": str(fuzzed.folder), "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, _without_long_lines(done.stdout + done.stderr)
    made = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert made is not None, done.stdout[-2000:]
    print(f"\n{kind}: {made[1]} requests, {made[2]} passed")  # noqa: T201
    assert int(made[1]) > 150
    assert made[1] == made[2]
    assert "Traceback" not in fuzzed.shop.log[before:]
    assert fuzzed.shop.manage("verify").stdout.rstrip().endswith(" 0 differences")


def _without_long_lines(text: str) -> Any:
    return "\n".join(line[:400] for line in text.splitlines())
