"""Stand-ins for media that nobody fetches from outside: small, but of the kind their address promises."""

import mimetypes
from base64 import b64decode
from urllib.parse import urlsplit

_PIXELS = {
    "image/png": b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    ),
    "image/gif": b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"),
}


def file_name(url: str) -> str:
    """The last part of an address."""
    last = _path(url).rpartition("/")[2]
    return "".join(filter(str.isprintable, last)) or "media"


def content_type(url: str) -> str:
    """The kind of media that an address promises."""
    return mimetypes.guess_type(_path(url))[0] or "application/octet-stream"


def content(url: str) -> bytes:
    """Something to download: a pixel where one is promised, else a line of text."""
    return _PIXELS.get(content_type(url)) or f"simulated media: {file_name(url)}".encode()


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""
