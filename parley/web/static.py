"""The style sheet, the scripts and the pictures, read once, under addresses that change with their content."""

import gzip
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from mimetypes import guess_type

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from parley.core.errors import NotFound

_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "public, no-cache"
_COMPRESSIBLE = ("text/", "image/svg", "application/json")
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


class _File(msgspec.Struct, frozen=True):
    plain: bytes
    packed: bytes | None
    media_type: str
    etag: str


class Static:
    """Files under /static/<version>/…; one version for all, so that modules import each other by name."""

    def __init__(self) -> None:
        self._files = {name: _file(name, node) for name, node in _walk(files("parley.web") / "static")}
        names = sorted(self._files)
        self.version = sha256("".join(self._files[n].etag + n for n in names).encode()).hexdigest()[:12]

    def url(self, name: str) -> str:
        """The address of a file; a name that there is not fails when the page is made, not in the browser."""
        if name not in self._files:
            raise KeyError(name)
        return f"/static/{self.version}/{name}"

    def names(self, ending: str) -> list[str]:
        """The files of one kind."""
        return sorted(name for name in self._files if name.endswith(ending))

    def read(self, name: str) -> str:
        """The text of a file."""
        return self._files[name].plain.decode()

    async def serve(self, request: Request) -> Response:
        """Answer with a file, for ever under its version, else to be asked for again."""
        path: str = request.path_params["path"]
        version, _, rest = path.partition("/")
        name = path if path in self._files else rest
        if (file := self._files.get(name)) is None:
            raise NotFound(f"there is no file {path[:200]!r}")
        headers = {
            "Cache-Control": _FOREVER if version == self.version else _ASK_AGAIN,
            "ETag": file.etag,
            "Vary": "Accept-Encoding",
        }
        if request.headers.get("if-none-match") == file.etag:
            return Response(status_code=304, headers=headers)
        content = file.plain
        if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            content, headers["Content-Encoding"] = file.packed, "gzip"
        return Response(content, headers=headers, media_type=file.media_type)


def _walk(folder: Traversable, prefix: str = "") -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for node in folder.iterdir():
        if node.is_dir():
            found += _walk(node, f"{prefix}{node.name}/")
        elif not node.name.startswith("."):
            found.append((prefix + node.name, node))
    return found


def _file(name: str, node: Traversable) -> _File:
    plain = node.read_bytes()
    ending = "." + name.rpartition(".")[2]
    media_type = _TYPES.get(ending) or guess_type(name)[0] or "application/octet-stream"
    packed = gzip.compress(plain, 9, mtime=0) if media_type.startswith(_COMPRESSIBLE) else None
    return _File(plain, packed, media_type, f'"{sha256(plain).hexdigest()[:16]}"')
