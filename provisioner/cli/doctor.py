"""``tfsetup doctor``: says what is wrong with an environment and the machine, root cause first."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from provisioner.base.paths import absolute, joined
from provisioner.cli import options
from provisioner.cli.output import print_json, print_text, say
from provisioner.cli.settings import parse_flag
from provisioner.cli.trusting import trusting
from provisioner.commands import doctor as stages
from provisioner.commands.doctor import Diagnosed
from provisioner.diagnose.compare import compare_examinations
from provisioner.diagnose.doctor import all_checks
from provisioner.diagnose.gather import Options
from provisioner.environment import active
from provisioner.environment.kernels import read_notebook
from provisioner.errors import UsageError
from provisioner.host import Host
from provisioner.host.machine import this_machine
from provisioner.model.diagnosis import Changes, Examination
from provisioner.report.doctor_text import check_list, examination_document, examination_text
from provisioner.report.progress import progress_for
from provisioner.session import Session

HEALTHY, FINDINGS, COULD_NOT_TELL = 0, 11, 16
NO_NOTEBOOK = "name a notebook that is there, or none: `tfsetup doctor` examines the environment"


def doctor(
    notebook: Annotated[
        str, typer.Argument(metavar="[NOTEBOOK]", help="A notebook's file: is the kernel that it names this environment?")
    ] = "",
    env: options.ActiveEnv = None,
    python: Annotated[
        str,
        typer.Option("--python", "-p", envvar="TFSETUP_INTERPRETER", metavar="PATH", help="An interpreter, in place of an environment."),
    ] = "",
    cwd: options.Cwd = "",
    check: Annotated[
        list[str] | None, typer.Option("--check", envvar="TFSETUP_DOCTOR_CHECK", metavar="NAME", help="Only this check; can be repeated.")
    ] = None,
    report: Annotated[
        str, typer.Option("--report", envvar="TFSETUP_REPORT", metavar="FILE", help="Write a bug report without private data.")
    ] = "",
    compare: Annotated[
        str,
        typer.Option("--compare", envvar="TFSETUP_COMPARE", metavar="OLD.json", help="Say what changed since `doctor --json` wrote this."),
    ] = "",
    timeout: Annotated[
        float, typer.Option("--timeout", envvar="TFSETUP_TIMEOUT", metavar="SECONDS", help="How long the import may take.")
    ] = 120.0,
    *,
    static: Annotated[
        bool, typer.Option("--static", help="Start nothing of the environment, its Python neither: read its files alone. [TFSETUP_STATIC]")
    ] = False,
    trust: options.Trust = False,
    no_import: Annotated[bool, typer.Option("--no-import", envvar="TFSETUP_NO_IMPORT", help="Do not import TensorFlow.")] = False,
    deep: Annotated[bool, typer.Option("--deep", envvar="TFSETUP_DEEP", help="Compare the content of every file with its record.")] = False,
    listing: Annotated[bool, typer.Option("--list", envvar="TFSETUP_LIST", help="List the checks.")] = False,
    quiet: options.Quiet = False,
    no_progress: options.NoProgress = False,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Examine an environment and the machine, and say what is wrong, root cause first. Changes nothing."""
    host = this_machine()
    session = Session(host, trusting(host, trust=trust))
    if listing:
        print_text(check_list(all_checks()))
        return HEALTHY
    if timeout <= 0:
        raise UsageError("the time limit must be above zero", place="--timeout")
    before = stages.read_examination(session, compare) if compare else None
    folder = absolute(cwd, host, "--cwd") if cwd else host.cwd
    static = static or parse_flag(host.env.get("TFSETUP_STATIC", ""), "variable TFSETUP_STATIC")
    opened = read_notebook(session.read_input(notebook, absent=NO_NOTEBOOK), notebook) if notebook else None
    chosen = Options(cwd=folder, importing=not no_import, deep=deep, static=static, timeout=timeout, notebook=opened)
    named = absolute(python, host, "--python") if python else ""
    place, request = options.named_environment(host, env, python)
    if not named:
        nothing = active.nothing_there(host, request.env, request.origins["env"])
        options.tell(request.env, request.origins["env"], silent=as_json or quiet, instead=nothing)
    with closing(progress_for(as_json=as_json, host=host, quiet=quiet, plain=no_progress)) as progress:
        found = stages.doctor(session, env=place, python=named, request=request, options=chosen, only=check or (), progress=progress)
    changes = compare_examinations(before, found.examination) if before else None
    code = _code(found.examination)
    if as_json:
        print_json(examination_document(found.examination, changes))
    elif not (quiet and code == HEALTHY):
        kept = active.never_changed(host, found.examination.env)
        print_text(examination_text(found.examination, changes, verbose=verbose, kept=kept))
    if report:
        _report(host, report, found, changes)
    return code


def _code(examination: Examination) -> int:
    """Return 11 where something is wrong, 16 where no check could say anything, else 0."""
    if not examination.healthy:
        return FINDINGS
    told = {item.result for item in examination.checks} - {"could not tell", "crashed", "skipped"}
    return HEALTHY if told else COULD_NOT_TELL


def _report(host: Host, path: str, found: Diagnosed, changes: Changes | None) -> None:
    """Write the bug report into a file that a person named, and say what was taken out of it."""
    from provisioner.report.bug_report import bug_report  # noqa: PLC0415 - only with --report
    from provisioner.report.private import Private  # noqa: PLC0415 - as above

    private = Private.of(host)
    text = bug_report(found.examination, found.case, changes, private)
    host.write(joined(host.cwd, path), text)
    taken_out = ", ".join(private.taken_out) or "nothing, there was nothing private in it"
    say(f"report: written to {path}; taken out: {taken_out}")
