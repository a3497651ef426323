"""``tfsetup lock``: writes a team's lockfiles from its declaration."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from provisioner.base.paths import absolute
from provisioner.base.progress import Progress
from provisioner.cli import options
from provisioner.cli.output import print_json, print_script, print_text, say
from provisioner.cli.trusting import trusting
from provisioner.commands import lock_check
from provisioner.commands.lock_declared import ENGINES, INTO, LockRequest
from provisioner.errors import UsageError
from provisioner.host import Host
from provisioner.host.machine import this_machine
from provisioner.lock import dates
from provisioner.lock.difference import compare
from provisioner.model import codec
from provisioner.report import check_text, diff_text, lock_text
from provisioner.report.progress import progress_for
from provisioner.session import Session

if TYPE_CHECKING:
    from provisioner.commands.lock import Outcome
    from provisioner.commands.lock_into import Edit

# The lock is not what its inputs would give now.
STALE = 10


Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PACKAGE]... | [OLD]",
        help="With --upgrade: only these packages. With --diff: what to compare with, a folder, a tfsetup.lock.json or a revision of git.",
    ),
]
Project = Annotated[
    str, typer.Option("--project", envvar="TFSETUP_PROJECT", metavar="FOLDER", help="Where the declaration is (tfsetup.yaml).")
]
Engine = Annotated[
    str,
    typer.Option(
        "--engine",
        envvar="TFSETUP_ENGINE",
        metavar="uv|pip-tools|conda-lock",
        help="The resolver; that of the lock if not given. conda-lock: the conda half, by the conda that is here.",
    ),
]
Cutoff = Annotated[
    str, typer.Option("--cutoff", envvar="TFSETUP_CUTOFF", metavar="DATE", help="Look only at what was uploaded before this date.")
]
Upgrade = Annotated[
    bool,
    typer.Option(
        "--upgrade",
        envvar="TFSETUP_LOCK_UPGRADE",
        help="Look at what was uploaded since the lock was made; TensorFlow goes to the next proven set.",
    ),
]
Check = Annotated[
    bool,
    typer.Option(
        "--check",
        envvar="TFSETUP_LOCK_CHECK",
        help="Say whether the lock is fresh, and what changed; exit code 10 where it is stale. Writes nothing.",
    ),
]
Online = Annotated[
    bool, typer.Option("--online", envvar="TFSETUP_ONLINE", help="With --check: ask the index whether each file is still there.")
]
Diff = Annotated[
    bool, typer.Option("--diff", envvar="TFSETUP_DIFF", help="Say what changed since another lock; git's HEAD, if none is named.")
]
Accept = Annotated[
    bool,
    typer.Option(
        "--accept",
        envvar="TFSETUP_ACCEPT",
        help="Where the lock is refused, write what would do into tfsetup.yaml, with a comment (shown first), and lock again.",
    ),
]
Verify = Annotated[
    bool,
    typer.Option(
        "--verify",
        envvar="TFSETUP_LOCK_VERIFY",
        help="Install what is locked for this machine aside, prove it, and write that proof into the lock; exit code 14 where it fails.",
    ),
]
Into = Annotated[
    list[str] | None,
    typer.Option(
        "--into",
        envvar="TFSETUP_INTO",
        metavar="uv|constraints",
        help="Write what is locked for other tools, too: [tool.uv] of pyproject.toml (shown first), or constraints.txt for pip and PDM.",
    ),
]
Markdown = Annotated[bool, typer.Option("--markdown", envvar="TFSETUP_MARKDOWN", help="With --diff: as Markdown, for a pull request.")]


def lock(
    names: Names = None,
    project: Project = ".",
    engine: Engine = "",
    cutoff: Cutoff = "",
    *,
    upgrade: Upgrade = False,
    check: Check = False,
    online: Online = False,
    diff: Diff = False,
    markdown: Markdown = False,
    into: Into = None,
    accept: Accept = False,
    verify: Verify = False,
    offline: options.Offline = False,
    trust: options.Trust = False,
    quiet: options.Quiet = False,
    no_progress: options.NoProgress = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> int:
    """Lock a team's environments: exact, hashed files for every target, from one declaration."""
    host = this_machine()
    folder = absolute(project, host, "--project")
    _check_options(
        names or [], {"--upgrade": upgrade, "--check": check, "--diff": diff}, {"--online": (online, check), "--markdown": (markdown, diff)}
    )
    if online and offline:
        raise UsageError("--online and --offline cannot be asked for together", hint="give one of them")
    if (check or diff) and (engine or cutoff or into or accept or verify):
        changing = {"--engine": engine, "--cutoff": cutoff, "--into": into, "--accept": accept, "--verify": verify}
        given = next(name for name, on in changing.items() if on)
        raise UsageError("nothing is resolved, so it has no effect", place=given, hint="leave it out")
    progress = progress_for(as_json=as_json, host=host, quiet=quiet, plain=no_progress)
    if check:
        return _check(Session(host, trusting(host, trust=trust)), folder, progress, online=online, as_json=as_json, quiet=quiet)
    if diff:
        return _diff(host, folder, (names or [""])[0], markdown=markdown, as_json=as_json)
    if engine not in {"", *ENGINES}:
        raise UsageError(f"`{engine}` is not one of {', '.join(ENGINES)}", place="--engine")
    unknown = next((item for item in into or () if item not in INTO), None)
    if unknown is not None:
        raise UsageError(f"`{unknown}` is not one of {', '.join(INTO)}", place="--into")
    agreed = options.agreed(host, yes=yes)
    asked = LockRequest(
        engine=next((item for item in ENGINES if item == engine), None),
        upgrade=tuple(names or ()) if upgrade else None,
        cutoff=dates.parse(cutoff, "--cutoff") if cutoff else "",
        offline=offline,
        into=tuple(item for item in INTO if item in (into or ())),
    )
    # These bring the resolvers, which --check and --diff do without.
    from provisioner.cli import indexes  # noqa: PLC0415
    from provisioner.commands.lock_accept import Consent, lock_accepting  # noqa: PLC0415

    session = Session(host, trusting(host, trust=trust))
    consent = Consent(
        agree=_agree_to_edit(agreed=agreed), show=_agree_to_edit(agreed=True), accept=accept, answer=indexes.asking(agreed=agreed)
    )
    done = lock_accepting(session, folder, asked, consent, progress=progress)
    if verify:
        from provisioner.commands.lock_verify import verify_lock  # noqa: PLC0415 - brings what installs

        done = verify_lock(session, folder, done, progress=progress)
    if as_json or not quiet:
        _tell(done, as_json=as_json)
    return 0


def _agree_to_edit(*, agreed: bool) -> Callable[[Edit], None]:
    """Return what shows an edit of a file of the project's own, and asks for it."""

    def agree(edit: Edit) -> None:
        say(f"{edit.file} would change:\n{edit.shown}")
        from provisioner.cli.consent import ask  # noqa: PLC0415 - brings what takes changes back, which a lock does without

        ask("Write this?", agreed=agreed)

    return agree


def _tell(done: Outcome, *, as_json: bool) -> None:
    if as_json:
        print_json(codec.document(lock_text.SCHEMA, lock_text.lock_report(done.folder, done.lock, done.changed, done.warnings)))
        return
    print_text(lock_text.lock_text(done.folder, done.lock, done.changed, done.warnings))
    if done.before is not None and done.changed:
        print_text(f"\nWhat changed\n{diff_text.diff_text(compare(done.before, done.lock))}")


def _check_options(names: list[str], modes: dict[str, bool], additions: dict[str, tuple[bool, bool]]) -> None:
    """Raise ``UsageError`` for options that contradict each other, or need another one."""
    given = [name for name, on in modes.items() if on]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} cannot be asked for together", hint="give one of them")
    for name, (on, base) in additions.items():
        if on and not base:
            raise UsageError(
                "says nothing by itself", place=name, hint=f"`tfsetup lock {'--check' if name == '--online' else '--diff'} {name}`"
            )
    if names and not (modes["--upgrade"] or modes["--diff"]):
        raise UsageError("packages are named only to upgrade them", place=names[0], hint="`tfsetup lock --upgrade PACKAGE`")
    if modes["--diff"] and len(names) > 1:
        raise UsageError("one lock is compared with one other", place=names[1], hint="`tfsetup lock --diff OLD`")


def _check(session: Session, folder: str, progress: Progress, *, online: bool, as_json: bool, quiet: bool) -> int:
    found = lock_check.check(session, folder, online=online, progress=progress)
    report = check_text.CheckReport(
        fresh=not found.differences, folder=found.folder, online=online, files=found.files, differences=found.differences
    )
    if as_json:
        print_json(codec.document(check_text.SCHEMA, report))
    elif not (quiet and report.fresh):
        print_text(check_text.check_text(report))
    return 0 if report.fresh else STALE


def _diff(host: Host, folder: str, old: str, *, markdown: bool, as_json: bool) -> int:
    if markdown and as_json:
        raise UsageError("--markdown and --json cannot be asked for together", hint="give one of them")
    found = lock_check.diff(Session(host), folder, old)
    if as_json:
        print_json(codec.document(diff_text.SCHEMA, found))
    else:
        (print_script if markdown else print_text)(diff_text.diff_markdown(found) if markdown else diff_text.diff_text(found))
    return 0
