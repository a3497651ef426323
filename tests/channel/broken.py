"""Packages and channels as nobody should publish them."""

from __future__ import annotations

from pathlib import Path

from tests.channel.build import Channel
from tests.channel.packages import File, Package, Written

ENTRY_POINT = "tfsetup-test-hello = hello:main"


def change_bytes(package: Written) -> None:
    """Let a package be another one than repodata.json says, of the same size; a link to it elsewhere keeps the old bytes."""
    content = bytearray(package.path.read_bytes())
    content[-1] ^= 0xFF
    package.path.unlink()
    package.path.write_bytes(content)


def wrong_hash(channel: Channel, name: str) -> None:
    """Let repodata.json give another hash for a package whose bytes are good."""
    record = channel.package(name).record
    record["sha256"] = "0" * 64
    record.pop("md5", None)
    channel.index()


def wrong_size(channel: Channel, name: str) -> None:
    """Let repodata.json give another size."""
    channel.package(name).record["size"] = 1
    channel.index()


def cut(path: Path, part: float = 0.5) -> None:
    """Leave the first part of a file."""
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[: int(len(content) * part)])


def cut_repodata(channel: Channel, subdir: str = "linux-64") -> None:
    """Leave half of repodata.json, and nothing else to read instead."""
    cut(channel.folder / subdir / "repodata.json")
    (channel.folder / subdir / "repodata.json.zst").unlink(missing_ok=True)


def html_repodata(channel: Channel, subdir: str = "linux-64") -> None:
    """Let repodata.json be a page, as a portal in between sends them."""
    (channel.folder / subdir / "repodata.json").write_text("<!doctype html>\n<html><body>Please log in</body></html>\n")
    (channel.folder / subdir / "repodata.json.zst").unlink(missing_ok=True)


def climbing(path: str = "../outside.txt") -> Package:
    """Return a package with a path that leads out of the prefix, also in info/paths.json."""
    return Package(name="climbing", version="1.0", files={path: "climbed out\n", "share/climbing.txt": "inside\n"})


def climbing_listed(path: str = "../climbing-1.0-0/share/climbing.txt") -> Package:
    """Return a package whose info/paths.json alone leads out of the prefix.

    As given, the path is also one from the package in rattler's cache back to itself, so that there is something to copy from.
    """
    inside = "share/climbing.txt"
    return Package(name="climbing", version="1.0", files={inside: "inside\n"}, listed={inside: {"_path": path}})


def through_link(target: Path) -> Package:
    """Return a package with a link to a folder outside, and a file whose path leads through that link."""
    return Package(name="through-link", version="1.0", files={"lib/evil": File(link=str(target)), "lib/evil/file.txt": "written through\n"})


def link_outside(target: Path) -> Package:
    """Return a package with only a link to a folder outside; ``into_link`` has a file behind it."""
    return Package(name="link-outside", version="1.0", files={"lib/evil": File(link=str(target))})


def into_link() -> Package:
    """Return a package with a file where ``link_outside`` has its link."""
    return Package(name="into-link", version="1.0", files={"lib/evil/file.txt": "written through\n"})


def with_entry_point(depends: tuple[str, ...] = ("python >=3.6",)) -> Package:
    """Return a noarch Python package with a command."""
    files = {
        "site-packages/hello.py": "import sys\ndef main():\n    print('hello from', sys.prefix)\n",
        "site-packages/hello-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: hello\nVersion: 1.0\n",
    }
    return Package(
        name="hello", version="1.0", build="pyh1234567_0", noarch="python", depends=depends, entry_points=(ENTRY_POINT,), files=files
    )


def with_script(mark: str = "post-link-ran") -> Package:
    """Return a package with a post-link script that leaves a file in the prefix."""
    script = f'#!/bin/sh\ntouch "$PREFIX/{mark}"\n'
    return Package(
        name="scripted", version="1.0", files={"bin/.scripted-post-link.sh": File(script.encode(), 0o755), "share/scripted.txt": "here\n"}
    )


def clobbering() -> tuple[Package, Package]:
    """Return two packages that have one path, with different content."""
    return (
        Package(name="clobber-a", version="1.0", files={"share/same.txt": "from a\n", "share/a.txt": "a\n"}),
        Package(name="clobber-b", version="1.0", files={"share/same.txt": "from b\n", "share/b.txt": "b\n"}),
    )


def wrong_listed_hash() -> Package:
    """Return a package whose info/paths.json gives another hash for a file than it has."""
    return Package(name="misread", version="1.0", files={"share/misread.txt": "text\n"}, listed={"share/misread.txt": {"sha256": "0" * 64}})


def unlisted() -> Package:
    """Return a package with a file that info/paths.json does not list."""
    files = {"share/listed.txt": "listed\n", "share/unlisted.txt": "unlisted\n"}
    return Package(name="unlisted", version="1.0", files=files, listed={"share/unlisted.txt": None})
