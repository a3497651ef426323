"""``tfsetup profiles``: the known-good catalogue, with what was proven."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioner.cli import options
from provisioner.cli.output import print_json, print_text
from provisioner.host.machine import this_machine
from provisioner.report.profiles_text import brief_text, newest, profiles_document, profiles_text, release_text, select
from provisioner.session import Session


def profiles(
    release: Annotated[str, typer.Argument(metavar="[RELEASE]", help="Show one release in full, for example 2.20.0.")] = "",
    python: Annotated[
        str, typer.Option("--python", "-p", envvar="TFSETUP_ONLY_PYTHON", metavar="X.Y", help="Only sets for that Python.")
    ] = "",
    device: Annotated[
        str, typer.Option("--device", envvar="TFSETUP_ONLY_DEVICE", metavar="cpu|cuda", help="Only sets for that device.")
    ] = "",
    platform: Annotated[
        str,
        typer.Option(
            "--platform", envvar="TFSETUP_ONLY_PLATFORM", metavar="NAME", help="Only sets for that platform, such as macos-aarch64."
        ),
    ] = "",
    *,
    every: Annotated[bool, typer.Option("--all", "-a", envvar="TFSETUP_ALL", help="All patch releases, for every platform.")] = False,
    as_json: options.Json = False,
) -> int:
    """List the known-good sets: releases, Pythons, devices, and what was run. Reads only."""
    session = Session(this_machine())
    catalogue = session.catalogue
    entries = select(catalogue, release=release, python=python, device=device, platform=platform)
    if as_json:
        print_json(profiles_document(catalogue, entries, in_full=bool(release)))
    elif release and len({entry.version for entry in entries}) == 1:
        print_text(release_text(catalogue, entries))
    elif every or release or platform:
        print_text(profiles_text(entries))
    else:
        print_text(brief_text(newest(entries, session.platform)))
    return 0
