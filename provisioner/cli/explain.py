"""``tfsetup explain``: what a log, or a cause code, means and what to do."""

from __future__ import annotations

import re
import shutil
import sys
from typing import Annotated

import typer

from provisioner.causes.pages import Place
from provisioner.cli import options
from provisioner.cli.output import print_json, print_text
from provisioner.commands import explain as stages
from provisioner.errors import UsageError
from provisioner.host import Host
from provisioner.host.machine import this_machine
from provisioner.report.cause_text import cause_document, cause_text, causes_document, causes_text
from provisioner.report.explain_text import explanation_document, explanation_text
from provisioner.session import Session

FINDINGS, COULD_NOT_TELL = 11, 16
# ``sys.platform`` as the pages call it.
SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}
_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+|unknown")


def explain(
    log: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LOG|-|CODE|TEXT]", help="A file, - for standard input, the code of a cause, or the error itself."),
    ] = None,
    context: Annotated[
        list[str] | None,
        typer.Option(
            "--context",
            "-c",
            envvar="TFSETUP_CONTEXT",
            metavar="KEY=VALUE",
            help="What is known of the machine: os, arch, python, tensorflow, gpu, driver, cuda, cudnn, install.",
        ),
    ] = None,
    facts: Annotated[
        str, typer.Option("--facts", envvar="TFSETUP_FACTS", metavar="FILE", help="What `tfsetup detect --json` printed on that machine.")
    ] = "",
    *,
    listed: Annotated[bool, typer.Option("--list", envvar="TFSETUP_LIST", help="List the causes with their codes.")] = False,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Say what an error log or a cause code means, and what to do. Reads only; no network."""
    host = this_machine()
    told = _context(context or [])
    given = " ".join(log or []).strip()
    if listed:
        return _list(host, as_json=as_json)
    if _CODE.fullmatch(given) and not host.exists(f"{host.cwd}/{given}"):
        return _page(host, given, as_json=as_json)

    source, content, left_out = _read(host, given)
    explanation = stages.explain(Session(host), content, source=source, left_out=left_out, context=told, facts_file=facts)
    if as_json:
        print_json(explanation_document(explanation))
    else:
        print_text(explanation_text(explanation, verbose=verbose))
    if explanation.findings[0].cause == "unknown":
        return COULD_NOT_TELL
    return FINDINGS if any(finding.severity != "info" for finding in explanation.findings) else 0


def _read(host: Host, log: str) -> tuple[str, bytes, int]:
    """Return where the log comes from, its content, and how many bytes of it were left out."""
    if log not in {"", "-"}:
        text = stages.as_text(host, log)
        return ("the command line", text.encode(), 0) if text else (log, *stages.read_log(host, log))
    if sys.stdin.isatty():
        end = "Ctrl-Z and Enter" if sys.platform == "win32" else "Ctrl-D"
        typer.echo(f"Paste the log here, then press {end} on a line of its own:", err=True)
    return "standard input", *stages.read_stream(sys.stdin.buffer)


def _context(items: list[str]) -> dict[str, str]:
    told = {}
    for item in items:
        key, separator, value = item.partition("=")
        if not separator or not key.strip():
            raise UsageError(
                f"expected KEY=VALUE, found `{item}`", place="--context", hint="--context os='Ubuntu 22.04' --context tensorflow=2.15"
            )
        told[key.strip().lower()] = value.strip()
    return told


def _list(host: Host, *, as_json: bool) -> int:
    causes = stages.all_causes(host)
    if as_json:
        print_json(causes_document(*causes))
    else:
        print_text(causes_text(*causes))
    return 0


def _page(host: Host, code: str, *, as_json: bool) -> int:
    cause, order = stages.cause_page(host, code)
    if as_json:
        print_json(cause_document(cause))
    else:
        print_text(cause_text(cause, order, place=Place(), system=SYSTEMS.get(host.platform, ""), width=shutil.get_terminal_size().columns))
    return 0
