"""Write docs/causes/: a page for each cause and a table of contents, from profiles/causes/ (the data that `tfsetup explain CODE` prints).

python tools/causes.py            write them
python tools/causes.py --check    change nothing; status 1 where a page is not what would be written, is missing or is one too many
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from provisioner.catalogue import find_profiles  # noqa: E402 - the path is set above
from provisioner.causes.pages import Place, load_causes, load_order  # noqa: E402
from provisioner.host.local import LocalHost  # noqa: E402
from provisioner.model.cause import Cause, Measure, Order, Question, Sign  # noqa: E402
from provisioner.report.cause_text import MENDS  # noqa: E402

PAGES = ROOT / "docs" / "causes"
PLACE = Place()
NOTICE = "<!-- Written by tools/causes.py from profiles/causes/; do not edit. -->"


def pages(causes: Mapping[str, Cause], order: Order) -> dict[str, str]:
    """Return every file of docs/causes with its text."""
    texts = {f"{code}.md": page(cause, order) for code, cause in causes.items()}
    return {**texts, "README.md": contents(causes, order)}


def contents(causes: Mapping[str, Cause], order: Order) -> str:
    """Return the table of contents: the groups with a line for each cause."""
    lines = [
        "# Why a TensorFlow environment does not work",
        "",
        NOTICE,
        "",
        f"{len(causes)} causes. Each page says what the cause looks like, why it happens, how to prove it, how to mend it by hand and with",
        "tfsetup, and how to take that back. `tfsetup doctor` finds the cause on a machine, `tfsetup explain` in a log; `tfsetup explain CODE`",
        "prints the same page.",
        "",
        "In the commands, `tf-env` is the folder of your environment. On Windows its interpreter is `tf-env\\Scripts\\python.exe` instead of",
        "`tf-env/bin/python`. If you have no such folder, because you work with conda, Colab or a container, put the Python that you start",
        "in its place.",
    ]
    for group in order.groups:
        lines += ["", f"## {group.title}", ""]
        lines += [f"- [`{code}`]({code}.md): {causes[code].title}" for code in group.codes]
    lines += ["", "## In which order", "", "Of several causes on one machine, mend the one that stands first here:", ""]
    return "\n".join([*lines, ", ".join(f"[`{code}`]({code}.md)" for code in order.ranking)]) + "\n"


def page(cause: Cause, order: Order) -> str:
    """Return the page of one cause."""
    lines = [f"# {cause.title}", "", NOTICE, "", f"Code: `{cause.code}`. {_capital(MENDS[cause.mends])}.", "", *_paragraphs(cause.summary)]
    lines += ["", "## What it looks like"]
    for sign in cause.looks_like:
        lines += _sign(sign)
    lines += ["", "## Why", "", *_paragraphs(cause.why), "", "## How to prove it"]
    for question in cause.prove:
        lines += _question(question)
    lines += ["", "## How to mend it by hand", "", *_measures(cause.by_hand)]
    lines += ["", "## How to mend it with tfsetup", "", *_measures(cause.with_tool)]
    lines += ["", "## How to undo", "", *_measures(cause.undo, numbered=False)]
    lines += ["", "## Not to be confused with", "", *_entries(cause.not_this)]
    if cause.code in order.follows:
        lines += [
            "",
            "## What it can follow from",
            "",
            "Mend these first, if they are there, too:",
            "",
            *_entries(order.follows[cause.code]),
        ]
    effects = order.effects(cause.code)
    if effects:
        words = ", ".join(f"[`{code}`]({code}.md)" for code in effects)
        lines += [
            "",
            "## What can follow from it",
            "",
            f"{words}: where one of these is found beside it, mend this one first and look again.",
        ]
    lines += ["", "## Sources", "", *(f"- {item}" for item in cause.references)]
    return "\n".join(lines) + "\n"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _paragraphs(text: str) -> list[str]:
    parts = [part for part in text.split("\n") if part.strip()]
    return "\n\n".join(parts).split("\n")


def _sign(sign: Sign) -> list[str]:
    return ["", f"{sign.says}:", "", "```text", *sign.text.splitlines(), "```"]


def _commands(item: Question | Measure, indent: str = "") -> list[str]:
    return [f"{indent}```console", *(f"{indent}$ {PLACE.fill(line, on=item.on)}" for line in item.run), f"{indent}```"]


def _on(item: Question | Measure) -> str:
    return f"**{item.on}:** " if item.on else ""


def _question(question: Question) -> list[str]:
    return ["", *_commands(question), "", *_paragraphs(_on(question) + question.means)]


def _measures(measures: Sequence[Measure], *, numbered: bool = True) -> list[str]:
    """Give things to do in their order a number; those that are each for another case a dash."""
    lines: list[str] = []
    for number, item in enumerate(measures, 1):
        mark = "" if len(measures) == 1 else f"{number}. " if numbered else "- "
        lines += [""] if number > 1 else []
        lines.append(f"{mark}{_on(item)}{item.do}")
        lines += ["", *_commands(item, " " * len(mark))] if item.run else []
    return lines


def _entries(items: Mapping[str, str]) -> Iterable[str]:
    return (f"- [`{code}`]({code}.md): {words}" for code, words in items.items())


def differences(wanted: Mapping[str, str]) -> list[str]:
    """Return the names of the pages that are not as wanted, missing or one too many."""
    there = {path.name: path.read_text("utf-8") for path in PAGES.iterdir()} if PAGES.is_dir() else {}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description="Write docs/causes from profiles/causes.")
    parser.add_argument("--check", action="store_true", help="change nothing; status 1 where a page is not what would be written")
    options = parser.parse_args(arguments)
    host, folder = LocalHost(), f"{find_profiles()}/causes"
    wanted = pages(load_causes(host, folder), load_order(host, folder))
    old = differences(wanted)
    if options.check:
        print(f"docs/causes is old: run tools/causes.py ({', '.join(old)})" if old else "docs/causes is up to date")
        return 1 if old else 0
    PAGES.mkdir(exist_ok=True)
    for name in old:
        if name in wanted:
            (PAGES / name).write_text(wanted[name], "utf-8")
        else:
            (PAGES / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
