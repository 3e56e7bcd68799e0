"""The shape of the code: small files, small functions, plain names, and SQL that fits the schema."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from parley.db.pool import Database
from parley.db.sql import statements

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "parley"
MODULES = sorted(PACKAGE.rglob("*.py"))
QUERIES = sorted(path for path in PACKAGE.rglob("*.sql") if "migrations" not in path.parts)

LONGEST_FILE, LONGEST_FUNCTION = 250, 40

# Whatever is longer wants a reason; what has become shorter must leave the list.
LONG_FILES = {
    "settings.py": "one list of every variable, with its type and default",
    "providers/twilio.py": "a vendor is one file",
}
LONG_FUNCTIONS = {
    "web/pages.py routes": "the table of contents of the pages, after the parts that they are made of",
}

VAGUE = {
    "manager",
    "service",
    "helper",
    "helpers",
    "utils",
    "util",
    "handler",
    "handlers",
    "impl",
    "misc",
    "common",
}


def name(path: Path) -> str:
    """A file as the lists above call it."""
    return path.relative_to(PACKAGE).as_posix()


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """The functions of a module, and how many lines each has."""
    for node in ast.walk(ast.parse(text(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name(path)} {node.name}", (node.end_lineno or 0) - node.lineno + 1


def test_files_are_small() -> None:
    """Whoever opens one sees it whole."""
    lengths = {name(path): len(text(path).splitlines()) for path in [*MODULES, *QUERIES]}
    assert {file for file, lines in lengths.items() if lines > LONGEST_FILE} == LONG_FILES.keys()


def test_functions_are_small() -> None:
    """Each does one thing, on one screen."""
    lengths = {place: lines for path in MODULES for place, lines in functions(path)}
    assert {place for place, lines in lengths.items() if lines > LONGEST_FUNCTION} == LONG_FUNCTIONS.keys()


def test_modules_say_in_one_line_what_they_are() -> None:
    """A docstring begins with a whole line; an empty module has nothing to say."""
    first_lines = {
        name(path): (ast.get_docstring(ast.parse(text(path))) or "").partition("\n\n")[0]
        for path in MODULES
        if text(path).strip()
    }
    assert [file for file, line in first_lines.items() if not re.fullmatch(r"[^\n]+[.:]", line)] == []


def test_names_say_what_files_hold() -> None:
    """No word that could name anything."""
    words = [(name(path), word) for path in [*MODULES, *QUERIES] for word in re.split(r"[/_.]", name(path))]
    assert [file for file, word in words if word in VAGUE] == []


def test_nothing_is_left_for_later() -> None:
    """What is not done is not in the code."""
    notes = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    assert [name(path) for path in [*MODULES, *QUERIES] if notes.search(text(path))] == []


@pytest.mark.parametrize("path", QUERIES, ids=name)
async def test_queries_fit_the_schema(db: Database, path: Path) -> None:
    """A broken statement stops the build, and not a request at night; none is there twice, none is dead."""
    found = statements(".".join(path.relative_to(ROOT).parent.parts), path.name)
    assert len(found) == len(re.findall(r"^-- name: ", text(path), re.MULTILINE)) > 0
    async with db.connection() as connection:
        for statement in found.values():
            await connection.prepare(statement)
    code = "".join(text(module) for module in path.parent.glob("*.py"))
    assert [query for query in found if f'"{query}"' not in code] == []
