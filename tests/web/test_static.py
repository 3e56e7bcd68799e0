"""Style sheet, scripts and pictures."""

import gzip

import aiohttp
import pytest

from parley.web.static import Static
from tests.web.service import Service


async def test_files_are_kept_for_ever_under_their_version(service: Service) -> None:
    """The address changes with the content, so what is kept is never wrong."""
    static = Static()
    async with aiohttp.ClientSession(auto_decompress=False) as http:
        packed = {"Accept-Encoding": "gzip"}
        async with http.get(service.url + static.url("parley.css"), headers=packed) as answer:
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert answer.headers["Content-Type"].startswith("text/css")
            assert b"--accent" in gzip.decompress(await answer.read())
        for path in ("/static/parley.css", "/static/000000000000/parley.css"):
            async with http.get(service.url + path, headers={"Accept-Encoding": ""}) as answer:
                assert answer.headers["Cache-Control"] == "public, no-cache"
                assert b"--accent" in await answer.read()
                tag = {"If-None-Match": answer.headers["ETag"]}
            async with http.get(service.url + path, headers=tag) as answer:
                assert answer.status == 304


@pytest.mark.parametrize("path", ["nothing.css", "../pages.py", "%2e%2e/pages.py", "demo", "", "/etc/passwd"])
async def test_only_files_of_the_folder_are_served(path: str, service: Service) -> None:
    """Whatever the address looks like."""
    async with aiohttp.ClientSession() as http, http.get(f"{service.url}/static/{path}") as answer:
        assert answer.status == 404


def test_a_name_that_there_is_not_fails_on_the_page_that_uses_it() -> None:
    """A slip is found by the first test that shows the page."""
    with pytest.raises(KeyError):
        Static().url("parley.ccs")


def test_scripts_import_only_what_is_there() -> None:
    """Modules name each other; all of them are served."""
    static = Static()
    for name in static.names(".js"):
        for line in static.read(name).splitlines():
            if line.startswith("import "):
                static.url(line.split("'")[1].removeprefix("./"))
