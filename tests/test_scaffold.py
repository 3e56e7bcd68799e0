"""What stands around the service: commands, containers, lock files, licence."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-bench.txt")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pinned(name: str) -> dict[str, str]:
    """The packages of a lock file with their versions."""
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", read(name), re.MULTILINE))


def test_make_help_lists_every_target() -> None:
    """What can be made can be found."""
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    names = {line.split()[0] for line in listed.splitlines()}
    phony = re.findall(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE)[0].split()
    assert names == set(phony)
    assert all(len(line.split()) > 2 for line in listed.splitlines())
    promised = "setup run test clean help db-up db-down db-logs db-shell migrate seed bench lint"
    assert names >= set(promised.split())


@pytest.mark.parametrize("name", LOCKS)
def test_lock_files_pin_by_hash_and_name_no_registry(name: str) -> None:
    """Any mirror will do, and none can slip in anything else."""
    text = read(name)
    assert "://" not in text
    assert not re.search(r"^\s*--(extra-)?index|^\s*--find-links|^\s*-[if] ", text, re.MULTILINE)
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(pinned(name))
    assert all("--hash=sha256:" in entry for entry in entries)


def test_lock_files_hold_what_is_declared() -> None:
    """Every declared dependency is locked, and tests run with the versions that the service runs with."""
    project = tomllib.loads(read("pyproject.toml"))["project"]
    base, dev, bench = (pinned(name) for name in LOCKS)

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[<>=\[;~! ]", requirement)[0].lower() for requirement in requirements}

    extras = project["optional-dependencies"]
    assert names(project["dependencies"]) | names(extras["build"]) <= base.keys()
    assert names(extras["dev"]) <= dev.keys()
    assert names(extras["bench"]) <= bench.keys()
    assert base.items() <= dev.items() <= bench.items()


def test_compose_gives_the_database_and_the_service() -> None:
    """`docker compose up` needs nothing else: the database is the known one, and the service waits for it."""
    services = yaml.safe_load(read("docker-compose.yml"))["services"]
    assert services.keys() == {"postgres", "parley"}
    database, service = services["postgres"], services["parley"]
    assert database["environment"] == {
        "POSTGRES_DB": "messaging_service",
        "POSTGRES_USER": "messaging_user",
        "POSTGRES_PASSWORD": "messaging_password",
    }
    assert database["ports"] == ["127.0.0.1:5432:5432"]
    assert "healthcheck" in database
    expected = "postgresql://messaging_user:messaging_password@postgres:5432/messaging_service"
    assert service["environment"] == {"DATABASE_URL": expected, "HOST": "0.0.0.0"}
    assert service["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert service["ports"] == ["127.0.0.1:${PORT:-8080}:8080"]


def test_the_image_is_built_from_what_is_there() -> None:
    """Every line of the Dockerfile is an instruction, what it copies exists, and it runs as an ordinary user."""
    lines = re.sub(r"\\\n\s*", " ", read("Dockerfile")).splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    known = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "ENV", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD"}
    assert {step[0] for step in steps} <= known
    ignored = read(".dockerignore").split()
    for source in (name for word, rest in steps if word == "COPY" for name in rest.split()[:-1]):
        assert (ROOT / source).exists(), f"{source} is copied, but is not there"
        assert f"!{source}" in ignored, f"{source} is copied, but kept out of the build"
    assert ["USER", "parley"] in steps
    assert steps[-1] == ["CMD", '["parley", "up"]']


@pytest.mark.parametrize("name", ["bin/start.sh", "bin/test.sh", ".ci/run"])
def test_scripts_are_executable_and_parse(name: str) -> None:
    """A script can be called by its name."""
    path = ROOT / name
    assert os.access(path, os.X_OK)
    shell = read(name).splitlines()[0].removeprefix("#!").split()[-1]
    subprocess.run([shell, "-n", str(path)], check=True)


def test_every_route_is_tried_by_the_script() -> None:
    """`bin/test.sh` sends each request that the service promises to answer."""
    tried = read("bin/test.sh")
    for route in (
        "POST /api/messages/sms", "POST /api/messages/email", "POST /api/messages/send",
        "POST /api/webhooks/sms", "POST /api/webhooks/email", "GET /api/conversations\n",
        'GET "/api/conversations/$conversation"', 'GET "/api/conversations/$conversation/messages"',
        'GET "/api/messages/$message"', "POST /api/provider/mock/inbound", "GET /api/provider/mock/config",
        "PUT /api/provider/mock/config", "GET /healthz", "GET /health\n", "GET /readyz", "GET /metrics",
        "GET /openapi.json", "GET /docs", "GET /\n", "POST /api/send_message", "POST /api/send_email",
        'GET "/api/conversation/$uuid/messages"', 'GET "/api/conversation/$uuid/new_messages?since=',
    ):  # fmt: skip
        assert route in tried, f"{route} is not tried"


def test_the_script_fails_when_the_service_does_not_answer(free_port: int) -> None:
    """Nobody listens there: every line is wrong, and so is the exit code."""
    environment = {**os.environ, "BASE_URL": f"http://127.0.0.1:{free_port}"}
    ran = subprocess.run(
        [str(ROOT / "bin/test.sh")], env=environment, check=False, capture_output=True, text=True
    )
    assert ran.returncode == 1
    assert "ok " not in ran.stdout
    assert "WRONG 000  GET  /healthz (expected 200)" in ran.stdout


def test_the_licence_is_the_one_that_is_declared() -> None:
    """The text belongs to the name."""
    assert tomllib.loads(read("pyproject.toml"))["project"]["license"] == "Apache-2.0"
    assert "Apache License" in read("LICENSE")
    assert "Version 2.0, January 2004" in read("LICENSE")


def test_data_and_secrets_stay_out_of_the_repository() -> None:
    """The database folder and `.env` are never committed."""
    assert {".data/", ".env", ".venv/"} <= set(read(".gitignore").split())
