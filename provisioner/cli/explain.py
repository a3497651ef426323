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
from provisioner.host.local import LocalHost
from provisioner.report.cause_text import cause_document, cause_text
from provisioner.report.explain_text import explanation_document, explanation_text
from provisioner.session import Session

FINDINGS, COULD_NOT_TELL = 11, 16
# ``sys.platform`` as the pages call it.
SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}
_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+|unknown")
_HINT = "`tfsetup explain LOG`, `command 2>&1 | tfsetup explain`, or `tfsetup explain CODE`"


def explain(
    log: Annotated[str, typer.Argument(metavar="[LOG|-|CODE]", help="A file, - for standard input, or the code of a cause.")] = "",
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
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Say what an error log or a cause code means, and what to do. Reads only; no network."""
    host = LocalHost()
    told = _context(context or [])
    if _CODE.fullmatch(log) and not host.exists(f"{host.cwd}/{log}"):
        return _page(host, log, as_json=as_json)

    source, content, left_out = _read(host, log)
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
        return log, *stages.read_log(host, log)
    if not log and sys.stdin.isatty():
        raise UsageError("there is no log", hint=_HINT)
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


def _page(host: Host, code: str, *, as_json: bool) -> int:
    cause, order = stages.cause_page(host, code)
    if as_json:
        print_json(cause_document(cause))
    else:
        print_text(cause_text(cause, order, place=Place(), system=SYSTEMS.get(host.platform, ""), width=shutil.get_terminal_size().columns))
    return 0
