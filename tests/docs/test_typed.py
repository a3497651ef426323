"""Every command line of README and the pages is one: the command is there, and takes these options and values."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from provisioner.cli import SUMMARIES, make_app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def typed() -> list[tuple[str, str]]:
    """Each line of a console block that starts tfsetup, after pipes and signs of the shell, with the name of its page."""
    found = []
    for page in PAGES:
        for block in re.findall(r"^```console\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            for line in block.splitlines():
                if line.startswith("$ "):
                    parts = re.split(r"\s*(?:&&|;|\|\||(?<!\\)\||\$\(|>|2>&1|\)\")\s*", re.sub(r"\s#.*| \(.*", "", line[2:]))
                    found += [(page.name, part) for part in parts if re.match(r"(?:\S*/)?tfsetup ", part)]
    return found


LINES = typed()


def test_there_are_lines() -> None:
    assert len(LINES) > 40
    assert len({page for page, _ in LINES}) > 3


@pytest.mark.parametrize(("page", "line"), LINES, ids=[f"{page}: {line}" for page, line in LINES])
def test_a_line_can_be_typed(page: str, line: str) -> None:
    # What stands for something else, as in `tfsetup lock --upgrade [PACKAGE…]`, is one word.
    words = shlex.split(re.sub(r"[\[\]…]|\.\.\.", "", line))
    if page == "commands.md":
        words = words[:2]
    name = words[1]
    assert name in SUMMARIES, line
    command = get_command(make_app(name)).commands[name]
    # Raises a usage error for what it does not take.
    command.make_context(name, [word for word in words[2:] if word], resilient_parsing=page == "commands.md")


def test_the_page_of_the_commands_is_as_they_are() -> None:
    done = subprocess.run([sys.executable, "tools/commands.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_page_is_linked_from_readme_or_from_another() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for page in PAGES[1:]:
        assert f"{page.name})" in text or f"{page.name}#" in text, page.name


def test_what_is_linked_is_there() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), f"{page.name}: {target}"
