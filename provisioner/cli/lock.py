"""``tfsetup lock``: writes a team's lockfiles from its declaration."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioner.cli import options
from provisioner.cli.output import print_json, print_text
from provisioner.errors import UsageError
from provisioner.local_host import LocalHost
from provisioner.workspace import absolute


def lock(
    packages: Annotated[list[str] | None, typer.Argument(metavar="[PACKAGE]...", help="With --upgrade: only these packages.")] = None,
    project: Annotated[
        str, typer.Option("--project", envvar="TFSETUP_PROJECT", metavar="FOLDER", help="Where the declaration is (tfsetup.yaml).")
    ] = ".",
    engine: Annotated[
        str, typer.Option("--engine", envvar="TFSETUP_ENGINE", metavar="uv|pip-tools", help="The resolver; that of the lock if not given.")
    ] = "",
    cutoff: Annotated[
        str, typer.Option("--cutoff", envvar="TFSETUP_CUTOFF", metavar="DATE", help="Look only at what was uploaded before this date.")
    ] = "",
    *,
    upgrade: Annotated[bool, typer.Option("--upgrade", help="Look at what was uploaded since the lock was made.")] = False,
    offline: options.Offline = False,
    as_json: options.Json = False,
) -> int:
    """Lock a team's environments: exact, hashed files for every target, from one declaration."""
    from provisioner import flow_lock  # noqa: PLC0415 - start-up
    from provisioner.lock import dates  # noqa: PLC0415 - start-up
    from provisioner.model import codec  # noqa: PLC0415 - start-up
    from provisioner.report.lock_text import SCHEMA, lock_report, lock_text  # noqa: PLC0415 - start-up
    from provisioner.report.progress import progress_for  # noqa: PLC0415 - start-up

    host = LocalHost()
    if engine not in {"", *flow_lock.ENGINES}:
        raise UsageError(f"`{engine}` is not one of {', '.join(flow_lock.ENGINES)}", place="--engine")
    if packages and not upgrade:
        raise UsageError("packages are named only to upgrade them", place=packages[0], hint="`tfsetup lock --upgrade PACKAGE`")
    wanted = flow_lock.Wanted(
        engine=next((item for item in flow_lock.ENGINES if item == engine), None),
        upgrade=tuple(packages or ()) if upgrade else None,
        cutoff=dates.parse(cutoff, "--cutoff") if cutoff else "",
        offline=offline,
    )
    folder = absolute(project, host, "--project")
    done = flow_lock.lock(host, folder, wanted, progress=progress_for(as_json=as_json, host=host))
    if as_json:
        print_json(codec.document(SCHEMA, lock_report(done.folder, done.lock, done.changed, done.warnings)))
    else:
        print_text(lock_text(done.folder, done.lock, done.changed, done.warnings))
    return 0
