"""Runs inside the Python that has pip: prints the files that its index offers of some packages, asked for as pip asks (its session).

stdin: a JSON list of names. stdout: {"name": [{"filename", "url", "sha256", "size", "uploaded"}, ...], ...}; "" or 0 for what is not told.
Formats: https://packaging.python.org/specifications/simple-repository-api/, JSON and HTML; in HTML some indexes tell the upload date as
``data-upload-time``, which uv reads, too. An index in folders is read by pip's own finder, which finds wheels for this machine only.
"""

import json
import posixpath
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from pip._internal.commands import create_command

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
ASKED_AT_A_TIME = 8
OK = 200


class Links(HTMLParser):
    """The files of an HTML page."""

    def __init__(self, page: str) -> None:
        """Start with the address of the page."""
        super().__init__()
        self._page = page
        self.files: Any = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        """Take a file from each link that has not been yanked."""
        known = {key: value or "" for key, value in attrs}
        if tag != "a" or not known.get("href") or "data-yanked" in known:
            return
        url, _, fragment = urljoin(self._page, known["href"]).partition("#")
        sha256 = re.search(r"sha256=([0-9a-f]{64})", fragment)
        self.files.append(
            {
                "filename": unquote(posixpath.basename(urlsplit(url).path)),
                "url": url,
                "sha256": sha256.group(1) if sha256 else "",
                "size": 0,
                "uploaded": known.get("data-upload-time", ""),
            }
        )


def main() -> int:
    """Ask for every name; pip-tools, which must be here, too, uses the same parts of pip."""
    names = json.load(sys.stdin)
    command: Any = create_command("download")
    options, _ = command.parse_args([])
    session = command._build_session(options)  # noqa: SLF001 - see above
    finder = command._build_package_finder(options=options, session=session)  # noqa: SLF001 - see above

    def page(name: str) -> Any:
        if options.no_index or not options.index_url.startswith("http"):
            return []
        answer = session.get(options.index_url.rstrip("/") + "/" + name + "/", headers={"Accept": ACCEPT})
        if answer.status_code != OK:
            return []
        if "json" in answer.headers.get("Content-Type", ""):
            return [_told(item, answer.url) for item in answer.json()["files"] if not item.get("yanked")]
        links = Links(answer.url)
        links.feed(answer.text)
        return links.files

    with ThreadPoolExecutor(ASKED_AT_A_TIME) as pool:
        pages = dict(zip(names, pool.map(page, names)))  # noqa: B905 - `strict` is not there on old Pythons
    for name in names:
        if not pages[name]:
            pages[name] = [_found(item.link) for item in finder.find_all_candidates(name) if not item.link.is_yanked]
    json.dump(pages, sys.stdout)
    return 0


def _told(item: Any, page: str) -> Any:
    return {
        "filename": item["filename"],
        "url": urljoin(page, item["url"]),
        "sha256": item.get("hashes", {}).get("sha256", ""),
        "size": item.get("size") or 0,
        "uploaded": item.get("upload-time") or "",
    }


def _found(link: Any) -> Any:
    sha256 = link.hash if link.hash_name == "sha256" else ""
    return {"filename": link.filename, "url": link.url_without_fragment, "sha256": sha256, "size": 0, "uploaded": ""}


if __name__ == "__main__":
    sys.exit(main())
