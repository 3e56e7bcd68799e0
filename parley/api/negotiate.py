"""What a client may send and is ready to take: Content-Type and Accept, with q-values and wildcards."""

from functools import lru_cache

JSON = "application/json"


@lru_cache(maxsize=1024)
def accepts(header: str, offered: str = JSON) -> bool:
    """Whether an Accept header lets us answer with the offered type; no header takes anything."""
    if not header.strip():
        return True
    best: tuple[int, float] = (-1, 0.0)
    for part in header.split(","):
        pattern, *parameters = (piece.strip().lower() for piece in part.split(";"))
        precision = _precision(pattern, offered)
        if precision >= 0:
            best = max(best, (precision, _quality(parameters)))
    return best[1] > 0


@lru_cache(maxsize=1024)
def prefers(header: str, first: str, second: str) -> str:
    """Which of two types a client likes better; the first if it does not care."""
    return second if _weight(header, second) > _weight(header, first) else first


@lru_cache(maxsize=1024)
def is_json(content_type: str) -> bool:
    """Whether a Content-Type announces JSON in UTF-8; none at all is taken for it."""
    kind, *parameters = (piece.strip().lower() for piece in content_type.split(";"))
    if kind and kind != JSON and not (kind.startswith("application/") and kind.endswith("+json")):
        return False
    charsets = [value.partition("=")[2].strip('"') for value in parameters if value.startswith("charset")]
    return all(charset in ("utf-8", "utf8", "us-ascii") for charset in charsets)


def _weight(header: str, offered: str) -> tuple[float, int]:
    found = [(-1, 0.0)]
    for part in header.split(","):
        pattern, *parameters = (piece.strip().lower() for piece in part.split(";"))
        found.append((_precision(pattern, offered), _quality(parameters)))
    precision, quality = max(found)
    return (quality, precision) if precision >= 0 else (0.0, -1)


def _precision(pattern: str, offered: str) -> int:
    """How exactly a pattern names a type: 2 itself, 1 its family, 0 anything, -1 not at all."""
    if pattern == offered:
        return 2
    if pattern == offered.partition("/")[0] + "/*":
        return 1
    return 0 if pattern in ("*/*", "*") else -1


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
