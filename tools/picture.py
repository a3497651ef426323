"""Draw docs/plan-and-proof.svg: a real `tfsetup apply` on this machine, its plan and its proof, as a terminal shows them.

    python tools/picture.py

It makes an environment in a folder of its own, which it removes afterwards. What is drawn is what the command printed, less its progress.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from itertools import takewhile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "plan-and-proof.svg"
COLUMNS = 84


def run(folder: Path) -> list[str]:
    """Return the lines of a real run in ``folder``, with the command and the answer as one types them."""
    tool = Path(sys.executable).parent / "tfsetup"
    search = f"{tool.parent}:/usr/local/bin:/usr/bin:/bin"
    # What lies in the working folder has a short name, as in a person's project.
    done = subprocess.run(
        [tool, "apply", "--yes", "--no-progress"], cwd=folder, env={"PATH": search, "HOME": str(Path.home()), "UV_SYSTEM_CERTS": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    # The first stage ends the plan; what follows is progress, which moves on a terminal and is gone in the end.
    plan = list(takewhile(lambda line: line and not line.endswith(" ..."), done.stderr.splitlines()))
    return ["$ tfsetup apply", *plan, "Do this? [y/N] y", "", *done.stdout.splitlines()]


def draw(lines: list[str]) -> str:
    """Return the lines as a picture of a terminal."""
    console = Console(record=True, width=COLUMNS, file=open("/dev/null", "w"), color_system="truecolor")  # noqa: SIM115 - for this moment
    for line in lines:
        text = Text(line)
        text.stylize("bold", 0, len(line) if line.startswith(("$", "TensorFlow ", "Do this", "Verified")) else 0)
        text.highlight_words(["Verified", "undoable"], "green")
        text.highlight_words(["warning:"], "magenta")
        console.print(text, soft_wrap=True)
    # Without the fonts that rich has every reader fetch from elsewhere: whoever looks at the picture asks nobody.
    return re.sub(r"\s*@font-face \{.*?\}", "", console.export_svg(title="tfsetup"), flags=re.DOTALL)


def main() -> None:
    # Not in a folder of this user's own name: the picture goes into the repository.
    folder = Path(tempfile.mkdtemp(prefix="ada-", dir="/tmp"))
    project = Path("/tmp/project")
    try:
        folder.rename(project)
        PICTURE.write_text(draw(run(project)) + "\n", encoding="utf-8")
    finally:
        shutil.rmtree(project, ignore_errors=True)
    print(f"{PICTURE.relative_to(ROOT)} is drawn")


if __name__ == "__main__":
    main()
