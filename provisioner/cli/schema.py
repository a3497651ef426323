"""``tfsetup schema``: the JSON Schema of each document."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioner.cli.output import print_json, print_text
from provisioner.errors import UsageError
from provisioner.report.schemas import SCHEMAS, schema_of


def schema(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="The document: facts, plan, verify, …; without it they are listed.")] = "",
) -> int:
    """Print the JSON Schema of a document that this tool writes or reads."""
    if not name:
        print_text("\n".join(SCHEMAS))
        return 0
    if name not in SCHEMAS:
        raise UsageError(f"there is no document called `{name}`", hint=f"there are {', '.join(SCHEMAS)}")
    print_json(schema_of(name))
    return 0
