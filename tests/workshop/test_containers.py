"""Dockerfile and docker-compose.yml: parsed, compared with the supervisor's processes, and held to house rules.

No container engine runs here, so what can be known without one is checked.
"""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml

from jitapp import env
from jitapp.workshop.installation import Wishes, services

ROOT = Path(__file__).resolve().parents[2]
APP_SERVICES = ("migrate", "web", "live", "worker", "relay", "beat")
# The supervisor's name for a process, where the compose file has another.
SUPERVISED_AS = {"beat": "scheduler"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """docker-compose.yml, merged and read."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    """The Dockerfile as (instruction, rest) with continued lines joined."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def of(instructions: list[tuple[str, str]], word: str) -> list[str]:
    """What stands behind each instruction of this name."""
    return [rest for name, rest in instructions if name == word]


def supervised() -> dict[str, list[str]]:
    """The supervisor's commands without the interpreter before them."""
    wishes = Wishes(host="0.0.0.0", port=8000, live_port=8001, data=Path("/tmp"), demo="0")  # noqa: S104, S108
    found = {}
    for service in services(wishes, {}):
        argv = list(service.command.argv[1:])
        found[service.name] = argv[1:] if argv[0] == "-m" else ["python", *argv]
    return found


def test_the_dockerfile_knows_only_real_instructions(instructions: list[tuple[str, str]]) -> None:
    known = {
        "FROM",
        "RUN",
        "COPY",
        "WORKDIR",
        "ENV",
        "USER",
        "EXPOSE",
        "HEALTHCHECK",
        "CMD",
        "ARG",
        "LABEL",
        "ENTRYPOINT",
    }
    assert {word for word, _ in instructions} <= known
    assert all(rest.strip() for _, rest in instructions)


def test_the_image_is_built_in_stages_and_runs_as_nobody_in_particular(
    instructions: list[tuple[str, str]],
) -> None:
    stages = of(instructions, "FROM")
    assert len(stages) == 2
    assert all(re.search(r":\d", stage) for stage in stages), (
        "an image without a version changes under our feet"
    )
    last_stage = instructions[max(i for i, (word, _) in enumerate(instructions) if word == "FROM") :]
    users = of(last_stage, "USER")
    assert users, "the image would run as root"
    assert users[-1].split(":")[0] not in ("root", "0")
    words = [word for word, _ in last_stage]
    assert words.index("USER") < words.index("CMD")
    assert of(last_stage, "HEALTHCHECK")


def test_the_image_has_no_compiler_and_keeps_no_package_lists(instructions: list[tuple[str, str]]) -> None:
    last_stage = instructions[max(i for i, (word, _) in enumerate(instructions) if word == "FROM") :]
    assert not any("gcc" in rest for rest in of(last_stage, "RUN"))
    for rest in of(instructions, "RUN"):
        if "apt-get install" in rest:
            assert "--no-install-recommends" in rest
            assert "rm -rf /var/lib/apt/lists/*" in rest
        if "pip install" in rest:
            assert "--require-hashes" in rest
            assert "--no-cache-dir" in rest


def test_the_commands_are_lists_so_that_signals_reach_the_process(
    instructions: list[tuple[str, str]],
) -> None:
    commands = of(instructions, "CMD")
    health = [rest.split("CMD", 1)[1] for rest in of(instructions, "HEALTHCHECK")]
    for text in (*commands, *health):
        assert all(isinstance(word, str) for word in json.loads(text))


def test_what_the_image_copies_is_in_the_project_and_not_kept_out(
    instructions: list[tuple[str, str]],
) -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for rest in of(instructions, "COPY"):
        if not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists()
                assert source in let_in


def test_containers_run_the_same_commands_as_the_supervisor(
    compose: dict[str, Any], instructions: list[tuple[str, str]]
) -> None:
    ours = supervised()
    image_command = json.loads(of(instructions, "CMD")[-1])
    for name in APP_SERVICES:
        if name == "migrate":
            continue
        theirs = compose["services"][name].get("command", image_command)
        mine = ours[SUPERVISED_AS.get(name, name)]
        assert theirs == mine


def test_every_service_is_there_with_a_health_check(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"postgres", "redis", "roles", *APP_SERVICES}
    for name, service in compose["services"].items():
        if name in ("roles", "migrate"):
            assert service["restart"] == "no"
        elif name != "web":  # the image's own
            assert service["healthcheck"]["test"], name


def test_processes_wait_for_the_migration_and_the_healthy_servers(compose: dict[str, Any]) -> None:
    for name in APP_SERVICES[1:]:
        assert compose["services"][name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "postgres": {"condition": "service_healthy"},
            "redis": {"condition": "service_healthy"},
        }


def test_s13_only_the_migration_comes_as_the_owner_after_the_roles_are_made(compose: dict[str, Any]) -> None:
    knowing = {name for name, each in compose["services"].items() if "database_owner_url" in each["secrets"]}
    assert knowing == {"migrate"}
    assert {
        name
        for name, each in compose["services"].items()
        if "DATABASE_OWNER_URL_FILE" in each.get("environment", {})
    } == {"migrate"}
    assert compose["services"]["migrate"]["depends_on"]["roles"] == {
        "condition": "service_completed_successfully"
    }
    for place in compose["services"]["roles"]["volumes"]:
        assert (ROOT / place.split(":")[0]).is_file()


def test_secrets_come_from_files_and_stand_nowhere_else(compose: dict[str, Any]) -> None:
    declared = set(compose["secrets"])
    for name, service in compose["services"].items():
        assert set(service["secrets"]) <= declared
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|_URL_FILE", variable):
                assert str(value).startswith("/run/secrets/"), (name, variable)
                assert str(value).rsplit("/", 1)[1] in service["secrets"]
    assert all(secret["file"].startswith("./secrets/") for secret in compose["secrets"].values())
    assert "secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_the_servers_keep_their_data_in_volumes_and_are_not_reachable_from_outside(
    compose: dict[str, Any],
) -> None:
    for name in ("postgres", "redis"):
        service = compose["services"][name]
        assert service["volumes"][0].split(":")[0] in compose["volumes"]
        assert "ports" not in service
        assert service["networks"] == ["inside"]
    assert compose["networks"]["inside"] == {"internal": True}


def test_no_process_of_ours_has_more_rights_than_it_needs(compose: dict[str, Any]) -> None:
    for name in APP_SERVICES:
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in service


def test_what_the_compose_file_asks_of_the_owner_stands_in_the_example(compose: dict[str, Any]) -> None:
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    offered = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert asked == offered


def test_the_secrets_are_made_once_and_fit_together(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    script = tmp_path / "deploy" / "make-secrets"
    script.write_text((ROOT / "deploy" / "make-secrets").read_text())
    subprocess.run(["sh", str(script)], check=True)
    made = {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()}
    assert made["jitapp_password"] in made["database_url"]
    assert made["jitapp_owner_password"] in made["database_owner_url"]
    assert made["redis_password"] in made["redis_url"]
    assert len({*made.values()}) == len(made)
    subprocess.run(["sh", str(script)], check=True)
    assert {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()} == made
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0


def test_a_secret_is_read_from_the_file_that_its_variable_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret"
    file.write_text("from the file\n")
    monkeypatch.setenv("SECRET_KEY_FILE", str(file))
    assert env.env_secret("SECRET_KEY") == "from the file"
    file.unlink()
    with pytest.raises(env.Nonsense, match=r"SECRET_KEY_FILE=.* cannot be read"):
        env.env_secret("SECRET_KEY")


def test_everything_the_code_imports_is_in_the_images_lock() -> None:
    locked = set(
        re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements-production.lock").read_text(), re.MULTILINE)
    )
    known = packages_distributions()
    imported: set[str] = set()
    for file in (ROOT / "jitapp").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.split(".")[0])
    missing = {
        module
        for module in imported - set(sys.stdlib_module_names) - {"jitapp"}
        if not {re.sub(r"[-_.]+", "-", name).lower() for name in known.get(module, [])}
        & (locked | {"psycopg2-binary"})  # the same module, built from source in the image
    }
    assert not missing


def test_the_health_check_says_no_to_a_closed_port() -> None:
    for question in ("127.0.0.1:1", "http://127.0.0.1:1/healthz", "/nowhere/pulse"):
        done = subprocess.run([sys.executable, "deploy/alive.py", question], cwd=ROOT, check=False)
        assert done.returncode == 1, question


def test_s03_the_health_check_ends_a_process_that_gives_no_signs_of_life(tmp_path: Path) -> None:
    def alive() -> bool:
        return not subprocess.run(
            [sys.executable, "-c", ASK, str(tmp_path)], cwd=ROOT / "deploy", check=False
        ).returncode

    def beat(seconds_ago: float) -> None:
        (tmp_path / "relay.1").write_text(f"{hanging.pid} 7 {time.monotonic() - seconds_ago:.3f}\n")

    hanging = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        assert not alive(), "nobody has given a sign yet"
        beat(seconds_ago=1)
        assert alive()
        beat(seconds_ago=20)
        assert not alive()
        assert hanging.poll() is None, "it may be about to give one"
        os.kill(hanging.pid, signal.SIGSTOP)
        beat(seconds_ago=60)
        assert not alive()
        assert hanging.wait(30) == -signal.SIGKILL
        (tmp_path / "relay.1").unlink()
        (tmp_path / "web.1").write_text(f"{os.getpid()} 9 {time.monotonic():.3f}\n")
        assert alive()
    finally:
        hanging.kill()
        hanging.wait()


ASK = (
    "import sys; from pathlib import Path; import alive; sys.exit(not alive.beating(Path(sys.argv[1]), 0.1))"
)
