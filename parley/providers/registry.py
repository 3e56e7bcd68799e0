"""Which providers there are, which of them the settings know, and in which order they carry a channel."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import ClientSession

from parley.core.message import Channel
from parley.providers.base import Provider
from parley.providers.sendgrid import SendGrid
from parley.providers.smtp import Smtp
from parley.providers.telnyx import Telnyx
from parley.providers.twilio import Twilio
from parley.settings import Settings, SettingsError, variable

_HTTP = re.compile(r"https?://[\w.\[\]:-]+(/[\w./-]*)?")
VENDORS = (Twilio, Telnyx, SendGrid, Smtp)


@dataclass(frozen=True)
class Providers:
    """Every provider that has its credentials, and those that carry a channel, the preferred one first."""

    by_name: Mapping[str, Provider]
    by_channel: Mapping[Channel, tuple[Provider, ...]]


def build(settings: Settings, session: ClientSession) -> Providers:
    """Build what the settings name; raises `SettingsError` where a name or a credential is wrong."""
    _check_addresses(settings)
    by_channel: dict[Channel, tuple[str, ...]] = {
        "sms": _checked(settings, "sms_providers", "sms"),
        "mms": _checked(settings, "sms_providers", "mms"),
        "email": _checked(settings, "email_providers", "email"),
    }
    # One that is no longer listed but still has its credentials goes on reporting on what it once carried.
    made: dict[str, Provider] = {
        vendor.name: vendor(settings, session)
        for vendor in VENDORS
        if all(getattr(settings, field) for field in vendor.requires)
    }
    carrying = {channel: tuple(made[name] for name in names) for channel, names in by_channel.items()}
    return Providers(made, carrying)


def _checked(settings: Settings, field: str, channel: Channel) -> tuple[str, ...]:
    names: tuple[str, ...] = getattr(settings, field)
    able = {vendor.name: vendor for vendor in VENDORS if channel in vendor.channels}
    for name in names:
        if name not in able:
            raise SettingsError(f"{variable(field)} names {name!r}, but takes {', '.join(able)}")
        for needed in able[name].requires:
            if not getattr(settings, needed):
                raise SettingsError(
                    f"{variable(needed)} is empty, but takes a value as {variable(field)} names {name}"
                )
    return tuple(dict.fromkeys(names))


def _check_addresses(settings: Settings) -> None:
    for field in ("twilio_base_url", "telnyx_base_url", "sendgrid_base_url"):
        if not _HTTP.fullmatch(getattr(settings, field)):
            raise SettingsError(
                f"{variable(field)} is no http(s) address, but takes one, without a login in it"
            )
