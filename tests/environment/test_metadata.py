"""The readers of METADATA and RECORD: against ``email.parser`` and ``csv`` over real files, and over texts that nobody should have written."""

from __future__ import annotations

import csv
import site
from email.parser import HeaderParser
from pathlib import Path

import pytest

from provisioner.base.names import normalise
from provisioner.environment.metadata import Metadata, Row, parse_metadata, parse_record

PACKAGES = [Path(folder) for folder in site.getsitepackages()]
METADATA = sorted(path for folder in PACKAGES for path in folder.glob("*.dist-info/METADATA"))
RECORDS = sorted(path for folder in PACKAGES for path in folder.glob("*.dist-info/RECORD"))


def by_email(text: str) -> Metadata:
    message = HeaderParser().parsestr(text)
    requires = tuple(" ".join(str(value).split()) for value in message.get_all("Requires-Dist", []))
    name, version, python = (str(message.get(key, "")) for key in ("Name", "Version", "Requires-Python"))
    return Metadata(normalise(name), version, requires, python)


def ours(text: str) -> Metadata:
    found = parse_metadata(text)
    return found._replace(requires=tuple(" ".join(value.split()) for value in found.requires))


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_real_metadata_is_read_as_email_reads_it(ends: str) -> None:
    assert len(METADATA) > 40
    for path in METADATA:
        text = path.read_bytes().decode().replace("\r\n", "\n").replace("\n", ends)
        assert ours(text) == by_email(text), path


@pytest.mark.parametrize(
    "text",
    [
        "Name: other\r\nVersion: 1\r\nRequires-Dist: a\r\n\r\nName: six\r\nRequires-Dist: b\r\n",
        "Name: Ab_c\nVersion: 1\nRequires-Dist: a>1\nrequires-dist: b\nRequires-Python: >=3.9\n\nRequires-Dist: not this\n",
        "Name: a\nName: b\nVersion: 1\nVersion: 2\n",
        "Name: a\nVersion: 1\nRequires-Dist: a\n    >1;\n\tpython_version<'3'\nSummary: x\n  Name: y\n",
        "Name: a\x0cVersion: 2\nVersion: 1\n",
        "\nName: a\n",
        "",
    ],
)
def test_metadata_of_every_kind(text: str) -> None:
    """With CRLF the body was read as headers: a description that speaks of another package's ``Name:`` gave that name."""
    assert ours(text) == by_email(text)


def test_real_records_are_read_as_csv_reads_them() -> None:
    assert len(RECORDS) > 40
    for path in RECORDS:
        text = path.read_text(encoding="utf-8")
        rows = [row for row in csv.reader(text.splitlines()) if row]
        assert list(parse_record(text)) == [Row(row[0], row[1], int(row[2] or -1)) for row in rows], path


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ('"a,b.py",sha256=x,1', Row("a,b.py", "sha256=x", 1)),
        ("a.py,sha256=x,1\r", Row("a.py", "sha256=x", 1)),
        ("a.py", Row("a.py", "", -1)),
        (f"a.py,,{'9' * 5000}", Row("a.py", "", -1)),
        ("a.py,,-1", Row("a.py", "", -1)),
        ("a.py,,²", Row("a.py", "", -1)),
        (f"{'x' * 300_000},,", None),
        (f'"{"x" * 300_000},",,', None),
        ('"abc', None),
        ("a\0b,,", None),
        (",,", None),
        ("", None),
    ],
)
def test_a_row_that_is_none_does_not_end_the_record(line: str, row: Row | None) -> None:
    last = Row("last.py", "sha256=y", 2)
    assert list(parse_record(f"{line}\nlast.py,sha256=y,2\n")) == ([row, last] if row else [last])
