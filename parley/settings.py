"""One frozen `Settings` from the environment, `.env` and `API_CONFIG_FILE`; a wrong value names itself."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec
from msgspec import Meta

Port = Annotated[int, Meta(ge=1, le=65535)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
Names = tuple[str, ...]

LogLevel = Literal["debug", "info", "warning", "error"]


_EVERYWHERE = ("127.0.0.1", "0.0.0.0", "::", "::1")  # noqa: S104 - nothing is bound here


class SettingsError(Exception):
    """A variable holds what it cannot mean; the text is the one line the operator sees."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every field is a variable of the same name in upper case; those in `_API` carry an `API_` in front."""

    # Where it listens
    host: str = "127.0.0.1"
    port: Port = 8080
    web_processes: Count = 0
    public_url: str = ""
    health_path: Annotated[str, Meta(pattern="^/[A-Za-z0-9/_-]+$")] = "/healthz"
    trusted_proxies: Names = ()

    # Where it keeps things
    database_url: str = ""
    data_dir: Path = Path(".data")
    database_pool: Positive = 4
    raw_events_days: Positive = 30
    events_days: Positive = 30

    # How it speaks
    log_level: LogLevel = "info"
    default_email_from: str = "no-reply@example.com"
    default_region: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "US"
    conversation_grouping: Literal["pair", "channel"] = "pair"
    conversation_snippet_length: Annotated[int, Meta(ge=1, le=4096)] = 64

    # What it accepts
    max_body_bytes: Positive = 262_144
    max_attachments: Count = 8
    vendor_max_body_bytes: Positive = 31_457_280
    rate_limit_per_ip_per_min: Count = 0
    rate_limit_per_sender_per_min: Count = 0

    # How it delivers
    worker_batch_size: Positive = 128
    worker_claim_timeout_secs: Positive = 60
    worker_max_retries: Count = 8
    worker_backoff_base_ms: Positive = 500
    worker_backoff_cap_secs: Positive = 300
    worker_concurrency: Positive = 256
    breaker_error_threshold: Positive = 20
    breaker_open_secs: Positive = 30
    provider_timeout_secs: Seconds = 15.0
    unknown_wait_secs: Positive = 120
    report_wait_secs: Seconds = 300.0
    unknown_policy: Literal["at-least-once", "at-most-once"] = "at-least-once"
    sender_segments_per_sec: Annotated[float, Meta(ge=0)] = 0.0

    # Who carries it
    sms_providers: Names = ("twilio",)
    email_providers: Names = ("sendgrid",)
    twilio_base_url: str = "https://api.twilio.com"
    twilio_account_sid: str = ""
    twilio_auth_token: str = ""
    sendgrid_base_url: str = "https://api.sendgrid.com"
    sendgrid_api_key: str = ""
    sendgrid_webhook_public_key: str = ""
    sendgrid_inbound_token: str = ""
    telnyx_base_url: str = "https://api.telnyx.com"
    telnyx_api_key: str = ""
    telnyx_public_key: str = ""
    smtp_host: str = ""
    smtp_port: Port = 587
    smtp_username: str = ""
    smtp_password: str = ""
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"

    # What plays the vendors
    simulators: bool | None = None
    simulator_port: Port = 8090
    provider_timeout_pct: Percent = 0.0
    provider_error_pct: Percent = 0.0
    provider_ratelimit_pct: Percent = 0.0
    provider_seed: int = 1
    provider_sms_timeout_pct: Percent | None = None
    provider_sms_error_pct: Percent | None = None
    provider_sms_ratelimit_pct: Percent | None = None
    provider_sms_seed: int | None = None
    provider_email_timeout_pct: Percent | None = None
    provider_email_error_pct: Percent | None = None
    provider_email_ratelimit_pct: Percent | None = None
    provider_email_seed: int | None = None

    def __repr__(self) -> str:
        """A settings object in a traceback or a log names its secrets and does not show them."""
        shown = (
            f"{field}={'…' if field in SECRETS else repr(getattr(self, field))}"
            for field in self.__struct_fields__
        )
        return f"Settings({', '.join(shown)})"

    @property
    def url(self) -> str:
        """The address under which the outside reaches us."""
        host = "localhost" if self.host in _EVERYWHERE else self.host
        return self.public_url.rstrip("/") or f"http://{host}:{self.port}"

    @property
    def local_url(self) -> str:
        """The address under which this machine reaches us, whatever the outside calls it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - nothing is bound here
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def simulator_url(self) -> str:
        return f"http://127.0.0.1:{self.simulator_port}"


_API = frozenset(
    {
        "max_body_bytes",
        "max_attachments",
        "rate_limit_per_ip_per_min",
        "rate_limit_per_sender_per_min",
        "breaker_error_threshold",
        "breaker_open_secs",
        "worker_batch_size",
        "worker_claim_timeout_secs",
        "worker_max_retries",
        "worker_backoff_base_ms",
        *(
            f"provider_{channel}{knob}"
            for channel in ("", "sms_", "email_")
            for knob in ("timeout_pct", "error_pct", "ratelimit_pct", "seed")
        ),
    }
)

SECRETS = frozenset(
    {
        "database_url",
        "twilio_auth_token",
        "sendgrid_api_key",
        "sendgrid_inbound_token",
        "telnyx_api_key",
        "smtp_password",
    }
)

_WORDS = {True: ("1", "true", "yes", "on"), False: ("0", "false", "no", "off")}


def variable(field: str) -> str:
    """The environment variable of a field."""
    return ("API_" if field in _API else "") + field.upper()


def load(environ: Mapping[str, str] | None = None, folder: Path = Path()) -> Settings:
    """Read the environment over `.env` over `API_CONFIG_FILE` over the defaults."""
    env = {**_dotenv(folder / ".env"), **(os.environ if environ is None else environ)}
    values: dict[str, Any] = dict(_config_file(env.get("API_CONFIG_FILE", "")))
    hints = get_type_hints(Settings, include_extras=True)
    for field in Settings.__struct_fields__:
        if (text := env.get(variable(field), "").strip()) != "":
            values[field] = text
    return Settings(**{field: _convert(field, hints[field], value) for field, value in values.items()})


def _convert(field: str, hint: Any, value: Any) -> Any:
    try:
        if hint is Path:
            return Path(str(value)).expanduser()
        if hint == Names and isinstance(value, str):
            value = _split(value)
        if bool in (hint, *get_args(hint)) and isinstance(value, str):
            value = next((truth for truth, words in _WORDS.items() if value.lower() in words), value)
        return msgspec.convert(value, hint, strict=False)
    except (msgspec.ValidationError, RuntimeError):  # the latter from `~` of a user that there is not
        shown = "a value that is not shown" if field in SECRETS else repr(value)
        raise SettingsError(f"{variable(field)} is {shown}, but takes {_takes(hint)}") from None


def _takes(hint: Any) -> str:
    """Say in words what a field takes, from the type that checks it."""
    if hint is bool:
        return "true or false"
    if hint == Names:
        return "names separated by commas"
    parts = get_args(hint)
    if parts and all(isinstance(part, str) for part in parts):
        return "one of " + ", ".join(parts)
    if type(None) in parts:
        return _takes(next(part for part in parts if part is not type(None)))
    metas = [part for part in parts if isinstance(part, Meta)]
    kind = {int: "a whole number", float: "a number", Path: "a folder"}.get(
        parts[0] if parts else hint, "a text"
    )
    return kind + "".join(_bounds(meta) for meta in metas)


def _bounds(meta: Meta) -> str:
    low = f" from {meta.ge}" if meta.ge is not None else f" above {meta.gt}" if meta.gt is not None else ""
    high = f" to {meta.le}" if meta.le is not None else ""
    shape = f" like {meta.pattern}" if meta.pattern is not None else ""
    return low + high + shape


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _dotenv(path: Path) -> dict[str, str]:
    """Read `NAME=value` lines; quotes around a value are dropped, `#` starts a comment line."""
    if not path.is_file():
        return {}
    found = {}
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not to be read as text ({error})") from None
    for line in text.splitlines():
        name, mark, value = line.strip().removeprefix("export ").partition("=")
        if mark and not name.startswith("#"):
            found[name.strip()] = value.strip().strip("'\"")
    return found


def _config_file(name: str) -> dict[str, Any]:
    """Read the TOML file; a name that is no setting is an error, since it is most likely a slip."""
    if not name:
        return {}
    try:
        values = tomllib.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # of which TOML's and UTF-8's errors are kinds
        raise SettingsError(
            f"API_CONFIG_FILE is {name!r}, but takes a readable TOML file ({error})"
        ) from None
    for field in values:
        if field not in Settings.__struct_fields__:
            raise SettingsError(
                f"API_CONFIG_FILE sets {field!r}, but takes only names from .env.example in lower case"
            )
    return values
