"""What a simulation is told at its start; what may change while it runs is in `Faults`."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from parley.simulators import credentials

VendorName = Literal["twilio", "sendgrid", "telnyx", "smtp"]
Percent = Annotated[float, Meta(ge=0, le=100)]
Milliseconds = Annotated[float, Meta(ge=0, le=600_000)]
Fault = Literal["ok", "error", "ratelimit", "ratelimit_bare", "silence", "refuse", "drop"]
"""What becomes of one request; `ratelimit_bare` is a 429 that does not say how long to wait."""

Scenario = Annotated[tuple[Fault, ...], Meta(max_length=100_000)]


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a vendor misbehaves; what is None is taken from the next wider circle."""

    error_pct: Percent | None = None
    ratelimit_pct: Percent | None = None
    timeout_pct: Percent | None = None
    refuse_pct: Percent | None = None
    drop_pct: Percent | None = None
    slow_ms: Milliseconds | None = None
    retry_after_secs: Annotated[int, Meta(ge=0, le=3600)] | None = None
    down: bool | None = None
    callback_lost_pct: Percent | None = None
    callback_doubled_pct: Percent | None = None
    callback_reordered_pct: Percent | None = None
    callback_late_ms: Milliseconds | None = None
    scenario: Scenario | None = None
    seed: int | None = None


class Faults(Knobs, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The faults of everybody, of a channel group, of one vendor: the narrowest circle that says something wins."""

    sms: Knobs | None = None
    email: Knobs | None = None
    twilio: Knobs | None = None
    sendgrid: Knobs | None = None
    telnyx: Knobs | None = None
    smtp: Knobs | None = None


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Who may use the simulated vendors."""

    twilio_account_sid: str = credentials.TWILIO_ACCOUNT_SID
    twilio_auth_token: str = credentials.TWILIO_AUTH_TOKEN
    twilio_api_key_sid: str = credentials.TWILIO_API_KEY_SID
    twilio_api_key_secret: str = credentials.TWILIO_API_KEY_SECRET
    sendgrid_api_key: str = credentials.SENDGRID_API_KEY
    sendgrid_inbound_token: str = credentials.SENDGRID_INBOUND_TOKEN
    telnyx_api_key: str = credentials.TELNYX_API_KEY
    smtp_username: str = credentials.SMTP_USERNAME
    smtp_password: str = credentials.SMTP_PASSWORD


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """One simulated world: where its webhooks go, how fast its messages travel, how much it remembers."""

    webhook_base_url: str = ""
    """Where inbound messages and email events are posted; empty: email events are not posted at all."""
    events_url: str = ""
    """SendGrid's event webhook; empty: `{webhook_base_url}/api/webhooks/sendgrid/events`."""

    sent_ms: Milliseconds = 20.0
    delivered_ms: Milliseconds = 60.0
    batch_ms: Milliseconds = 50.0
    """How long SendGrid gathers events before it posts them together."""
    batch_max: int = 500
    silence_secs: float = 120.0
    """How long a request that gets no answer is held before its connection is cut."""

    callback_concurrency: int = 256
    callback_backlog: int = 100_000
    callback_attempts: int = 3
    callback_retry_ms: Milliseconds = 250.0
    callback_timeout_secs: float = 15.0

    ledger_cap: int = 1_000_000
    service_sender: str = "+15005550006"
    """The number from which a messaging service or number pool sends."""
    advanced_opt_out: bool = False
    """Whether Twilio adds `OptOutType` to inbound messages that hold a keyword."""
    smtp_max_bytes: int = 30_000_000

    credentials: Credentials = Credentials()
    faults: Faults = Faults()

    @property
    def email_events_url(self) -> str:
        """Where SendGrid posts its events, if anywhere."""
        base = self.webhook_base_url.rstrip("/")
        return self.events_url or (base and f"{base}/api/webhooks/sendgrid/events")
