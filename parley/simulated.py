"""Turns every provider to the simulators, by the same settings that turn it to its vendor."""

from typing import Any

import msgspec

from parley.settings import Settings, variable
from parley.simulators import credentials
from parley.simulators.config import Faults, Knobs, Simulation

_KNOBS = ("timeout_pct", "error_pct", "ratelimit_pct", "seed")


def wanted(settings: Settings) -> bool:
    """Whether simulators run: as SIMULATORS says, or else unless a vendor's credentials are configured."""
    if settings.simulators is not None:
        return settings.simulators
    keys = (settings.twilio_auth_token, settings.sendgrid_api_key, settings.telnyx_api_key)
    return not any((*keys, settings.smtp_host))


def with_simulators(settings: Settings) -> Settings:
    """Send all messages to the simulators, if they are wanted, and believe what these post."""
    return msgspec.structs.replace(settings, **_changes(settings))


def environment(settings: Settings) -> dict[str, str]:
    """Give the variables that make a child's settings those of `with_simulators`."""
    return {variable(field): str(value) for field, value in _changes(settings).items()}


def smtp_port(settings: Settings) -> int:
    """The port of the simulated mail server."""
    return settings.simulator_port + 1


def simulation(settings: Settings) -> Simulation:
    """Describe the simulated world in its own words."""
    return Simulation(
        webhook_base_url=settings.url,
        events_url=f"{settings.url}/api/webhooks/sendgrid/events",
        faults=Faults(
            timeout_pct=settings.provider_timeout_pct,
            error_pct=settings.provider_error_pct,
            ratelimit_pct=settings.provider_ratelimit_pct,
            seed=settings.provider_seed,
            sms=_knobs(settings, "sms"),
            email=_knobs(settings, "email"),
        ),
    )


def _knobs(settings: Settings, group: str) -> Knobs:
    return Knobs(**{knob: getattr(settings, f"provider_{group}_{knob}") for knob in _KNOBS})


def _changes(settings: Settings) -> dict[str, Any]:
    if not wanted(settings):
        return {"simulators": False}
    base = settings.simulator_url
    return {
        "simulators": True,
        "twilio_base_url": f"{base}/twilio",
        "twilio_account_sid": credentials.TWILIO_ACCOUNT_SID,
        "twilio_auth_token": credentials.TWILIO_AUTH_TOKEN,
        "sendgrid_base_url": f"{base}/sendgrid",
        "sendgrid_api_key": credentials.SENDGRID_API_KEY,
        "sendgrid_webhook_public_key": credentials.SENDGRID_PUBLIC_KEY,
        "sendgrid_inbound_token": credentials.SENDGRID_INBOUND_TOKEN,
        "telnyx_base_url": f"{base}/telnyx",
        "telnyx_api_key": credentials.TELNYX_API_KEY,
        "telnyx_public_key": credentials.TELNYX_PUBLIC_KEY,
        "smtp_host": "127.0.0.1",
        "smtp_port": smtp_port(settings),
        "smtp_username": credentials.SMTP_USERNAME,
        "smtp_password": credentials.SMTP_PASSWORD,
        "smtp_security": "none",
    }
