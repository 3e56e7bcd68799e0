"""The request body of `/v3/mail/send`, as far as anything here depends on it."""

from typing import Any

import msgspec


class Address(msgspec.Struct, gc=False):
    """A mailbox."""

    email: str = ""
    name: str | None = None


class Personalization(msgspec.Struct):
    """One mail of the request: who gets it, and what is different in it."""

    to: list[Address] = []
    cc: list[Address] = []
    bcc: list[Address] = []
    subject: str | None = None
    headers: dict[str, str] = {}
    custom_args: dict[str, Any] = {}
    send_at: int | None = None


class Content(msgspec.Struct, gc=False):
    """One form of the body."""

    type: str = ""
    value: str = ""


class Attachment(msgspec.Struct, gc=False):
    """A file."""

    content: str = ""
    filename: str = ""
    type: str | None = None


class Sandbox(msgspec.Struct, gc=False):
    """Whether the mail is only checked."""

    enable: bool = False


class MailSettings(msgspec.Struct, gc=False):
    """The settings that change what becomes of a mail here."""

    sandbox_mode: Sandbox | None = None


class Mail(msgspec.Struct, rename={"sender": "from"}):
    """The body of `/v3/mail/send`."""

    personalizations: list[Personalization] = []
    sender: Address | None = None
    subject: str | None = None
    content: list[Content] = []
    attachments: list[Attachment] = []
    template_id: str | None = None
    categories: list[str] = []
    custom_args: dict[str, Any] = {}
    headers: dict[str, str] = {}
    send_at: int | None = None
    mail_settings: MailSettings | None = None

    def sandboxed(self) -> bool:
        """Whether the mail is only to be checked."""
        settings = self.mail_settings
        return bool(settings and settings.sandbox_mode and settings.sandbox_mode.enable)

    def body(self) -> str:
        """The first form of the body."""
        return self.content[0].value if self.content else ""
