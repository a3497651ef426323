"""Write docs/commands.md: every command with its options and their variables, as `tfsetup help COMMAND` prints them.

python tools/commands.py            write it
python tools/commands.py --check    change nothing; status 1 where the page is not what would be written
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from typer.main import get_command  # noqa: E402 - the path is set above

from provisioner.cli import SUMMARIES, make_app  # noqa: E402

PAGE = ROOT / "docs" / "commands.md"
HEAD = """# The commands

<!-- Written by tools/commands.py from the commands themselves; do not edit. -->

Options win over variables, variables over `tfsetup.yaml` of the working folder. Exit codes: 0 done or healthy, 1 failed, 2 wrong input, 10 changes
pending, 11 findings, 12 no known-good set fits, 13 the plan is stale, 14 not verified, 15 not agreed to, 16 could not tell, 130 interrupted.
"""


def page() -> str:
    """Return the text of the page."""
    return HEAD + "".join(section(name) for name in SUMMARIES)


def section(name: str) -> str:
    """Return a command's part: what it does, how it is called, and its options in a table."""
    params = get_command(make_app(name)).commands[name].params  # type: ignore[attr-defined]
    places = [param.metavar or param.name.upper() for param in params if not param.opts[0].startswith("-")]
    call = " ".join(["tfsetup", name, *places])
    rows = [row(param) for param in params if param.opts[0].startswith("-")]
    table = "\n".join(["", "| option | variable | |", "|---|---|---|", *rows, ""]) if rows else ""
    about = "".join(
        f"\n`{place}`: {text(param)}\n" for place, param in zip(places, (p for p in params if not p.opts[0].startswith("-")), strict=True)
    )
    return f"\n## {name}\n\n{SUMMARIES[name]}\n\n```console\n$ {call}\n```\n{about}{table}"


def row(param: Any) -> str:
    """Return an option's row."""
    names = ", ".join(f"`{name}`" for name in sorted(param.opts, key=lambda name: name.startswith("--")))
    value = "" if param.is_flag else f" `{cell(param.metavar or param.type.name.upper())}`"
    named = param.envvar or "".join(re.findall(r"\[(TFSETUP_[A-Z_]+)\]", param.help))
    return f"| {names}{value} | `{named}` | {cell(text(param))} |"


def text(param: Any) -> str:
    """Return what an option or argument is, without its variable."""
    return re.sub(r" *\[TFSETUP_[A-Z_]+\]", "", param.help or "").strip()


def cell(content: str) -> str:
    """Return a text in which no bar ends a cell."""
    return content.replace("|", "\\|")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    checking = parser.parse_args().check
    made = page()
    if checking:
        fresh = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == made
        print("docs/commands.md is as the commands are" if fresh else "docs/commands.md is not as the commands are: run tools/commands.py")
        return 0 if fresh else 1
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
