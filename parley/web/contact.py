"""Somebody at an address, as a page shows him."""

import msgspec

from parley.web import text


class Contact(msgspec.Struct, frozen=True):
    """An address and, where it came with one, a name."""

    address: str
    name: str = ""

    @property
    def spoken(self) -> str:
        """The address as one says it."""
        return text.spoken(self.address)

    @property
    def shown(self) -> str:
        """What stands for him in a list."""
        return self.name or self.spoken

    @property
    def initials(self) -> str:
        return text.initials(self.name, self.address)

    @property
    def hue(self) -> int:
        return text.hue(self.address)
