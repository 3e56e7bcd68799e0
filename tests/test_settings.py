"""Settings: where each comes from, and what a wrong one is answered with."""

import re
from pathlib import Path
from typing import Any

import pytest

from parley import settings
from parley.settings import Settings, SettingsError, load, variable
from parley.simulated import environment, simulation, wanted, with_simulators

ROOT = Path(__file__).parents[1]


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    """The service starts with an empty environment."""
    assert load({}, tmp_path) == Settings()


def test_the_environment_wins_over_the_env_file_over_the_config_file(tmp_path: Path) -> None:
    """The nearer a value stands to the command, the more it counts."""
    toml = tmp_path / "parley.toml"
    toml.write_text(
        'port = 1001\nhost = "10.0.0.1"\nmax_attachments = 3\nsms_providers = ["telnyx", "twilio"]\n'
    )
    tmp_path.joinpath(".env").write_text(
        "PORT=1002\nHOST='10.0.0.2'\n# LOG_LEVEL=debug\nexport DEFAULT_REGION=DE\n"
    )
    read = load({"PORT": "1003", "API_CONFIG_FILE": str(toml)}, tmp_path)
    assert (read.port, read.host, read.max_attachments) == (1003, "10.0.0.2", 3)
    assert read.sms_providers == ("telnyx", "twilio")
    assert (read.log_level, read.default_region) == ("info", "DE")


def test_an_empty_variable_is_none(tmp_path: Path) -> None:
    """`PORT=` in a file that was copied means: the default."""
    assert load({"PORT": "", "SIMULATORS": " "}, tmp_path) == Settings()


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("PORT", "http", "PORT is 'http', but takes a whole number from 1 to 65535"),
        ("PORT", "0", "PORT is '0', but takes a whole number from 1 to 65535"),
        ("PORT", "8080.5", "PORT is '8080.5', but takes a whole number from 1 to 65535"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL is 'loud', but takes one of debug, info, warning, error"),
        ("SIMULATORS", "perhaps", "SIMULATORS is 'perhaps', but takes true or false"),
        ("API_PROVIDER_ERROR_PCT", "101", "API_PROVIDER_ERROR_PCT is '101', but takes a number from 0 to 100"),
        ("API_PROVIDER_SMS_ERROR_PCT", "x", "API_PROVIDER_SMS_ERROR_PCT is 'x', but takes a number from 0 to 100"),
        ("PROVIDER_TIMEOUT_SECS", "0", "PROVIDER_TIMEOUT_SECS is '0', but takes a number above 0"),
        ("API_PROVIDER_ERROR_PCT", "nan", "API_PROVIDER_ERROR_PCT is 'nan', but takes a number from 0 to 100"),
        ("DATA_DIR", "~nobody-of-that-name/x", "DATA_DIR is '~nobody-of-that-name/x', but takes a folder"),
        ("HEALTH_PATH", "up", "HEALTH_PATH is 'up', but takes a text like ^/[A-Za-z0-9/_-]+$"),
        ("CONVERSATION_SNIPPET_LENGTH", "4097", "CONVERSATION_SNIPPET_LENGTH is '4097', but takes a whole number from 1 to 4096"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_one_line_that_names_it(tmp_path: Path, name: str, value: str, line: str) -> None:
    """It says which variable, what it got and what it takes."""
    with pytest.raises(SettingsError) as raised:
        load({name: value}, tmp_path)
    assert str(raised.value) == line


def test_no_line_shows_a_secret(tmp_path: Path) -> None:
    """Not even a wrong one."""
    toml = tmp_path / "parley.toml"
    for field in settings.SECRETS:
        toml.write_text(f'{field} = ["hush"]')
        with pytest.raises(SettingsError) as raised:
            load({"API_CONFIG_FILE": str(toml)}, tmp_path)
        assert variable(field) in str(raised.value)
        assert "hush" not in str(raised.value)


def test_every_credential_is_a_secret() -> None:
    """A new field that sounds like one is on the list."""
    sounding = {
        f for f in Settings.__struct_fields__ if re.search("password|token|api_key|secret|database_url", f)
    }
    assert sounding == settings.SECRETS


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"port = ", "takes a readable TOML file"),
        (b"\xff\xfe", "takes a readable TOML file"),
        (b"prot = 8080", "API_CONFIG_FILE sets 'prot', but takes only names from .env.example in lower case"),
        (b'port = "much"', "PORT is 'much', but takes a whole number"),
        (b"port = [1]", r"PORT is \[1\], but takes a whole number"),
    ],
)
def test_a_wrong_config_file_is_one_line(tmp_path: Path, content: bytes, line: str) -> None:
    """A file that cannot be read, or says what there is not, stops the start."""
    toml = tmp_path / "parley.toml"
    toml.write_bytes(content)
    with pytest.raises(SettingsError, match=line):
        load({"API_CONFIG_FILE": str(toml)}, tmp_path)
    with pytest.raises(SettingsError, match="takes a readable TOML file"):
        load({"API_CONFIG_FILE": str(tmp_path / "none.toml")}, tmp_path)


def test_a_wrong_env_file_is_one_line(tmp_path: Path) -> None:
    """An .env that is no text stops the start too."""
    tmp_path.joinpath(".env").write_bytes(b"PORT=\xff")
    with pytest.raises(SettingsError, match=r"\.env is not to be read as text"):
        load({}, tmp_path)


def test_lists_are_names_separated_by_commas(tmp_path: Path) -> None:
    """Spaces and empty places do not matter."""
    assert load({"SMS_PROVIDERS": " telnyx, ,twilio,"}, tmp_path).sms_providers == ("telnyx", "twilio")


def test_the_example_lists_every_variable_with_its_default(tmp_path: Path) -> None:
    """Who copies `.env.example` changes nothing by that, and nothing is left out or made up."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    tmp_path.joinpath(".env").write_text(text)
    assert load({}, tmp_path) == Settings()
    named = re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE)
    assert sorted(name for name, _ in named) == sorted(
        ["API_CONFIG_FILE", *(variable(field) for field in Settings.__struct_fields__)]
    )
    shown: dict[str, Any] = dict(named)
    for field, default in zip(Settings.__struct_fields__, Settings.__struct_defaults__, strict=True):
        if default not in ("", None, ()):
            assert shown[variable(field)], (
                f"{variable(field)} has a default, but the example does not show it"
            )


def test_the_example_says_what_each_variable_does() -> None:
    """Above every variable stands a comment."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        if re.match(r"[A-Z_]+=", line):
            assert before.startswith("# "), f"{line} is not explained"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, True),
        ({"SIMULATORS": "off"}, False),
        ({"SENDGRID_API_KEY": "SG.real"}, False),
        ({"SMTP_HOST": "mail.example.com"}, False),
        ({"SENDGRID_API_KEY": "SG.real", "SIMULATORS": "on"}, True),
    ],
)
def test_simulators_run_unless_something_real_is_configured(
    tmp_path: Path, environ: dict[str, str], expected: bool
) -> None:
    """Nobody has to choose them to try the service, and nobody gets them beside a real vendor unasked."""
    assert wanted(load(environ, tmp_path)) is expected


def test_with_simulators_no_message_leaves_the_machine(tmp_path: Path) -> None:
    """Every vendor's address leads back here, and children read the same from their environment."""
    read = load({"SIMULATOR_PORT": "9000", "TWILIO_AUTH_TOKEN": "real", "SIMULATORS": "on"}, tmp_path)
    played = with_simulators(read)
    addresses = (played.twilio_base_url, played.telnyx_base_url, played.sendgrid_base_url)
    assert all(address.startswith("http://127.0.0.1:9000/") for address in addresses)
    assert played.smtp_host == "127.0.0.1"
    assert played.twilio_auth_token != "real"
    assert load({"SIMULATOR_PORT": "9000", **environment(read)}, tmp_path) == played
    off = load({"SIMULATORS": "off"}, tmp_path)
    assert load(environment(off), tmp_path) == with_simulators(off) == off


def test_the_fault_variables_reach_the_simulators(tmp_path: Path) -> None:
    """For all, and for a channel alone."""
    environ = {
        "API_PROVIDER_ERROR_PCT": "5",
        "API_PROVIDER_SMS_TIMEOUT_PCT": "7",
        "API_PROVIDER_EMAIL_SEED": "9",
    }
    faults = simulation(load(environ, tmp_path)).faults
    assert faults.error_pct == 5
    assert faults.sms is not None
    assert (faults.sms.timeout_pct, faults.sms.error_pct) == (7, None)
    assert faults.email is not None
    assert faults.email.seed == 9


def test_the_old_names_stay() -> None:
    """The variables of earlier services are still understood."""
    names = {variable(field) for field in Settings.__struct_fields__}
    knobs = ("TIMEOUT_PCT", "ERROR_PCT", "RATELIMIT_PCT", "SEED")
    old = {
        "PORT", "HEALTH_PATH", "LOG_LEVEL", "DATABASE_URL", "CONVERSATION_SNIPPET_LENGTH", "API_MAX_BODY_BYTES",
        "API_MAX_ATTACHMENTS", "API_RATE_LIMIT_PER_IP_PER_MIN", "API_RATE_LIMIT_PER_SENDER_PER_MIN",
        "API_BREAKER_ERROR_THRESHOLD", "API_BREAKER_OPEN_SECS", "API_WORKER_BATCH_SIZE",
        "API_WORKER_CLAIM_TIMEOUT_SECS", "API_WORKER_MAX_RETRIES", "API_WORKER_BACKOFF_BASE_MS",
        *(f"API_PROVIDER_{group}{knob}" for group in ("", "SMS_", "EMAIL_") for knob in knobs),
    }  # fmt: skip
    assert old <= names
