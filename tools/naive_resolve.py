"""Runs in an environment that has only a pip (20.3 or later): lets that pip choose the versions for each requirement, and install nothing.

    python naive_resolve.py tensorflow==2.10.1 tensorflow==2.10.0

For each argument one line of the output begins with MARK and is JSON: {"requirement": ..., "chosen": [[name, address], ...]}, the
address null where what is installed stays. ``chosen`` is null where pip found no answer, and then its own words are wanted: run it for
real.

It is pip's own `install` up to the moment when it would fetch the files. Three things make it quick, and none of them chooses: metadata
is read by ranges of the wheels (--use-feature=fast-deps), an index page and a wheel's metadata are asked for once for all requirements,
and the files are not fetched. Syntax of Python 3.6; the names are those of pip 20.3 to 24 (pip/_internal).
"""

import contextlib
import json
import os
import sys
from typing import Any

from pip._internal.cli.main import main as pip
from pip._internal.index.package_finder import PackageFinder
from pip._internal.operations.prepare import RequirementPreparer
from pip._internal.resolution.resolvelib.resolver import Resolver

MARK = "tfsetup-naive "


def remember(owner: Any, name: str) -> None:
    """Replace the method so that it is asked once for each argument, whichever object it is called on."""
    real, known = getattr(owner, name), {}

    def method(self: Any, about: Any) -> Any:
        if str(about) not in known:
            known[str(about)] = real(self, about)
        return known[str(about)]

    setattr(owner, name, method)


def main(requirements: "list[str]") -> None:
    """Resolve each requirement as `pip install` of it alone would."""
    resolver: Any = Resolver
    preparer: Any = RequirementPreparer
    answers = []
    real = resolver.resolve

    def resolve(self: Any, *arguments: Any, **named: Any) -> Any:
        found = real(self, *arguments, **named)
        answers.append([[item.name, item.link.url if item.link else None] for item in found.all_requirements])
        raise SystemExit(0)

    resolver.resolve = resolve
    remember(PackageFinder, "find_all_candidates")
    remember(RequirementPreparer, "_fetch_metadata_using_lazy_wheel")
    preparer.prepare_linked_requirements_more = lambda *_arguments, **_named: None
    for requirement in requirements:
        del answers[:]
        with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing), contextlib.redirect_stderr(nothing):
            pip(["install", "--no-cache-dir", "--use-feature=fast-deps", requirement])
        chosen = answers[0] if answers else None
        sys.stdout.write("\n" + MARK + json.dumps({"requirement": requirement, "chosen": chosen}) + "\n")
        sys.stdout.flush()


main(sys.argv[1:])
